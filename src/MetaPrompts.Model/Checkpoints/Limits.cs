namespace MetaPrompts.Model.Checkpoints;

/// <summary>What no weight file of ours comes near, and a hostile one would like to exceed.</summary>
internal static class Limits
{
    /// <summary>Tensors, or entries of an archive. Ten thousand is four times what the largest network here has; a file that names more has to be large itself, or names would take more memory than it.</summary>
    /// <param name="file">Bytes.</param>
    public static int MostTensors(long file) => 10_000 + (int)Math.Min(90_000, file / 1024);

    public const int MostDimensions = 16;

    /// <summary>Bytes of a pickle; the largest published one has 0.2 MB.</summary>
    public const long LongestPickle = 64 << 20;

    /// <summary>Values a pickle may make, pairs that are copied included. A network of a thousand tensors makes 25,000; with optimizer state it makes 0.1 million, and its file has many megabytes.</summary>
    /// <param name="file">Bytes.</param>
    public static int MostValues(long file) => 20_000 + (int)Math.Min(980_000, file / 64);

    /// <summary>Bytes of text in a pickle, which take twice as much here. A network's names have 0.1 MB.</summary>
    /// <param name="file">Bytes.</param>
    public static long MostText(long file) => (256 << 10) + file / 4;

    /// <summary>Containers within containers; a checkpoint has about six.</summary>
    public const int DeepestNesting = 1000;

    /// <summary>A name from a hostile file, fit for one line.</summary>
    public static string Short(string name)
    {
        var line = new string([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);
        return name.Length > 80 ? line + "…" : line;
    }
}
