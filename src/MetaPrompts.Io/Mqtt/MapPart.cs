namespace MetaPrompts.Io.Mqtt;

/// <summary>What a part of a frame shows; the sibling topic it goes to.</summary>
internal enum PartKind
{
    Depth,
    Segmentation,
    Preview,
    Ros2Depth,
    Ros2Segmentation,
}

/// <summary>
/// A map or picture on its way. It is encoded when its turn comes, not before: what is thrown out or expires costs no encoding, so that a dead broker takes no time from the model.
/// </summary>
/// <param name="charge">Most bytes it holds, before and after encoding.</param>
/// <param name="encode">Called at most once.</param>
internal sealed class MapPart(PartKind kind, string topic, string contentType, IReadOnlyList<KeyValuePair<string, string>> properties, long charge, Func<byte[]> encode)
{
    private Func<byte[]>? _encode = encode;
    private byte[]? _payload;

    public PartKind Kind { get; } = kind;

    public string Topic { get; } = topic;

    public string ContentType { get; } = contentType;

    public IReadOnlyList<KeyValuePair<string, string>> Properties { get; } = properties;

    public long Charge { get; } = charge;

    /// <summary>Called by one thread at a time.</summary>
    public byte[] Payload
    {
        get
        {
            if (_payload is not null) return _payload;
            _payload = _encode!();
            _encode = null;                                                     // lets go of the prediction
            return _payload;
        }
    }
}
