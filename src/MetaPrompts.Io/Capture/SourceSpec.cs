using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Capture;

public enum SourceKind
{
    Video,
    Images,
    Synthetic,

    /// <summary>A camera: a URL or a device.</summary>
    Camera,
}

/// <summary>One thing to read frames from, as a name on the command line or in a configuration was understood.</summary>
/// <param name="Given">As the user wrote it.</param>
/// <param name="Files">In order: one video, or the pictures; empty for a source that is no file.</param>
/// <param name="Stem">For the output folder: the name without folder and ending.</param>
/// <param name="IsLive">Runs at its own pace and has no end: the newest frame counts. A file is read without loss.</param>
/// <param name="Why">Why it is taken for live or file, for people.</param>
public sealed record SourceSpec(string Given, SourceKind Kind, IReadOnlyList<string> Files, string Stem, bool IsLive, string Why)
{
    /// <summary>Stream id made of <see cref="Stem"/>: <c>[a-z0-9_-]{1,48}</c>.</summary>
    public StreamId Stream { get; private init; } = new(Slug(Stem));

    /// <summary>The same source under a name given by the user.</summary>
    public SourceSpec As(StreamId stream) => this with { Stream = stream };

    internal SyntheticOptions? Synthetic { get; init; }

    internal CameraAddress? Camera { get; init; }

    private static string Slug(string stem)
    {
        Span<char> slug = stackalloc char[Math.Min(48, stem.Length)];
        for (var i = 0; i < slug.Length; i++)
        {
            var c = char.ToLowerInvariant(stem[i]);
            slug[i] = c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_' or '-' ? c : '-';
        }

        return slug.Length == 0 ? "stream" : slug.ToString();
    }
}
