namespace MetaPrompts.Core.Wire;

/// <summary>Times on the wire are integer microseconds since 1970: nanoseconds lose digits in JavaScript (contract §4).</summary>
public static class WireTime
{
    public static long Microseconds(DateTimeOffset time) => (time.UtcDateTime - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
