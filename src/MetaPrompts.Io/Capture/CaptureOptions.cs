using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Capture;

/// <summary>What is wanted of a source.</summary>
public sealed record CaptureOptions
{
    /// <summary>Frames larger than this are scaled down to fit, aspect kept; null keeps the source's size. Coordinates in results mean the source's size either way.</summary>
    public ImageSize? FitWithin { get; init; }

    /// <summary>Position in the file of the first frame wanted.</summary>
    public TimeSpan Start { get; init; }

    /// <summary>How much of the file is wanted from <see cref="Start"/>; null means to its end.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Keep every n-th frame, beginning with the first.</summary>
    public int Every { get; init; } = 1;

    /// <summary>
    /// Sequence of the first frame to yield: the ones before it are decoded but not handed over. What it yields is the same, sequences and times included,
    /// as what a source that began at 0 yields from there: so a job is resumed.
    /// </summary>
    public long FirstSequence { get; init; }

    /// <summary>Of a file: longest wait for the next decoded frame, wanted or not, before it counts as lost.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Called when a file counts as lost for that, before its reader is told.</summary>
    public Action? OnStall { get; init; }

    /// <summary>Of a camera: for the connection to stand, and again for its first frame.</summary>
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Of a camera: longest silence between two frames; null: three times the observed gap, at least two seconds.</summary>
    public TimeSpan? LiveStallTimeout { get; init; }

    /// <summary>RTSP's media over UDP instead of its TCP connection.</summary>
    public bool RtspOverUdp { get; init; }

    /// <summary>A file is read at the pace it was recorded, not as fast as its frames are taken.</summary>
    public bool Paced { get; init; }

    /// <summary>Frames per second given to the images of a folder, which have no time of their own.</summary>
    public double ImageRate { get; init; } = 25;

    /// <summary>Where frames come from: of the pipeline, so that memory is bounded; null takes as many as the reader holds.</summary>
    public PixelBufferPool? Pool { get; init; }

    /// <summary>Goes into every stamp.</summary>
    public int Epoch { get; init; } = 1;

    /// <exception cref="ConfigurationException">A value is out of its range; the message names the option.</exception>
    public void Check()
    {
        if (Start < TimeSpan.Zero) throw new ConfigurationException("--start", $"must not be negative, is {Start}");
        if (Duration <= TimeSpan.Zero) throw new ConfigurationException("--duration", $"must be above zero, is {Duration}");
        if (Every < 1) throw new ConfigurationException("--every", $"must be at least 1, is {Every}");
        if (FirstSequence < 0) throw new ConfigurationException("firstSequence", $"must not be negative, is {FirstSequence}");
        if (FitWithin is { } fit && (fit.Height < 1 || fit.Width < 1)) throw new ConfigurationException("fitWithin", $"must be at least 1x1, is {fit}");
        if (StallTimeout <= TimeSpan.Zero) throw new ConfigurationException("capture.stallTimeout", $"must be above zero, is {StallTimeout}");
        if (OpenTimeout <= TimeSpan.Zero) throw new ConfigurationException("capture.openTimeout", $"must be above zero, is {OpenTimeout}");
        if (!(ImageRate is > 0 and <= 1000)) throw new ConfigurationException("imageRate", $"must be above 0 and at most 1000, is {ImageRate}");
    }

    /// <summary>Pixels of undefined value, the caller's; null while the pool has none: a camera does not wait.</summary>
    internal PixelBuffer? TryRent(ImageSize size) => Pool is null ? PixelBuffers.Rent(size) : Pool.TryRent(size);

    /// <summary>Pixels of undefined value, the caller's; waits while the pool has none.</summary>
    internal ValueTask<PixelBuffer> RentAsync(ImageSize size, CancellationToken stop) => Pool is null ? new(PixelBuffers.Rent(size)) : Pool.RentAsync(size, stop);

    /// <summary>The size that travels for a picture of <paramref name="source"/>.</summary>
    internal ImageSize Travelling(ImageSize source)
    {
        if (FitWithin is not { } fit || (source.Height <= fit.Height && source.Width <= fit.Width)) return source;
        var scale = Math.Min((double)fit.Height / source.Height, (double)fit.Width / source.Width);
        return new ImageSize(Math.Max(1, (int)Math.Round(source.Height * scale)), Math.Max(1, (int)Math.Round(source.Width * scale)));
    }
}
