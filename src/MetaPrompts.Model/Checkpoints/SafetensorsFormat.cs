namespace MetaPrompts.Model.Checkpoints;

/// <summary>What reader and writer agree on: 8 bytes of header length, a JSON header, raw little-endian data (safetensors format description).</summary>
internal static class SafetensorsFormat
{
    /// <summary>The format's own limit.</summary>
    public const long LongestHeader = 100_000_000;

    /// <summary>Bytes of one tensor's type, shape and offsets: 16 numbers of 20 digits and the words around them.</summary>
    public const long LongestEntry = 4096;

    public const long LongestMetadata = 10_000_000;

    public const string MetadataKey = "__metadata__";
}
