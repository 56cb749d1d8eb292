using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Cli.Configuration;

/// <summary>A stream's settings → what is wanted of its source.</summary>
internal static class CaptureChoice
{
    /// <param name="pool">Of the pipeline; null for a source outside one.</param>
    public static CaptureOptions Of(StreamSettings stream, PixelBufferPool? pool, int epoch) => new()
    {
        FitWithin = stream.Capture.MaxSize,
        OpenTimeout = stream.Capture.OpenTimeout,
        LiveStallTimeout = stream.Capture.StallTimeout,
        RtspOverUdp = stream.Capture.Transport == "udp",
        Paced = stream.Capture.Pace == "recorded",
        Pool = pool,
        Epoch = epoch,
    };
}
