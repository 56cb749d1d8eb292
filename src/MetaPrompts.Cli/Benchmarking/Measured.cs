using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Benchmarking;

/// <summary>Numbers of a benchmark: how they are taken and put together.</summary>
internal static class Measured
{
    /// <returns>Seconds by the wall, and milliseconds of all threads of this process.</returns>
    public static async Task<(double Seconds, double CpuMs)> RunAsync(Func<Task> run)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var started = Stopwatch.GetTimestamp();
        await run().ConfigureAwait(false);
        return (Stopwatch.GetElapsedTime(started).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The value below which a share of all lie, nearest rank; zero of nothing.</summary>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : Round(sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)]);
    }

    public static double Round(double value) => Math.Round(value, 3);

    public static string Machine()
    {
        var lines = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo") : [];
        var name = lines.FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"{name}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {DateTimeOffset.UtcNow:yyyy-MM-dd HH:mm} UTC, load {Load()}");
    }

    public static Dictionary<string, string> Versions() => new()
    {
        ["metaprompts"] = ProductVersion.Current,
        ["libtorch"] = TorchRuntime.Version,
        ["dotnet"] = Environment.Version.ToString(),
        ["ffmpeg"] = FfmpegTools.Current?.Version ?? "none",
    };

    public static long PeakBytes()
    {
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }

    /// <summary>Of the last minute: other programs' work makes every number worse.</summary>
    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}

/// <summary>One of the ways, round by round.</summary>
internal sealed class Rounds
{
    private readonly List<double> _fps = [], _cpu = [], _steady = [];

    public bool Any => _fps.Count > 0;

    public BenchSpeed Speed => new(Measured.Round(Measured.Median(_fps)), Measured.Round(1000 / Measured.Median(_fps)), Measured.Round(Measured.Median(_cpu)), Measured.Round(_fps.Min()), Measured.Round(_fps.Max()),
        _steady.Count > 0 ? Measured.Round(Measured.Median(_steady)) : null);

    /// <param name="steady">Frames a second once it was filled; null where that was not asked.</param>
    public void Add(int frames, double seconds, double cpuMs, double? steady = null)
    {
        if (steady is { } fps) _steady.Add(fps);
        _fps.Add(frames / seconds);
        _cpu.Add(cpuMs / frames);
    }
}
