using MetaPrompts.Core.Configuration;

namespace MetaPrompts.Core.Flow;

/// <summary>When the predictions of an earlier frame stand for a new one (contract §6, <c>reuse</c>).</summary>
public sealed record ReuseOptions
{
    /// <summary>Largest change of brightness of any part of the picture that still counts as none, 0…1 of the full range.</summary>
    public double Threshold { get; init; } = 0.01;

    /// <summary>Age, from entry to entry, beyond which a frame is computed in any case.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <exception cref="Errors.ConfigurationException">A value is out of its range.</exception>
    public ReuseOptions Checked()
    {
        OptionsCheck.InRange("reuse.threshold", Threshold, 0.0, 1.0);
        OptionsCheck.InRange("reuse.maxAge", MaxAge, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
        return this;
    }
}
