using System.Globalization;
using System.Text.Json;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>What a service says of its frames, while it runs and at its end.</summary>
internal static class LiveCounts
{
    /// <summary>From the text of /metrics.</summary>
    public static long Published(string metrics, string stream) => metrics.Split('\n')
        .Where(line => line.StartsWith("metaprompts_frames_total{", StringComparison.Ordinal) && line.Contains($"stream=\"{stream}\"", StringComparison.Ordinal) && line.Contains("outcome=\"published\"", StringComparison.Ordinal))
        .Sum(line => (long)double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));

    private static JsonElement Stream(JsonElement ledger, string stream) => ledger.GetProperty("streams").EnumerateArray().Single(s => s.GetProperty("stream").GetString() == stream);

    public static long Captured(JsonElement ledger, string stream) => Stream(ledger, stream).GetProperty("captured").GetInt64();

    public static long Outcome(JsonElement ledger, string stream, string outcome) => Stream(ledger, stream).GetProperty("outcomes").GetProperty(outcome).GetInt64();

    /// <summary>Jain's index of fairness: 1 where all are served alike.</summary>
    public static double Jain(params long[] served) => Math.Pow(served.Sum(), 2) / (served.Length * served.Sum(n => (double)n * n));
}
