using static TorchSharp.torch;

namespace MetaPrompts.Training.Tasks;

/// <summary>Noise that follows from a seed, whichever thread asks: a resumed run draws what an uninterrupted one would have.</summary>
internal static class Noise
{
    /// <returns>Standard normal, of the shape, type and device of <paramref name="like"/>; the caller's.</returns>
    public static Tensor Of(Tensor like, long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(unchecked((ulong)seed));
        return randn(like.shape, generator: generator).to(like.dtype).to(like.device).MoveToOuterDisposeScope();
    }
}
