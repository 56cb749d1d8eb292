using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.People;

/// <summary>Who counts as a person in a stream.</summary>
/// <param name="Locator">Taken over by the pipeline's maker; null: as the model does it by itself.</param>
/// <param name="Most">No more than so many people a frame.</param>
public sealed record PeoplePlan(IPersonLocator? Locator, int Most);

/// <summary>
/// A model that is told where the people are (contract §6, <c>people</c>). One that looks at a person at a time looks at each place; one that finds people itself does so, and those count who lie in a place.
/// Owns the locators, borrows the model.
/// </summary>
/// <param name="streams">Streams that are not named pass through.</param>
public sealed class LocatedPeople(IPerceptionModel model, IReadOnlyDictionary<StreamId, PeoplePlan> streams) : IPerceptionModel
{
    public ModelManifest Manifest => model.Manifest;

    /// <summary>Who remembers from frame to frame is asked in their order.</summary>
    public int Lanes { get; } = streams.Values.Any(plan => plan.Locator is { InOrder: true }) ? 1 : model.Lanes;

    public bool NeedsPlaces => model.NeedsPlaces;

    public int RefineSteps => model.RefineSteps;

    public ImageSize BatchKey(ImageSize frame) => model.BatchKey(frame);

    public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Frames.Count == 1) return Once(batch);
        var rounds = Enumerable.Range(0, batch.Frames.Count).GroupBy(i => Round(batch, i)).OrderBy(round => round.Key).Select(round => round.ToList()).ToList();
        if (rounds.Count == 1) return Once(batch);
        var said = new FramePerception[batch.Frames.Count];
        foreach (var round in rounds)
        {
            var part = Once(batch.Part(round));
            for (var k = 0; k < round.Count; k++) said[round[k]] = part[k];
        }

        return said;
    }

    public void Dispose()
    {
        foreach (var plan in streams.Values) plan.Locator?.Dispose();
    }

    /// <summary>Of a stream whose locator remembers, a frame's turn: the one before must have been found in first.</summary>
    private int Round(FrameBatch batch, int at)
    {
        var stream = batch.Frames[at].Stamp.Stream;
        return streams.TryGetValue(stream, out var plan) && plan.Locator is { InOrder: true } ? batch.Frames.Take(at).Count(frame => frame.Stamp.Stream == stream) : 0;
    }

    private FramePerception[] Once(FrameBatch batch)
    {
        var said = model.Predict(batch, (i, seen) => Places(batch.Frames[i], seen));
        return [.. batch.Frames.Select((frame, i) => Counted(frame, said[i]))];
    }

    private IReadOnlyList<Box> Places(Frame frame, FramePerception seen) =>
        streams.TryGetValue(frame.Stamp.Stream, out var plan) && plan.Locator is { } locator ? [.. locator.Locate(frame, seen).Take(plan.Most)] : [Boxes.Of(frame.Stamp.SourceSize)];

    private FramePerception Counted(Frame frame, FramePerception seen)
    {
        if (seen.Pose is not { } pose || !streams.TryGetValue(frame.Stamp.Stream, out var plan)) return seen;
        var people = pose.People;
        if (plan.Locator is { } locator)
        {
            if (!model.NeedsPlaces)
            {
                var places = locator.Locate(frame, seen);
                people = [.. people.Where(person => places.Any(place => Boxes.BelongTogether(place, person.Box)))];
            }

            people = [.. people.Take(plan.Most)];
            locator.Found(frame.Stamp, people);
        }

        return seen with { Pose = pose with { People = people.Count > plan.Most ? [.. people.Take(plan.Most)] : people } };
    }
}
