using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MetaPrompts.Benchmarks;

/// <summary>Calls of one kind, each with milliseconds by the wall and of all processors of this process.</summary>
internal sealed class Timed
{
    private readonly List<double> _wall = [], _cpu = [];

    public int Calls => _wall.Count;

    public double MedianMs => Percentile(_wall, 0.5);

    public double P95Ms => Percentile(_wall, 0.95);

    public double CpuMs => Percentile(_cpu, 0.5);

    public void Call(Action run)
    {
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        run();
        Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds, (Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
    }

    public void Add(double wall, double cpu)
    {
        _wall.Add(wall);
        _cpu.Add(cpu);
    }

    /// <summary>How many times longer the other's calls take: the median over calls that stood side by side.</summary>
    public double RatioOf(Timed other) => Percentile([.. _wall.Zip(other._wall, (mine, theirs) => theirs / mine)], 0.5);

    /// <summary>Nearest rank; zero of nothing.</summary>
    public static double Percentile(IReadOnlyCollection<double> values, double share) =>
        values.Count == 0 ? 0 : Math.Round(values.Order().ElementAt(Math.Clamp((int)Math.Ceiling(share * values.Count) - 1, 0, values.Count - 1)), 3);

    public static string Machine()
    {
        var name = File.Exists("/proc/cpuinfo") ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() : null;
        var load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
        return string.Create(CultureInfo.InvariantCulture,
            $"{name ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {DateTimeOffset.UtcNow:yyyy-MM-dd HH:mm} UTC, load {load}");
    }
}
