using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.People;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.People;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Where people come from, as it was asked for → who says so. The one place that knows all of them.</summary>
internal static class PeopleChoice
{
    /// <summary>A model that is told where the people of these streams are.</summary>
    /// <param name="model">Borrowed.</param>
    /// <param name="streams">What was asked for, with the key to name in an error.</param>
    /// <returns>The caller's; it owns the locators.</returns>
    /// <exception cref="ConfigurationException">The model cannot do what is asked for, or a file of boxes is wrong.</exception>
    /// <exception cref="ModelRefusedException">A detector cannot be run.</exception>
    public static LocatedPeople For(LoadedModel model, IEnumerable<(StreamId Stream, PeopleSettings People, string Key)> streams)
    {
        var plans = new Dictionary<StreamId, PeoplePlan>();
        try
        {
            // A network in memory for each stream: OpenCV's take one call at a time.
            foreach (var (stream, people, key) in streams) plans[stream] = new PeoplePlan(Locator(model, people, key), people.From == "frame" ? 1 : people.Max);
            return new LocatedPeople(model.Model, plans);
        }
        catch
        {
            foreach (var plan in plans.Values) plan.Locator?.Dispose();
            throw;
        }
    }

    private static IPersonLocator? Locator(LoadedModel model, PeopleSettings people, string key)
    {
        var segmented = model.Tasks.Contains(PerceptionTask.Segmentation) ? SegmentedPeople.For(model.Model.Manifest) : null;
        return people.From switch
        {
            "auto" => model.Model.NeedsPlaces ? (IPersonLocator?)segmented ?? new WholePicture() : null,
            "frame" => new WholePicture(),
            "segmentation" => segmented ?? throw new ConfigurationException(key, "segmentation needs a model with that task and a class person; add one to the models, or use frame, track, detector or boxes"),
            "track" => new FollowedPeople(segmented),
            "detector" => DetectedPeople.Open(people.File!),
            "boxes" => ListedPeople.Read(people.File!),
            var other => throw new ConfigurationException(key, $"{other} is not known"),
        };
    }
}
