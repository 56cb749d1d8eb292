using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training.Data;

/// <summary>A bell for each joint of one person, centred to a fraction of a cell (mmpose TopDownGenerateTarget with UDP encoding, sigma 2).</summary>
public sealed class JointHeatmaps
{
    private const float Sigma = 2;
    private const int Reach = 6;                 // three sigma

    /// <param name="joints">In pixels of the picture; visibility 0 is not asked about.</param>
    public JointHeatmaps(ImageSize picture, IReadOnlyList<(float X, float Y, int Visibility)> joints)
    {
        ArgumentNullException.ThrowIfNull(joints);
        Size = new ImageSize(picture.Height / 4, picture.Width / 4);
        Count = joints.Count;
        Heatmaps = new float[Count * Size.Pixels];
        Weight = new float[Count];
        for (var j = 0; j < Count; j++)
        {
            // First and last cell stand on the picture's first and last pixel.
            var (x, y) = (joints[j].X * (Size.Width - 1) / (picture.Width - 1), joints[j].Y * (Size.Height - 1) / (picture.Height - 1));
            if (joints[j].Visibility > 0) Draw(j, x, y);
        }
    }

    public ImageSize Size { get; }

    public int Count { get; }

    /// <summary>[J, h, w], 0…1.</summary>
    public float[] Heatmaps { get; }

    /// <summary>[J]: 1, or 0 for a joint that is not labelled or whose bell lies wholly outside.</summary>
    public float[] Weight { get; }

    private void Draw(int joint, float x, float y)
    {
        var (cx, cy) = ((int)MathF.Floor(x + 0.5f), (int)MathF.Floor(y + 0.5f));
        if (cx - Reach >= Size.Width || cy - Reach >= Size.Height || cx + Reach < 0 || cy + Reach < 0) return;
        Weight[joint] = 1;
        for (var v = Math.Max(0, cy - Reach); v <= Math.Min(Size.Height - 1, cy + Reach); v++)
        {
            for (var u = Math.Max(0, cx - Reach); u <= Math.Min(Size.Width - 1, cx + Reach); u++)
            {
                var (dx, dy) = (u - x, v - y);
                Heatmaps[(joint * Size.Height + v) * Size.Width + u] = MathF.Exp(-(dx * dx + dy * dy) / (2 * Sigma * Sigma));
            }
        }
    }
}
