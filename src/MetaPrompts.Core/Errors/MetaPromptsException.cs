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

/// <summary>A source could not be opened, or ended by failure.</summary>
public sealed class SourceLostException(string source, string problem, Exception? inner = null) : MetaPromptsException($"{source}: {problem}", inner)
{
    public override int ExitCode => 4;
}

/// <summary>A sink is broken for good.</summary>
public sealed class SinkFailedException(string sink, string problem, Exception? inner = null) : MetaPromptsException($"{sink}: {problem}", inner)
{
    public override int ExitCode => 5;
}

/// <summary>The device has no memory left; the message names the setting to lower.</summary>
public sealed class DeviceMemoryException(string device, string problem, Exception? inner = null) : MetaPromptsException($"{device}: {problem}", inner)
{
    public override int ExitCode => 6;
}
