using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli;

/// <summary>Exit codes of contract §2. The classes of <see cref="MetaPromptsException"/> carry 2 to 6.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>Our own bug or an unforeseen failure.</summary>
    public const int Unforeseen = 1;

    public const int Usage = 2;

    public const int OutOfDeviceMemory = 6;

    /// <summary>After the second signal.</summary>
    public const int Aborted = 130;

    public static int Of(Exception failure) => failure switch
    {
        MetaPromptsException known => known.ExitCode,
        OutOfMemoryException => OutOfDeviceMemory,
        _ => Unforeseen,
    };

    /// <summary>Of a run with several inputs: a bug outranks everything, then the larger code.</summary>
    public static int Worst(IEnumerable<int> codes) => codes.Aggregate(Done, (worst, code) => worst == Unforeseen || code == Unforeseen ? Unforeseen : Math.Max(worst, code));
}
