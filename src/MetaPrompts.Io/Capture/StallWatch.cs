namespace MetaPrompts.Io.Capture;

/// <summary>
/// How long the next frame of a camera may take. Without a fixed limit: three times the usual gap, at least two seconds, so that a camera of 0.2 frames a second is not taken for dead
/// and one of 25 is missed soon. Before two gaps have been seen nobody knows what is usual: then the time to open holds.
/// </summary>
internal sealed class StallWatch(TimeSpan? fixedLimit, TimeSpan whileUnknown)
{
    private const double Newest = 0.2;
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(2);

    private TimeSpan _gap;
    private int _seen;

    public TimeSpan Limit => fixedLimit ?? (_seen < 2 ? whileUnknown : 3 * _gap > Least ? 3 * _gap : Least);

    /// <param name="gap">Since the frame before.</param>
    public void Arrived(TimeSpan gap)
    {
        // What waited in the network's buffers comes all at once: a burst says nothing about the rhythm, a slower frame does at once.
        _gap = _seen == 0 || gap > _gap * 2 ? gap : (Newest * gap) + ((1 - Newest) * _gap);
        _seen = Math.Min(_seen + 1, 2);
    }
}
