using System.Globalization;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Training.Evaluation;

/// <summary>
/// How much a model's word changes where the picture does not: no labels are needed, only a film. A pixel is still where no channel of the picture moved by more than a few steps from one frame to the
/// next; there depth and class should stay what they were.
/// </summary>
public sealed class Steadiness
{
    private byte[]? _picture;
    private FramePerception? _before;
    private double _change;
    private long _depths, _flicker, _labels, _still, _pixels;

    /// <summary>Scores a film, frame after frame, in order.</summary>
    /// <param name="model">Borrowed.</param>
    /// <param name="steady">Through the filter that <c>--steady</c> puts behind a model.</param>
    /// <param name="progress">Told the number of frames done.</param>
    /// <exception cref="Core.Errors.SourceLostException">The film cannot be read.</exception>
    public static async Task<EvaluationReport> RunAsync(IPerceptionModel model, string film, int? limit = null, bool steady = false, Action<int>? progress = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        var steadiness = new Steadiness();
        var filter = steady ? new SteadyFilter() : null;
        var frames = 0;
        using var device = new DeviceThread("metaprompts-eval");
        var source = await Sources.OpenAsync(Sources.Resolve(film)[0], new CaptureOptions(), stop: stop).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
            {
                using var batch = new FrameBatch([frame], model.BatchKey(frame.Pixels.Size));
                var seen = (await device.RunAsync(() => model.Predict(batch)).ConfigureAwait(false))[0];
                steadiness.Add(frame.Pixels.Rgb, frame.Pixels.Size, filter?.Steady(frame, seen) ?? seen);
                progress?.Invoke(++frames);
                if (frames == limit) break;
            }
        }
        return new EvaluationReport(model.Manifest.Name, "video", string.Create(CultureInfo.InvariantCulture,
            $"{Path.GetFileName(film)}, {frames} frames{(steady ? ", steadied" : "")}; pixels whose channels moved by at most {SteadyFilter.Still} of 255 since the frame before"), frames, [.. steadiness.Metrics()]);
    }

    /// <param name="rgb">[H, W, 3], borrowed.</param>
    internal void Add(ReadOnlySpan<byte> rgb, ImageSize size, FramePerception seen)
    {
        if (_picture is { } before && before.Length == rgb.Length && _before is { } said)
        {
            for (var i = 0; i < size.Pixels; i++) if (SteadyFilter.IsStill(rgb, before, i)) _still++;
            _pixels += size.Pixels;
            if (seen.Depth is { } depth && said.Depth is { } last && depth.Size == last.Size) Depths(rgb, before, size, depth, last);
            if (seen.Segmentation is { } classes && said.Segmentation is { } old && classes.Size == old.Size) Labels(rgb, before, size, classes, old);
        }
        (_picture, _before) = (rgb.ToArray(), seen);
    }

    /// <summary>depth_change: mean of |ln depth − ln depth before|; label_flicker: share whose class changed; still: share of the picture that was asked about.</summary>
    internal IEnumerable<KeyValuePair<string, double>> Metrics()
    {
        if (_depths > 0) yield return new("depth_change", _change / _depths);
        if (_labels > 0) yield return new("label_flicker", (double)_flicker / _labels);
        yield return new("still", _pixels > 0 ? (double)_still / _pixels : double.NaN);
    }

    private void Depths(ReadOnlySpan<byte> rgb, byte[] before, ImageSize size, DepthPrediction depth, DepthPrediction last)
    {
        var now = depth.Metres.Span;
        var then = last.Metres.Span;
        for (var i = 0; i < now.Length; i++)
        {
            if (!(now[i] > 0 && then[i] > 0) || !SteadyFilter.IsStill(rgb, before, SteadyFilter.Under(i, depth.Size, size))) continue;
            _change += Math.Abs(Math.Log(now[i] / then[i]));
            _depths++;
        }
    }

    private void Labels(ReadOnlySpan<byte> rgb, byte[] before, ImageSize size, SegmentationPrediction classes, SegmentationPrediction old)
    {
        var now = classes.ClassIds.Span;
        var then = old.ClassIds.Span;
        for (var i = 0; i < now.Length; i++)
        {
            if (!SteadyFilter.IsStill(rgb, before, SteadyFilter.Under(i, classes.Size, size))) continue;
            if (now[i] != then[i]) _flicker++;
            _labels++;
        }
    }
}
