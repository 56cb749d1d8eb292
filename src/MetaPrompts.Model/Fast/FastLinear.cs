using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>A matrix of weights as serving wants it. Owns it.</summary>
internal sealed class FastLinear : IDisposable
{
    private readonly Tensor? _bias;
    private readonly Lock _packing = new();
    private readonly bool _packs;
    private readonly Panels? _own;
    private Tensor? _weight, _packed;

    /// <param name="weight">[C, Cin], borrowed.</param>
    /// <param name="bias">[C] or null, borrowed.</param>
    public FastLinear(FastPlan plan, Tensor weight, Tensor? bias)
    {
        using var none = no_grad();
        _bias = bias?.view(-1).DetachFromDisposeScope();
        if (plan.OwnProducts)
        {
            using var flat = weight.unsqueeze(-1);
            _own = new Panels(flat);
            plan.Choose(Speedups.OwnProducts, "products by a kernel of ours");
            return;
        }
        _packs = plan.PacksProducts(weight.numel());
        _weight = weight.view(weight.shape).DetachFromDisposeScope();
        if (plan.Packs) plan.Choose(Speedups.PackedWeights, (_packs, Processor.IsAmd) switch
        {
            (true, true) => "products in oneDNN's order: MKL is slow on this processor",
            (true, false) => "products in oneDNN's order, of a million weights or more",
            _ => "products by MKL: of fewer than a million weights it is the faster one on this processor",
        });
    }

    /// <summary>The module's weights move here: it keeps its names, without values, so that weights exist once.</summary>
    public static FastLinear Of(FastPlan plan, Linear linear)
    {
        var fast = new FastLinear(plan, linear.weight!, linear.bias);
        Empty(linear.weight!);
        return fast;
    }

    /// <summary>The same of a 1×1 convolution, whose maps are tokens where channels are innermost.</summary>
    public static FastLinear Of(FastPlan plan, Conv2d conv)
    {
        using var none = no_grad();
        using var matrix = conv.weight!.flatten(1);
        var fast = new FastLinear(plan, matrix, conv.bias);
        FastConvolution.Empty(conv);
        return fast;
    }

    /// <summary>Frees a module's weights once nothing reads them there.</summary>
    public static void Empty(Tensor weight)
    {
        using var none = no_grad();
        using var nothing = zeros(0, weight.dtype, weight.device);
        weight.set_(nothing);
    }

    /// <param name="x">[.., Cin], borrowed.</param>
    /// <param name="add">[.., C] or null: what is added; borrowed.</param>
    /// <returns>[.., C], the caller's.</returns>
    public Tensor Run(Tensor x, Tensor? add = null)
    {
        if (_own is not null) return Own(x, add);
        var y = _packs ? OneDnn.Linear(x, Packed(x), _bias) : functional.linear(x, _weight!, _bias);
        return add is null ? y : y.add_(add);
    }

    private unsafe Tensor Own(Tensor x, Tensor? add)
    {
        if (!x.is_contiguous())
        {
            using var dense = x.contiguous();
            return Own(dense, add);
        }
        if (add is not null && !add.is_contiguous())
        {
            using var dense = add.contiguous();
            return Own(x, dense);
        }
        var y = OneDnn.Rows(x, _own!.Columns);
        var rows = (int)(x.numel() / x.size(-1));
        var nothing = 0;
        _own.Run((float*)OneDnn.Data(x), new Places(rows, rows, 0, _own.Depth, 0, _own.Columns), &nothing, _bias is null ? null : (float*)OneDnn.Data(_bias), add is null ? null : (float*)OneDnn.Data(add), false, (float*)OneDnn.Data(y));
        GC.KeepAlive(x);
        GC.KeepAlive(add);
        return y;
    }

    /// <summary>Arranged when the first tokens come, for as many as they are; the usual order is given up then.</summary>
    private Tensor Packed(Tensor x)
    {
        if (Volatile.Read(ref _packed) is { } ready) return ready;
        lock (_packing)
        {
            if (_packed is { } made) return made;
            using var none = no_grad();
            var packed = OneDnn.PackLinear(_weight!, x.numel() / x.size(-1)).DetachFromDisposeScope();
            _weight!.Dispose();
            _weight = null;
            Volatile.Write(ref _packed, packed);
            return packed;
        }
    }

    public void Dispose()
    {
        _own?.Dispose();
        _weight?.Dispose();
        _packed?.Dispose();
        _bias?.Dispose();
    }
}
