using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>Gated feed-forward (ldm attention.FeedForward with GEGLU).</summary>
public sealed class FeedForward : Module<Tensor, Tensor>, IPreparable
{
    private readonly Sequential net;
    private FastLinear? _in, _out;

    public FeedForward(long dim) : base(nameof(FeedForward))
    {
        net = Sequential(("0", new GEGLU(dim, 4 * dim)), ("1", Dropout(0)), ("2", Linear(4 * dim, dim)));
        RegisterComponents();
    }

    /// <param name="x">[B, L, C].</param>
    /// <returns>[B, L, C], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        if (_in is not null) return Served(x, null);
        if (training) return net.forward(x);
        using var inner = ((GEGLU)net[0]).forward(x);                                          // nothing is dropped outside training
        return ((Linear)net[2]).forward(inner);
    }

    /// <summary>Of a prepared module, with something added to the result.</summary>
    /// <param name="add">[B, L, C] or null, borrowed.</param>
    /// <returns>[B, L, C], the caller's.</returns>
    internal Tensor Served(Tensor x, Tensor? add)
    {
        using var both = _in!.Run(x);
        using var gated = GEGLU.Gate(both);
        return _out!.Run(gated, add);
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        if (_in is not null || !plan.Has(Speedups.Attention)) return;
        (_in, _out) = (FastLinear.Of(plan, ((GEGLU)net[0]).Projection), FastLinear.Of(plan, (Linear)net[2]));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _in?.Dispose();
            _out?.Dispose();
        }

        base.Dispose(disposing);
    }

    private sealed class GEGLU : Module<Tensor, Tensor>
    {
        private readonly Linear proj;

        public GEGLU(long dim, long inner) : base(nameof(GEGLU))
        {
            proj = Linear(dim, 2 * inner);
            RegisterComponents();
        }

        public Linear Projection => proj;

        public override Tensor forward(Tensor x)
        {
            using var both = proj.forward(x);
            return Gate(both);
        }

        /// <param name="both">[.., 2·C]: values, then gates.</param>
        public static Tensor Gate(Tensor both)
        {
            var inner = both.size(-1) / 2;
            using var value = both.narrow(-1, 0, inner);
            using var gate = both.narrow(-1, inner, inner);                                    // in this order
            using var open = functional.gelu(gate);
            return value * open;
        }
    }
}
