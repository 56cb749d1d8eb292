using MetaPrompts.Core.Perception;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Only a name in the path of published keys (ldm ddpm.DiffusionWrapper).</summary>
public sealed class DiffusionWrapper : Module
{
    public readonly UNetModel diffusion_model;

    public DiffusionWrapper(NetworkShape shape) : base(nameof(DiffusionWrapper))
    {
        diffusion_model = new UNetModel(shape);
        RegisterComponents();
    }
}
