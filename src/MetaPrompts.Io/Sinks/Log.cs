using MetaPrompts.Core.Frames;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Io.Sinks;

/// <summary>What sinks of files say; event numbers 42x. Nothing here is per frame.</summary>
internal static partial class Log
{
    [LoggerMessage(420, LogLevel.Error, "sink {Sink}, {Stream}: {Problem}; tried again, what comes meanwhile is lost and counted")]
    public static partial void PieceFailed(this ILogger log, string sink, StreamId stream, string problem);

    [LoggerMessage(421, LogLevel.Information, "sink {Sink}, {Stream}: writes again; {Lost} frames were lost")]
    public static partial void SinkBack(this ILogger log, string sink, StreamId stream, long lost);
}
