using MetaPrompts.Core.Frames;
using Microsoft.Extensions.Logging;

namespace MetaPrompts.Cli.Live;

/// <summary>What the service itself says; event numbers 6xx.</summary>
internal static partial class Log
{
    [LoggerMessage(601, LogLevel.Information, "{Node}: {Streams} streams, {Sinks} sinks, models {Models} on {Device}")]
    public static partial void Started(this ILogger log, string node, int streams, int sinks, string models, string device);

    [LoggerMessage(602, LogLevel.Information, "{Stream}: {Frames}; opened {Epochs} times")]
    public static partial void StreamLedger(this ILogger log, StreamId stream, string frames, int epochs);

    [LoggerMessage(603, LogLevel.Information, "sink {Sink}: {Written} frames written, {Dropped} dropped, {Failed} failed")]
    public static partial void SinkLedger(this ILogger log, string sink, long written, long dropped, long failed);

    [LoggerMessage(604, LogLevel.Warning, "{Text}")]
    public static partial void Told(this ILogger log, string text);

    [LoggerMessage(605, LogLevel.Warning, "metrics do not reach {Collector}: {Why}")]
    public static partial void CollectorAway(this ILogger log, string collector, string why);
}
