using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules.Ldm;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>Only a name in the path of published keys (meta_prompts/models.py, UNetWrapper).</summary>
public sealed class UNetWrapper : Module
{
    public readonly DiffusionWrapper unet;

    public UNetWrapper(NetworkShape shape) : base(nameof(UNetWrapper))
    {
        unet = new DiffusionWrapper(shape);
        RegisterComponents();
    }
}
