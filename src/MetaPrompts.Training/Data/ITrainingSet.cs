using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data;

/// <summary>Where training samples come from. What a number gives depends on seed and number alone, so a resumed run sees what an uninterrupted one would have seen.</summary>
public interface ITrainingSet
{
    /// <summary>What the run's data list says.</summary>
    string Description { get; }

    /// <summary>The sample of a number, augmented. Called from several threads at a time.</summary>
    /// <param name="number">From 0, over the whole run.</param>
    /// <exception cref="Core.Errors.SourceLostException">A file is missing or damaged; named.</exception>
    TrainingSample Draw(long number, ImageSize size);

    /// <summary>Numbers below <paramref name="number"/> are not asked for again.</summary>
    void Forget(long number);
}
