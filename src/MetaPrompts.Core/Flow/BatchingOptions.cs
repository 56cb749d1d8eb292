using MetaPrompts.Core.Configuration;

namespace MetaPrompts.Core.Flow;

/// <summary>How frames become batches (contract §6, <c>batching</c>).</summary>
/// <param name="MaxBatch">Frames per call of the model, 1…64; 1 gives results that do not depend on the other streams (reference mode).</param>
/// <param name="MaxPerStream">Frames of one stream in a batch: 1 for cameras, MaxBatch for files.</param>
public sealed record BatchingOptions(int MaxBatch = 4, int MaxPerStream = 1)
{
    /// <summary>How long the oldest waiting frame may wait for company; zero takes what is there.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>A live frame older than this is not worth computing. Frames of streams that wait (files) never go stale.</summary>
    public TimeSpan MaxStaleness { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <exception cref="Errors.ConfigurationException">A value is out of its range.</exception>
    public BatchingOptions Checked()
    {
        OptionsCheck.InRange("batching.maxBatch", MaxBatch, 1, 64);
        OptionsCheck.InRange("batching.maxPerStream", MaxPerStream, 1, 64);
        OptionsCheck.InRange("batching.maxWait", MaxWait, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        OptionsCheck.InRange("batching.maxStaleness", MaxStaleness, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1));
        return this;
    }
}
