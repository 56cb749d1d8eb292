using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Ffmpeg;

namespace MetaPrompts.Io.Sinks;

/// <summary>How a video is written.</summary>
public sealed record VideoSinkOptions
{
    /// <summary>Usual frames per second; only a hint where frames carry their own times, which are kept.</summary>
    public Rational Rate { get; init; } = new(25, 1);

    /// <summary>Seconds per tick of the source's timestamps, so that the same ticks can be written.</summary>
    public Rational TimeBase { get; init; } = new(1, 90_000);

    /// <summary>x264's constant rate factor: 0 lossless … 51; 18 is visually lossless, 23 x264's default.</summary>
    public int Quality { get; init; } = 20;

    /// <summary>Go on from what an interrupted run left.</summary>
    public bool Resume { get; init; }

    /// <summary>As the source is.</summary>
    public static VideoSinkOptions For(MediaInfo source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var options = new VideoSinkOptions();
        return options with
        {
            Rate = source.Rate.IsKnown && source.Rate.Value is >= 0.01 and <= 1000 ? source.Rate : options.Rate,
            TimeBase = source.TimeBase.IsKnown ? source.TimeBase : options.TimeBase,
        };
    }

    /// <summary>Ticks per second of the written track: a multiple of the source's, at least 1000 so that half a frame can be told, at most 1,000,000.</summary>
    internal long TicksPerSecond
    {
        get
        {
            var ticks = TimeBase.IsKnown ? TimeBase.Denominator : 90_000;
            if (ticks > 1_000_000) return 90_000;
            return ticks >= 1000 ? ticks : ticks * ((999 + ticks) / ticks);
        }
    }
}
