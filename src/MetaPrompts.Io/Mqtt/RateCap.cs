namespace MetaPrompts.Io.Mqtt;

/// <summary>At most so many a second, evenly spaced; for one kind of map of one stream.</summary>
/// <param name="maxRate">Hz; null for no cap.</param>
internal sealed class RateCap(double? maxRate, TimeProvider time)
{
    private readonly long _gap = maxRate is { } rate ? (long)(time.TimestampFrequency / rate) : 0;
    private long? _due;

    /// <summary>True when one may go now; it then counts. Not safe from several threads.</summary>
    public bool TryTake()
    {
        if (_gap == 0) return true;
        var now = time.GetTimestamp();
        if (_due is { } due && now < due) return false;
        // Counted from when it was due: frames that come at 30 a second must not turn 20 Hz into 15.
        _due = _due is { } last && now - last < _gap ? last + _gap : now + _gap;
        return true;
    }
}
