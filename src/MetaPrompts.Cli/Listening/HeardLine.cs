using System.Globalization;
using System.Text;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Wire;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Mqtt;

namespace MetaPrompts.Cli.Listening;

/// <summary>A frame in one line for a person. The maps are decoded for it: a line is the proof that they can be.</summary>
internal static class HeardLine
{
    public static string Of(HeardFrame frame, DateTimeOffset now)
    {
        var record = frame.Record;
        var line = new StringBuilder();
        line.Append(CultureInfo.InvariantCulture, $"{frame.Node}/{frame.Stream} {record.Epoch}/{record.Seq}  {record.Width}x{record.Height}");
        if (record.Depth is { } depth) line.Append(CultureInfo.InvariantCulture, $"  depth {depth.Min:0.00}…{depth.Max:0.00} m, median {depth.Median:0.00}{Map(frame, "depth", depth.Map)}");
        if (record.Segmentation is { } segmentation)
        {
            var largest = string.Join(", ", segmentation.Classes.Take(3).Select(c => string.Create(CultureInfo.InvariantCulture, $"{Printable(c.Name)} {c.Area:0%}")));
            line.Append(CultureInfo.InvariantCulture, $"  {largest}{Map(frame, "segmentation", segmentation.Map)}");
        }

        if (record.Pose is { } pose) line.Append(CultureInfo.InvariantCulture, $"  people {pose.People.Count}");
        line.Append(CultureInfo.InvariantCulture, $"  {record.LatencyMs.Total:0} ms in the house, {(WireTime.Microseconds(now) - record.CaptureUs) / 1000.0:0} ms old");
        if (record.ReusedFrom is { } reused) line.Append(CultureInfo.InvariantCulture, $"  as #{reused}");
        if (record.LoweredTo is { } steps) line.Append(CultureInfo.InvariantCulture, $"  lowered to {steps}");
        if (record.Corrupt) line.Append("  corrupt");
        if (frame.Repeated) line.Append("  again");
        if (frame.Missing > 0) line.Append(CultureInfo.InvariantCulture, $"  {frame.Missing} missing before");
        return line.ToString();
    }

    /// <summary>A stranger's text may hold what moves the cursor.</summary>
    public static string Printable(string text) => string.Concat(text.Take(200).Select(c => char.IsControl(c) ? '?' : c));

    private static string Map(HeardFrame frame, string kind, MapRecord? named)
    {
        if (named is null) return "";
        if (frame.Absent.Contains(kind)) return " [map did not come]";
        var map = frame.Maps.First(m => m.Kind == kind);
        try
        {
            var read = MapReader.Read(kind, map.Payload);
            var size = read.Size.Width == named.Width && read.Size.Height == named.Height ? $"{read.Size}" : $"{read.Size} instead of {named.Width}x{named.Height}";
            var range = kind == "depth" ? string.Create(CultureInfo.InvariantCulture, $", {read.Min * (named.Scale ?? 1):0.00}…{read.Max * (named.Scale ?? 1):0.00} m") : $", {read.Values.Distinct().Count()} classes";
            return string.Create(CultureInfo.InvariantCulture, $" [{size}{range}, {map.Payload.Length / 1024.0:0.0} KiB]");
        }
        catch (SourceLostException e)
        {
            return $" [{e.Message}]";
        }
    }
}
