using System.Collections.Concurrent;
using System.Diagnostics;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// A model that is asked only about pictures that have changed. A frame is compared with the last one of its stream that was computed, never with one that was reused, so slow changes add up and are seen; a damaged
/// frame is neither reused nor kept. What is used again says so (<see cref="FramePerception.ReusedFrom"/>).
/// </summary>
/// <param name="model">Borrowed.</param>
/// <param name="streams">Streams that may reuse; the others pass through.</param>
internal sealed class ReusingModel(IPerceptionModel model, IReadOnlyDictionary<StreamId, ReuseOptions> streams) : IPerceptionModel
{
    private readonly ConcurrentDictionary<StreamId, Computed> _computed = new();

    private sealed record Computed(FrameStamp Stamp, PictureDigest Digest, FramePerception Perception);

    public ModelManifest Manifest => model.Manifest;

    public int Lanes => model.Lanes;

    public ImageSize BatchKey(ImageSize frame) => model.BatchKey(frame);

    public bool NeedsPlaces => model.NeedsPlaces;

    public int RefineSteps => model.RefineSteps;

    public IReadOnlyList<FramePerception> Predict(FrameBatch batch)
    {
        var said = new FramePerception?[batch.Frames.Count];
        var digests = new PictureDigest?[said.Length];
        var fresh = new List<int>();
        for (var i = 0; i < said.Length; i++)
        {
            var frame = batch.Frames[i];
            if (streams.TryGetValue(frame.Stamp.Stream, out var options) && !frame.Stamp.Corrupt)
            {
                digests[i] = PictureDigest.Of(frame.Pixels);
                said[i] = Unchanged(frame.Stamp, digests[i]!, options);
            }

            if (said[i] is null) fresh.Add(i);
        }

        if (fresh.Count == 0) return said!;
        var computed = model.Predict(batch.Part(fresh));
        for (var n = 0; n < fresh.Count; n++)
        {
            var i = fresh[n];
            said[i] = computed[n];
            var stamp = batch.Frames[i].Stamp;
            if (digests[i] is { } digest) _computed.AddOrUpdate(stamp.Stream, _ => new Computed(stamp, digest, computed[n]), (_, kept) => kept.Stamp.Sequence > stamp.Sequence ? kept : new Computed(stamp, digest, computed[n]));
        }

        return said!;
    }

    /// <summary>The model is not ours.</summary>
    public void Dispose() => _computed.Clear();

    private FramePerception? Unchanged(FrameStamp stamp, PictureDigest digest, ReuseOptions options) =>
        _computed.TryGetValue(stamp.Stream, out var last) && last.Stamp.Epoch == stamp.Epoch && stamp.Sequence > last.Stamp.Sequence
        && Stopwatch.GetElapsedTime(last.Stamp.EnteredAt, stamp.EnteredAt) <= options.MaxAge && digest.Change(last.Digest) <= options.Threshold
            ? last.Perception with { ReusedFrom = last.Stamp.Sequence }
            : null;
}
