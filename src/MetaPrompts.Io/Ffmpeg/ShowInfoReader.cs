using System.Globalization;
using System.Threading.Channels;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>What the showinfo filter says of one frame.</summary>
/// <param name="Size">As decoded, before any turning.</param>
/// <param name="Corrupt">The decoder reported damage.</param>
/// <param name="Suspect">Before it, something was said of pictures that are missing: damage, unless the frame needs no other.</param>
/// <param name="Gap">Before it, something was said of packets that are missing.</param>
/// <param name="IsKey">Needs no other frame.</param>
internal readonly record struct ShownFrame(TimeSpan Time, ImageSize Size, bool Corrupt, bool Suspect, bool Gap, bool IsKey);

/// <summary>Reads the lines of a showinfo filter as they come on ffmpeg's stderr: in the order of the frames, one a frame.</summary>
/// <param name="instance">Which one, where the graph has several: its position among the filters.</param>
/// <param name="timeBase">Until the filter says its own.</param>
/// <param name="step">Distance assumed to a frame that has no time.</param>
internal sealed class ShowInfoReader(int instance, Rational timeBase, TimeSpan step)
{
    private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"[Parsed_showinfo_{instance} @");
    private readonly Channel<ShownFrame> _frames = Channel.CreateUnbounded<ShownFrame>(new() { SingleReader = true, SingleWriter = true });
    private Rational _timeBase = timeBase;
    private TimeSpan _last;
    private bool _corrupt, _suspect, _gap;

    /// <summary>Completes when all has been said.</summary>
    public ChannelReader<ShownFrame> Frames => _frames.Reader;

    /// <summary>The next frame the decoder hands on is damaged.</summary>
    public void Damaged() => _corrupt = true;

    /// <summary>Pictures are missing before the next frame.</summary>
    public void Suspect() => _suspect = true;

    /// <summary>Packets are missing about the next frame.</summary>
    public void Gap() => _gap = true;

    public void Complete() => _frames.Writer.TryComplete();

    /// <returns>Whether the line was one of this filter's.</returns>
    public bool Read(string line)
    {
        // ffmpeg's progress may stand before it on the same line.
        var at = line.IndexOf(_name, StringComparison.Ordinal);
        if (at < 0) return false;
        if (at > 0) line = line[at..];
        if (Field(line, " config in time_base:") is { } newBase)
        {
            if (Rational.Parse(newBase.TrimEnd(',')) is { IsKnown: true } known) _timeBase = known;
            return true;
        }

        if (Field(line, " pts:") is not { } pts || Field(line, " s:") is not { } size || size.Split('x') is not [var w, var h]) return true;
        if (!int.TryParse(w, CultureInfo.InvariantCulture, out var width) || !int.TryParse(h, CultureInfo.InvariantCulture, out var height)) return true;
        // Ticks times time base, not the printed seconds: those have six digits.
        if (long.TryParse(pts, CultureInfo.InvariantCulture, out var ticks)) _last = TimeSpan.FromTicks((long)Math.Round((decimal)ticks * _timeBase.Numerator * TimeSpan.TicksPerSecond / _timeBase.Denominator));
        else _last += step;
        _frames.Writer.TryWrite(new ShownFrame(_last, new ImageSize(height, width), _corrupt, _suspect, _gap, Field(line, " iskey:") == "1"));
        _corrupt = _suspect = _gap = false;
        return true;
    }

    private static string? Field(string line, string name)
    {
        var at = line.IndexOf(name, StringComparison.Ordinal);
        if (at < 0) return null;
        var rest = line.AsSpan(at + name.Length).TrimStart(' ');
        var end = rest.IndexOf(' ');
        return (end < 0 ? rest : rest[..end]).ToString();
    }
}
