using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Doors;

/// <summary>What an outsider may ask of a stream (contract §5, <c>command/{verb}</c>).</summary>
public enum StreamVerb
{
    /// <summary>Open a lost source now instead of when its wait is over; of no effect on one that is online.</summary>
    Retry,

    /// <summary>Close the source and keep it closed.</summary>
    Pause,

    /// <summary>Open a paused source again.</summary>
    Resume,
}

/// <summary>Who carries out commands; its caller has checked that the stream exists. <c>snapshot</c> is not here: the sink that publishes answers it itself.</summary>
public interface IStreamCommands
{
    /// <summary>Does it, or starts to.</summary>
    /// <returns>What happened, one sentence for a person.</returns>
    /// <exception cref="CommandRefusedException">It cannot be done now.</exception>
    Task<string> RunAsync(StreamVerb verb, StreamId stream, CancellationToken stop);
}

/// <summary>A command that cannot be done now; the message is told to whoever sent it.</summary>
public sealed class CommandRefusedException(string problem) : Exception(problem);
