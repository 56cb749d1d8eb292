using MetaPrompts.Core.Configuration;

namespace MetaPrompts.Core.Flow;

/// <summary>How long to wait before a lost live source is opened again (contract §6, <c>capture.reconnect</c>): a random time up to a limit that doubles (full jitter), so that cameras lost together do not return together.</summary>
public sealed record ReconnectOptions
{
    /// <summary>Limit of the first wait.</summary>
    public TimeSpan Initial { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Limit of every wait.</summary>
    public TimeSpan Max { get; init; } = TimeSpan.FromSeconds(60);

    /// <exception cref="Errors.ConfigurationException">A value is out of its range.</exception>
    public ReconnectOptions Checked()
    {
        OptionsCheck.InRange("capture.reconnect.initial", Initial, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1));
        OptionsCheck.InRange("capture.reconnect.max", Max, Initial, TimeSpan.FromHours(24));
        return this;
    }

    /// <summary>The wait before attempt <paramref name="attempt"/> (from 0), given a <paramref name="random"/> number of 0…1.</summary>
    public TimeSpan Wait(int attempt, double random) =>
        random * TimeSpan.FromSeconds(Math.Min(Max.TotalSeconds, Initial.TotalSeconds * Math.Pow(2, Math.Min(attempt, 40))));
}
