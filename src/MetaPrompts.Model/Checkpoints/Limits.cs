namespace MetaPrompts.Model.Checkpoints;

/// <summary>What no weight file of ours comes near, and a hostile one would like to exceed.</summary>
internal static class Limits
{
    /// <summary>Twenty times what the largest network here has, optimizer state included; headers of a million empty tensors only cost memory.</summary>
    public const int MostTensors = 100_000;

    public const int MostDimensions = 16;

    /// <summary>Bytes of a pickle; the largest published one has 0.2 MB.</summary>
    public const long LongestPickle = 64 << 20;

    /// <summary>Values a pickle may make; a checkpoint with optimizer state makes about 0.1 million.</summary>
    public const int MostValues = 1_000_000;

    /// <summary>Containers within containers; a checkpoint has about six.</summary>
    public const int DeepestNesting = 1000;

    /// <summary>A name from a hostile file, fit for one line.</summary>
    public static string Short(string name)
    {
        var line = new string([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);
        return name.Length > 80 ? line + "…" : line;
    }
}
