using MetaPrompts.Core.Perception;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>Projects meta prompts for one refine step (reference: meta_prompts/models.py, TextAdapterDepth; no residual).</summary>
public sealed class TextAdapterDepth : Module<Tensor, Tensor>
{
    private readonly Sequential fc;

    public TextAdapterDepth(NetworkShape shape) : base(nameof(TextAdapterDepth))
    {
        ArgumentNullException.ThrowIfNull(shape);
        fc = Sequential(("0", Linear(shape.ContextDim, shape.ContextDim)), ("1", GELU()), ("2", Linear(shape.ContextDim, shape.ContextDim)));
        RegisterComponents();
    }

    /// <param name="metaPrompts">[N, D] learned, borrowed.</param>
    /// <returns>[1, N, D], the caller's.</returns>
    public override Tensor forward(Tensor metaPrompts)
    {
        using var scope = NewDisposeScope();
        return fc.forward(metaPrompts).unsqueeze(0).MoveToOuterDisposeScope();
    }
}
