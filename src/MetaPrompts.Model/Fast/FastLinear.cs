using System.Collections.Concurrent;
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
    private Tensor? _weight, _packed;

    /// <param name="weight">[C, Cin], borrowed.</param>
    /// <param name="bias">[C] or null, borrowed.</param>
    public FastLinear(FastPlan plan, Tensor weight, Tensor? bias)
    {
        using var none = no_grad();
        _packs = plan.PacksProducts(weight.numel());
        _weight = weight.view(weight.shape).DetachFromDisposeScope();
        _bias = bias?.view(-1).DetachFromDisposeScope();
        if (_packs) plan.Choose(Speedups.PackedWeights, "products in oneDNN's order");
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
    /// <returns>[.., C], the caller's.</returns>
    public Tensor Run(Tensor x)
    {
        if (!_packs) return functional.linear(x, _weight!, _bias);
        return OneDnn.Linear(x, Packed(x), _bias);
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
        _weight?.Dispose();
        _packed?.Dispose();
        _bias?.Dispose();
    }
}
