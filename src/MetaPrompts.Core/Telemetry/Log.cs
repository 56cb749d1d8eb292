using MetaPrompts.Core.Frames;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Core.Telemetry;

/// <summary>All Core says; event numbers 2xx (flow). Nothing here is per frame.</summary>
internal static partial class Log
{
    [LoggerMessage(201, LogLevel.Warning, "{Stream}: lost ({Fault}): {Problem}; retrying")]
    public static partial void StreamLost(this ILogger log, StreamId stream, string fault, string problem);

    [LoggerMessage(202, LogLevel.Information, "{Stream}: back after {Attempts} attempts, {Seconds:0.0} s; epoch {Epoch}")]
    public static partial void StreamBack(this ILogger log, StreamId stream, int attempts, double seconds, int epoch);

    [LoggerMessage(203, LogLevel.Warning, "{Where}: {Count} frames {Outcome}")]
    public static partial void FramesDropped(this ILogger log, string where, long count, string outcome);

    [LoggerMessage(204, LogLevel.Error, "sink {Sink} failed and gets nothing more: {Problem}")]
    public static partial void SinkFailed(this ILogger log, string sink, string problem);

    [LoggerMessage(205, LogLevel.Error, "{Stream}: input failed: {Problem}")]
    public static partial void InputFailed(this ILogger log, StreamId stream, string problem);

    [LoggerMessage(206, LogLevel.Information, "stopping: sources are closed, what is in hand is finished")]
    public static partial void Draining(this ILogger log);

    [LoggerMessage(207, LogLevel.Information, "{Stream}: paused on command")]
    public static partial void StreamPaused(this ILogger log, StreamId stream);
}
