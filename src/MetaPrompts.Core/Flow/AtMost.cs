using System.Diagnostics;
using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>Accepts at most so many frames a second (<c>maxRate</c>), evenly spaced; a camera of that very rate loses none by its jitter.</summary>
public sealed class AtMost(double hertz) : IFrameFilter
{
    private const double Jitter = 0.25;

    private readonly double _period = Stopwatch.Frequency / OptionsCheck.InRange("maxRate", hertz, 0.001, 1000);
    private double? _due;

    public bool Accepts(Frame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        double now = frame.Stamp.EnteredAt;
        if (_due is { } due && now < due - (Jitter * _period)) return false;
        // Who comes late does not get the next one sooner than a period from now, but a little lateness does not lower the rate.
        _due = _due is { } was && now - was < _period ? was + _period : now + _period;
        return true;
    }
}
