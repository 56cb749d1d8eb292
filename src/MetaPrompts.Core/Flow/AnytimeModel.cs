using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// A model that refines less where the result would come too late: as many steps as fit between the age a frame has already and the age it may have, at least one. Not what the network was asked for, so it is opt-in, and
/// what was refined less says so (<see cref="FramePerception.LoweredTo"/>). Files are never touched.
/// </summary>
/// <remarks>
/// What n steps take is the least time they were ever seen to take, a unit of work, times how much slower than that the last calls were: after a load has passed, calls with few steps tell that many would fit again.
/// </remarks>
/// <param name="model">Borrowed.</param>
/// <param name="targetAge">From the entry of a frame to its result.</param>
/// <param name="live">Streams whose frames may be refined less.</param>
internal sealed class AnytimeModel(IPerceptionModel model, TimeSpan targetAge, IReadOnlySet<StreamId> live, TimeProvider time) : IPerceptionModel
{
    /// <summary>Of the last call in how slow the machine is at the moment.</summary>
    private const double Weight = 0.25;

    private readonly Lock _lock = new();
    private readonly double[] _least = [.. Enumerable.Repeat(double.PositiveInfinity, model.RefineSteps + 1)];
    private double _slowness = 1;

    public ModelManifest Manifest => model.Manifest;

    public int Lanes => model.Lanes;

    public IReadOnlyList<string> Choices => model.Choices;

    public bool NeedsPlaces => model.NeedsPlaces;

    public int RefineSteps => model.RefineSteps;

    public ImageSize BatchKey(ImageSize frame) => model.BatchKey(frame);

    public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
    {
        var all = model.RefineSteps;
        var work = (double)batch.Key.Pixels * batch.Frames.Count;
        var began = time.GetTimestamp();
        var steps = batch.Frames.All(frame => live.Contains(frame.Stamp.Stream)) ? Affordable(targetAge - batch.Frames.Max(frame => time.GetElapsedTime(frame.Stamp.EnteredAt, began)), work) : all;
        var said = model.Predict(steps < all ? batch.Within(steps) : batch);
        Learn(steps, time.GetElapsedTime(began).TotalSeconds / work);
        return steps < all ? [.. said.Select(seen => seen with { LoweredTo = steps })] : said;
    }

    /// <summary>The model is not ours.</summary>
    public void Dispose()
    {
    }

    private int Affordable(TimeSpan left, double work)
    {
        lock (_lock)
        {
            for (var steps = model.RefineSteps; steps > 1; steps--)
            {
                if (Takes(steps) * work <= left.TotalSeconds) return steps;
            }

            return 1;
        }
    }

    /// <summary>Seconds for a unit of work: the most it can be by any number of steps that was run, since what does not grow with the steps is counted with each. Nothing, before anything was seen.</summary>
    private double Takes(int steps)
    {
        var most = Enumerable.Range(1, _least.Length - 1).Min(run => _least[run] * Math.Max(1, (double)steps / run));
        return double.IsFinite(most) ? _slowness * most : 0;
    }

    private void Learn(int steps, double took)
    {
        lock (_lock)
        {
            // Seen for the first time, it is taken for as slow as the others were.
            if (double.IsInfinity(_least[steps])) _least[steps] = took / _slowness;
            else _least[steps] = Math.Min(_least[steps], took);
            _slowness += Weight * ((took / _least[steps]) - _slowness);
        }
    }
}
