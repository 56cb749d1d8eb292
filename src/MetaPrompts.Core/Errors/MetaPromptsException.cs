using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Errors;

/// <summary>Base of all we throw on purpose. The message is one line a user can act on: <c>WHAT: WHY; WHAT TO DO</c>.</summary>
public abstract class MetaPromptsException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Exit code of contract §2.</summary>
    public abstract int ExitCode { get; }
}

/// <summary>A setting or an argument is wrong. Thrown before anything starts.</summary>
public sealed class ConfigurationException(string key, string problem) : MetaPromptsException($"{key}: {problem}")
{
    public string Key { get; } = key;

    public override int ExitCode => 2;
}

/// <summary>A model, manifest or checkpoint was refused.</summary>
public class ModelRefusedException(string what, string problem, Exception? inner = null) : MetaPromptsException($"{what}: {problem}", inner)
{
    public override int ExitCode => 3;
}

/// <summary>One frame cannot be processed; it is dropped and counted, the rest of the batch goes on.</summary>
public sealed class FrameRejectedException(FrameStamp stamp, string problem) : MetaPromptsException($"{stamp.Stream.Value}#{stamp.Sequence}: {problem}")
{
    public FrameStamp Stamp { get; } = stamp;

    public override int ExitCode => 1;
}

/// <summary>Why a source is lost, in one word a program may switch on (contract §5, the <c>code</c> of a stream's error).</summary>
public enum SourceFault
{
    /// <summary>No connection, or it broke.</summary>
    Connection,

    /// <summary>User and password are wrong or missing.</summary>
    Authentication,

    /// <summary>The encrypted connection was refused.</summary>
    Tls,

    /// <summary>No answer, or no first frame, in time.</summary>
    Timeout,

    /// <summary>The connection stands, but frames have stopped.</summary>
    Stalled,

    /// <summary>There is no such stream, file or device.</summary>
    NotFound,

    /// <summary>It cannot be decoded.</summary>
    Codec,

    /// <summary>It said that this was all.</summary>
    Ended,
}

public static class SourceFaults
{
    /// <summary>The word on the wire and in metrics.</summary>
    public static string Word(this SourceFault fault) => fault switch
    {
        SourceFault.Connection => "connection",
        SourceFault.Authentication => "authentication",
        SourceFault.Tls => "tls",
        SourceFault.Timeout => "timeout",
        SourceFault.Stalled => "stalled",
        SourceFault.NotFound => "not_found",
        SourceFault.Codec => "codec",
        SourceFault.Ended => "ended",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };
}

/// <summary>A source could not be opened, or ended by failure. Holds no credentials.</summary>
/// <param name="source">As it may be shown.</param>
public sealed class SourceLostException(string source, string problem, Exception? inner = null) : MetaPromptsException($"{source}: {problem}", inner)
{
    public SourceFault Fault { get; init; } = SourceFault.Connection;

    /// <summary>The message without the source.</summary>
    public string Problem { get; } = problem;

    public override int ExitCode => 4;
}

/// <summary>A sink is broken for good.</summary>
public sealed class SinkFailedException(string sink, string problem, Exception? inner = null) : MetaPromptsException($"{sink}: {problem}", inner)
{
    public override int ExitCode => 5;
}

/// <summary>A sink could not take this item, but will take others: it is opening again. Counted, told by the sink itself, not an end.</summary>
public sealed class ItemLostException(string sink, string problem) : MetaPromptsException($"{sink}: {problem}")
{
    public override int ExitCode => 5;
}

/// <summary>The device has no memory left; the message names the setting to lower.</summary>
public sealed class DeviceMemoryException(string device, string problem, Exception? inner = null) : MetaPromptsException($"{device}: {problem}", inner)
{
    public override int ExitCode => 6;
}
