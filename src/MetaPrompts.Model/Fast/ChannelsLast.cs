using static TorchSharp.torch;

namespace MetaPrompts.Model.Fast;

/// <summary>Maps whose channels lie innermost in memory. TorchSharp binds no memory format; two permutations say the same.</summary>
internal static class ChannelsLast
{
    /// <param name="maps">[B, C, H, W], borrowed.</param>
    /// <returns>The same maps, channels innermost; the caller's. Nothing is copied where they are already.</returns>
    public static Tensor Of(Tensor maps)
    {
        using var scope = NewDisposeScope();
        return maps.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    /// <param name="maps">[B, C, H, W].</param>
    /// <returns>[B, HW, C], row by row; the caller's. A view where channels are innermost.</returns>
    public static Tensor Tokens(Tensor maps)
    {
        using var scope = NewDisposeScope();
        return maps.permute(0, 2, 3, 1).reshape(maps.shape[0], -1, maps.shape[1]).MoveToOuterDisposeScope();
    }

    /// <summary>The way back of <see cref="Tokens"/>.</summary>
    public static Tensor Maps(Tensor tokens, long height, long width)
    {
        using var scope = NewDisposeScope();
        return tokens.reshape(tokens.shape[0], height, width, -1).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
