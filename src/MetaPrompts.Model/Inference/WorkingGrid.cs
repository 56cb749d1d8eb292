using MetaPrompts.Core.Frames;

namespace MetaPrompts.Model.Inference;

/// <summary>Sizes a network can see whose area and aspect are near those that are wanted.</summary>
internal static class WorkingGrid
{
    /// <param name="frame">Whose aspect is kept, within 1:5 and 5:1.</param>
    /// <param name="area">About how many pixels the result has.</param>
    /// <param name="multiple">Of both sides.</param>
    public static ImageSize Near(ImageSize frame, double area, int multiple)
    {
        var best = new ImageSize(multiple, multiple);
        if (frame.Height <= 0 || frame.Width <= 0) return best;
        var aspect = Math.Clamp((double)frame.Width / frame.Height, 0.2, 5);
        var least = double.MaxValue;
        // A wrong aspect bends every shape, a wrong area only costs or spares time; so aspect counts twice, and beside each height only two widths can win.
        for (var h = multiple; h <= Math.Sqrt(5 * area) + multiple; h += multiple)
        {
            var below = Math.Max(1, (int)(h * aspect / multiple)) * multiple;
            foreach (var w in (int[])[below, below + multiple])
            {
                var cost = Math.Abs(Math.Log((double)w / h / aspect)) * 2 + Math.Abs(Math.Log(h * (double)w / area));
                if (cost < least) (least, best) = (cost, new(h, w));
            }
        }
        return best;
    }
}
