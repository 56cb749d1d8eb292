using System.Diagnostics;

namespace MetaPrompts.Io.Capture;

/// <summary>
/// How many frames a second arrive. Only the later half of what came counts, and of that the last second of a camera at 25 Hz: what waited in the network's buffers comes all at once in the beginning and says
/// nothing about the rate.
/// </summary>
internal sealed class ArrivalRate
{
    private const int MostGaps = 25;

    private readonly long[] _at = new long[2 * MostGaps];
    private long _seen;

    /// <summary>Worth being told again: soon after the first frames, and once in as many frames as it looks at.</summary>
    public bool IsNews => _seen is 5 or 10 || _seen % MostGaps == 0;

    /// <summary>Null until it can be told.</summary>
    public double? Hertz
    {
        get
        {
            var gaps = (int)Math.Min(MostGaps, (_seen - 1) / 2);
            if (gaps < 2) return null;
            var seconds = Stopwatch.GetElapsedTime(At(_seen - 1 - gaps), At(_seen - 1)).TotalSeconds;
            return seconds > 0 ? gaps / seconds : null;
        }
    }

    /// <param name="at">A time stamp of <see cref="Stopwatch"/>.</param>
    public void Arrived(long at) => _at[_seen++ % _at.Length] = at;

    private long At(long frame) => _at[frame % _at.Length];
}
