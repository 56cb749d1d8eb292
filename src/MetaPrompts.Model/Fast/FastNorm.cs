using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>A group norm with the activation behind it. Borrows the module.</summary>
internal sealed class FastNorm(FastPlan plan, GroupNorm norm, int groups, double epsilon)
{
    // Asked of a tensor, type and device cost a call and an object each.
    private static readonly Device _host = CPU;

    /// <param name="module">A group norm.</param>
    public static FastNorm Of(FastPlan plan, IModule<Tensor, Tensor> module)
    {
        var norm = (GroupNorm)module;
        return new FastNorm(plan, norm, (int)norm.num_groups, norm.eps);
    }

    /// <param name="x">[B, C, H, W], borrowed.</param>
    /// <returns>The same shape, the caller's.</returns>
    public Tensor Run(Tensor x, Activation activation = Activation.None)
    {
        var (batch, channels, height, width) = (x.size(0), x.size(1), x.size(2), x.size(3));
        if (plan.OwnNorms && GroupNormKernel.Takes(channels, height * width, groups) && x.dtype == ScalarType.Float32) return Own(x, activation, batch, channels, height, width);
        if (plan.IsNew(Speedups.ChannelsLast, channels, height, width)) plan.Note(Speedups.ChannelsLast, $"norm of {channels} channels at {height}x{width}: libtorch");
        var y = norm.forward(x);
        return activation switch
        {
            Activation.SiLU => y.silu_(),
            Activation.ReLU => y.relu_(),
            _ => y,
        };
    }

    private Tensor Own(Tensor x, Activation activation, long batch, long channels, long height, long width)
    {
        using var rows = x.permute(ChannelsLast.Inwards);
        // Mostly they are dense already; asking for a dense one would be a tensor more.
        if (rows.is_contiguous()) return Run(rows, activation, batch, channels, height, width);
        using var dense = rows.contiguous();
        return Run(dense, activation, batch, channels, height, width);
    }

    private unsafe Tensor Run(Tensor rows, Activation activation, long batch, long channels, long height, long width)
    {
        using var to = empty_like(rows, ScalarType.Float32, _host);
        Into((float*)OneDnn.Data(rows), (float*)OneDnn.Data(to), batch, channels, height, width, width * channels, height * width * channels, activation);
        return to.permute(ChannelsLast.Outwards);
    }

    /// <summary>Whether <see cref="Into"/> can put each line of such maps in a place of its own.</summary>
    public bool TakesLines(long channels, long height, long width) => plan.OwnNorms && GroupNormKernel.Takes(channels, height * width, groups) && width % GroupNormKernel.Tile(channels) == 0;

    /// <param name="x">[B, H, W, C], dense.</param>
    /// <param name="y">Of the first place.</param>
    /// <param name="line">Floats from line to line of the result, as <paramref name="map"/> from map to map.</param>
    public unsafe void Into(float* x, float* y, long batch, long channels, long height, long width, long line, long map, Activation activation) =>
        GroupNormKernel.Run(x, y, (int)batch, (int)height, (int)width, (int)channels, line, map, groups, (float)epsilon, (float*)OneDnn.Data(norm.weight!), (float*)OneDnn.Data(norm.bias!), activation);
}
