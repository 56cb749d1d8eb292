using System.Globalization;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>A ratio of whole numbers, as containers state rates (30000/1001) and time bases (1/12800).</summary>
public readonly record struct Rational(long Numerator, long Denominator)
{
    /// <summary>0 where the denominator is 0: unknown.</summary>
    public double Value => Denominator == 0 ? 0 : (double)Numerator / Denominator;

    /// <summary>Known and above zero.</summary>
    public bool IsKnown => Numerator > 0 && Denominator > 0;

    /// <summary><c>25/1</c>, as ffprobe prints it; unknown when it is anything else.</summary>
    public static Rational Parse(string? text) =>
        text?.Split('/') is [var n, var d] && long.TryParse(n, CultureInfo.InvariantCulture, out var numerator) && long.TryParse(d, CultureInfo.InvariantCulture, out var denominator)
            ? new Rational(numerator, denominator)
            : default;

    public override string ToString() => $"{Numerator}/{Denominator}";
}

/// <summary>What a container says about its first video track, and what its first packets show.</summary>
/// <param name="Coded">As stored, before <paramref name="Rotation"/>.</param>
/// <param name="Rotation">Degrees clockwise that a player turns the picture by: 0, 90, 180, 270.</param>
/// <param name="DeclaredRate">Frames per second; unknown where the container has none.</param>
/// <param name="AverageRate">Frames per second over the whole track.</param>
/// <param name="TimeBase">Seconds per tick of the track's timestamps.</param>
/// <param name="Start">Time of the container's first frame.</param>
/// <param name="Duration">Null where the container does not say.</param>
/// <param name="FrameCount">As the container declares it; null where it does not.</param>
/// <param name="Steps">Distances of the timestamps of the first packets in presentation order, seconds; empty where there are none.</param>
public sealed record VideoInfo(ImageSize Coded, int Rotation, Rational DeclaredRate, Rational AverageRate, Rational TimeBase, TimeSpan Start, TimeSpan? Duration,
    long? FrameCount, string Codec, string PixelFormat, string Container, IReadOnlyList<double> Steps)
{
    /// <summary>As shown.</summary>
    public ImageSize Size => Rotation is 90 or 270 ? new ImageSize(Coded.Width, Coded.Height) : Coded;

    /// <summary>The first packets are not evenly spaced: more than a tenth between shortest and longest step.</summary>
    public bool VariableRate => Steps.Count > 1 && Steps.Max() - Steps.Min() > Math.Max(0.1 * Steps.Min(), 1.5 * TimeBase.Value);

    /// <summary>Measured over the first packets; null where they have no timestamps.</summary>
    public double? MeasuredRate => Steps.Count > 0 && Steps.Sum() > 0 ? Steps.Count / Steps.Sum() : null;
}
