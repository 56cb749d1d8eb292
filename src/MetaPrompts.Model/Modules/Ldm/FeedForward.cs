using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Gated feed-forward (ldm attention.FeedForward with GEGLU).</summary>
public sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly Sequential net;

    public FeedForward(long dim) : base(nameof(FeedForward))
    {
        net = Sequential(("0", new GEGLU(dim, 4 * dim)), ("1", Dropout(0)), ("2", Linear(4 * dim, dim)));
        RegisterComponents();
    }

    /// <param name="x">[B, L, C].</param>
    /// <returns>[B, L, C], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        if (training) return net.forward(x);
        using var inner = ((GEGLU)net[0]).forward(x);                                          // nothing is dropped outside training
        return ((Linear)net[2]).forward(inner);
    }

    private sealed class GEGLU : Module<Tensor, Tensor>
    {
        private readonly Linear proj;

        public GEGLU(long dim, long inner) : base(nameof(GEGLU))
        {
            proj = Linear(dim, 2 * inner);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var both = proj.forward(x);
            var inner = both.size(-1) / 2;
            using var value = both.narrow(-1, 0, inner);
            using var gate = both.narrow(-1, inner, inner);                                    // in this order
            using var open = functional.gelu(gate);
            return value * open;
        }
    }
}
