using static TorchSharp.torch;

namespace MetaPrompts.Model.Fast;

/// <summary>Maps whose channels lie innermost in memory. TorchSharp binds no memory format; two permutations say the same. No scopes here: a scope allocates more than these two views do.</summary>
internal static class ChannelsLast
{
    /// <summary>[B, C, H, W] → [B, H, W, C], and back. Kept: an array of them a view is what a frame would allocate most of.</summary>
    public static readonly long[] Inwards = [0, 2, 3, 1], Outwards = [0, 3, 1, 2];

    /// <param name="maps">[B, C, H, W], borrowed.</param>
    /// <returns>The same maps, channels innermost; the caller's. Nothing is copied where they are already.</returns>
    public static Tensor Of(Tensor maps)
    {
        using var rows = maps.permute(Inwards);
        using var dense = rows.contiguous();
        return dense.permute(Outwards);
    }

    /// <param name="maps">[B, C, H, W], borrowed.</param>
    /// <returns>[B, H, W, C], dense; the caller's. A view where channels are innermost.</returns>
    public static Tensor Rows(Tensor maps)
    {
        var rows = maps.permute(Inwards);
        if (rows.is_contiguous()) return rows;
        using (rows) return rows.contiguous();
    }

    /// <param name="maps">[B, C, H, W].</param>
    /// <returns>[B, HW, C], row by row; the caller's. A view where channels are innermost.</returns>
    public static Tensor Tokens(Tensor maps)
    {
        using var rows = maps.permute(Inwards);
        return rows.reshape(maps.size(0), -1, maps.size(1));
    }

    /// <summary>The way back of <see cref="Tokens"/>.</summary>
    public static Tensor Maps(Tensor tokens, long height, long width)
    {
        using var rows = tokens.reshape(tokens.size(0), height, width, -1);
        return rows.permute(Outwards);
    }
}
