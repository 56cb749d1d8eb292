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
    public override Tensor forward(Tensor x) => net.forward(x);

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
            using var scope = NewDisposeScope();
            var both = proj.forward(x).chunk(2, -1);                                           // value, gate: in this order
            return (both[0] * functional.gelu(both[1])).MoveToOuterDisposeScope();
        }
    }
}
