namespace MetaPrompts.Training.Evaluation;

/// <summary>Intersection over union of classes, counted over a whole data set (reference: mmseg/core/evaluation/metrics.py).</summary>
/// <param name="classes">Ids 0…classes-1 count.</param>
/// <param name="ignored">Label of pixels that do not count.</param>
public sealed class MeanIou(int classes, byte ignored = 255)
{
    private readonly long[] _intersect = new long[classes], _predicted = new long[classes], _labelled = new long[classes];

    /// <summary>Adds one picture.</summary>
    /// <param name="predicted">[H, W] class ids.</param>
    /// <param name="labels">[H, W] class ids of the same size.</param>
    public void Add(ReadOnlySpan<byte> predicted, ReadOnlySpan<byte> labels)
    {
        if (predicted.Length != labels.Length) throw new ArgumentException($"maps of {predicted.Length} and {labels.Length} pixels");
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == ignored) continue;
            // An id outside the classes is in no histogram, as np.histogram leaves it out.
            if (labels[i] < classes) _labelled[labels[i]]++;
            if (predicted[i] < classes) _predicted[predicted[i]]++;
            if (labels[i] == predicted[i] && labels[i] < classes) _intersect[labels[i]]++;
        }
    }

    /// <summary>Adds what another counted.</summary>
    public void Add(MeanIou other)
    {
        ArgumentNullException.ThrowIfNull(other);
        for (var c = 0; c < classes; c++)
        {
            _intersect[c] += other._intersect[c];
            _predicted[c] += other._predicted[c];
            _labelled[c] += other._labelled[c];
        }
    }

    /// <summary>Share of labelled pixels that are right.</summary>
    public double AllAccuracy => (double)_intersect.Sum() / _labelled.Sum();

    /// <summary>Per class; NaN where the class is neither predicted nor labelled.</summary>
    public IReadOnlyList<double> Iou => [.. Enumerable.Range(0, classes).Select(IouOf)];

    /// <summary>Per class, share of its labelled pixels that are right; NaN where it is not labelled.</summary>
    public IReadOnlyList<double> Accuracy => [.. Enumerable.Range(0, classes).Select(AccuracyOf)];

    /// <summary>Mean over the classes that have a value.</summary>
    public double Mean => NanMean(Iou);

    /// <summary>Mean of <see cref="Accuracy"/> over the classes that have a value.</summary>
    public double MeanAccuracy => NanMean(Accuracy);

    /// <summary>Mean over those of the given classes that have a value: a data set may not have all of a model's.</summary>
    public double MeanOf(IEnumerable<int> counted) => NanMean(counted.Select(IouOf));

    /// <summary>As <see cref="MeanOf"/>, of <see cref="Accuracy"/>.</summary>
    public double MeanAccuracyOf(IEnumerable<int> counted) => NanMean(counted.Select(AccuracyOf));

    /// <summary>ADE20K's label 0 means unlabelled: 0 becomes <paramref name="ignored"/>, every other label one less.</summary>
    public static byte ReduceZeroLabel(byte label, byte ignored = 255) => label == 0 || label == ignored ? ignored : (byte)(label - 1);

    private double IouOf(int c) => (double)_intersect[c] / (_predicted[c] + _labelled[c] - _intersect[c]);

    private double AccuracyOf(int c) => (double)_intersect[c] / _labelled[c];

    private static double NanMean(IEnumerable<double> values) => values.Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();
}
