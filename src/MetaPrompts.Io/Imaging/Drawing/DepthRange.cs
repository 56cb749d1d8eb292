using MetaPrompts.Core.Results;

namespace MetaPrompts.Io.Imaging.Drawing;

/// <summary>The distances a film's colours span: 2nd and 98th percentile of each frame, followed slowly, so that colours do not flicker; after a cut at once. On a logarithmic scale: near things differ more to the eye.</summary>
internal sealed class DepthRange
{
    /// <summary>Share of a new frame: about two seconds at 25 frames a second until it has adapted.</summary>
    private const double Following = 0.04;

    private double _near;
    private double _far;
    private bool _started;

    /// <summary>Metres.</summary>
    public double Near => Math.Exp(_near);

    /// <summary>Metres.</summary>
    public double Far => Math.Exp(_far);

    /// <summary>0 at <see cref="Near"/>, 1 at <see cref="Far"/>.</summary>
    public double Position(double metres) => (Math.Log(metres) - _near) / (_far - _near);

    /// <summary>The next frame's distances are taken as they are.</summary>
    public void Forget() => _started = false;

    public void Follow(DepthPrediction depth)
    {
        var metres = depth.Metres.Span;
        var step = Math.Max(1, metres.Length / 4000);
        var sample = new List<float>((metres.Length / step) + 1);
        for (var i = 0; i < metres.Length; i += step)
        {
            if (metres[i] > 0 && float.IsFinite(metres[i])) sample.Add(metres[i]);
        }

        if (sample.Count == 0)
        {
            if (!_started) (_near, _far, _started) = (Math.Log(1), Math.Log(10), true);
            return;
        }

        sample.Sort();
        var near = Math.Log(sample[(int)(0.02 * (sample.Count - 1))]);
        var far = Math.Log(sample[(int)(0.98 * (sample.Count - 1))]);
        // A flat wall is not stretched to all colours.
        const double LeastSpan = 0.7;
        if (far - near < LeastSpan) (near, far) = (((near + far) / 2) - (LeastSpan / 2), ((near + far) / 2) + (LeastSpan / 2));
        if (_started) (near, far) = (_near + (Following * (near - _near)), _far + (Following * (far - _far)));
        (_near, _far, _started) = (near, far, true);
    }

    /// <summary>Round distances for a scale: three to seven.</summary>
    public IReadOnlyList<double> Ticks()
    {
        double[][] ladders = [[1, 10], [1, 2, 5, 10], [1, 1.5, 2, 3, 5, 7, 10], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10]];
        List<double> ticks = [];
        foreach (var ladder in ladders)
        {
            ticks = [];
            for (var decade = Math.Pow(10, Math.Floor(Math.Log10(Near))); decade <= Far; decade *= 10)
            {
                ticks.AddRange(ladder.SkipLast(1).Select(factor => factor * decade).Where(tick => Position(tick) is >= 0.03 and <= 0.97));
            }

            if (ticks.Count >= 4) break;
        }

        return ticks;
    }
}
