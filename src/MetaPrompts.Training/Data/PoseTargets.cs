using MetaPrompts.Core.Frames;
using MetaPrompts.Model.Modules.MetaPrompts;

namespace MetaPrompts.Training.Data;

/// <summary>
/// What the bottom-up pose head learns on the 1/4 grid: 17 joint heatmaps, the person-centre heatmap, from each centre the way to its joints, and
/// from where a limb begins the way to its end (MetaPromptsMulti.OffsetUnit cells per unit). Ways lead out of the picture, too: who is cut off at the waist has knees below it, and is not squeezed into what is seen.
/// </summary>
public sealed class PoseTargets(ImageSize grid)
{
    private const int Joints = MetaPromptsMulti.Joints;
    private const float Outside = 0.5f;          // pictures: no way leads farther out
    private const float SmallestPerson = 3;      // cells: a smaller one cannot be drawn, so nobody is blamed for it

    public ImageSize Grid { get; } = grid;

    /// <summary>[18, h, w], 0…1.</summary>
    public float[] Heatmaps { get; } = new float[(Joints + 1) * grid.Pixels];

    /// <summary>[h, w]: 0 where a person is too small to ask about.</summary>
    public float[] Weight { get; } = new float[grid.Pixels];

    /// <summary>[34, h, w]: dx, dy per joint.</summary>
    public float[] Offsets { get; } = new float[2 * Joints * grid.Pixels];

    /// <summary>[17, h, w]: 1 where an offset is asked for.</summary>
    public float[] OffsetMask { get; } = new float[Joints * grid.Pixels];

    /// <summary>[16, h, w]: dx, dy per limb, around the joint it begins at.</summary>
    public float[] Limbs { get; } = new float[2 * MetaPromptsMulti.Limbs.Count * grid.Pixels];

    /// <summary>[8, h, w]: 1 where a limb is asked for.</summary>
    public float[] LimbMask { get; } = new float[MetaPromptsMulti.Limbs.Count * grid.Pixels];

    /// <param name="people">17 joints each: x, y in pixels of the picture, visibility 0 (outside; not a number where it is not known where), 1 (occluded), 2 (visible).</param>
    public void Draw(IReadOnlyList<(float X, float Y, int Visibility)[]> people)
    {
        ArgumentNullException.ThrowIfNull(people);
        Array.Fill(Weight, 1f);
        // The nearest person is drawn last, so that its offsets win where centres overlap: the larger is taken for the nearer.
        foreach (var person in people.OrderBy(Extent)) Draw(person);
    }

    private static float Extent((float X, float Y, int Visibility)[] person)
    {
        var seen = person.Where(joint => joint.Visibility > 0).ToList();
        return seen.Count == 0 ? 0 : Math.Max(seen.Max(j => j.X) - seen.Min(j => j.X), seen.Max(j => j.Y) - seen.Min(j => j.Y)) / 4;
    }

    private void Draw((float X, float Y, int Visibility)[] person)
    {
        var seen = person.Where(joint => joint.Visibility > 0).Select(joint => (X: joint.X / 4 - 0.5f, Y: joint.Y / 4 - 0.5f)).ToList();
        if (seen.Count < 4 || person.All(joint => joint.Visibility < 2)) return;      // hidden or outside
        var extent = Extent(person);
        if (extent < SmallestPerson)
        {
            Ignore(seen);
            return;
        }
        var spread = Math.Clamp(extent * 0.035f, 0.9f, 1.8f);
        for (var j = 0; j < Joints; j++)
        {
            if (person[j].Visibility == 0) continue;
            Blob(j, person[j].X / 4 - 0.5f, person[j].Y / 4 - 0.5f, spread, person[j].Visibility == 2 ? 1f : 0.6f);
        }
        for (var l = 0; l < MetaPromptsMulti.Limbs.Count; l++)
        {
            var (from, to) = MetaPromptsMulti.Limbs[l];
            if (person[from].Visibility > 0 && Leads(person[to])) Limb(l, person[from], person[to], spread);
        }

        var centre = (X: seen.Average(p => p.X), Y: seen.Average(p => p.Y));
        var reach = Math.Clamp(extent * 0.07f, 1.1f, 3f);
        Blob(Joints, centre.X, centre.Y, reach, 1);
        var (left, right) = Range(centre.X, 2 * reach, Grid.Width);
        var (top, bottom) = Range(centre.Y, 2 * reach, Grid.Height);
        for (var y = top; y <= bottom; y++)
        {
            for (var x = left; x <= right; x++)
            {
                if (Gaussian(x - centre.X, y - centre.Y, reach) < 0.3f) continue;
                for (var j = 0; j < Joints; j++)
                {
                    if (Leads(person[j])) Way(Offsets, OffsetMask, j, x, y, person[j]);
                    else OffsetMask[(j * Grid.Height + y) * Grid.Width + x] = 0;
                }
            }
        }
    }

    private bool Leads((float X, float Y, int Visibility) joint)
    {
        var (width, height) = (4f * Grid.Width, 4f * Grid.Height);
        return joint.X >= -Outside * width && joint.X <= (1 + Outside) * width && joint.Y >= -Outside * height && joint.Y <= (1 + Outside) * height;
    }

    private void Ignore(List<(float X, float Y)> seen)
    {
        var (left, right) = (Math.Max(0, (int)seen.Min(p => p.X) - 1), Math.Min(Grid.Width - 1, (int)seen.Max(p => p.X) + 1));
        var (top, bottom) = (Math.Max(0, (int)seen.Min(p => p.Y) - 1), Math.Min(Grid.Height - 1, (int)seen.Max(p => p.Y) + 1));
        for (var y = top; y <= bottom; y++)
            for (var x = left; x <= right; x++) Weight[y * Grid.Width + x] = 0;
    }

    /// <summary>The nearest person is drawn last, and has the cells.</summary>
    private void Limb(int limb, (float X, float Y, int) from, (float X, float Y, int) to, float spread)
    {
        var (fromX, fromY) = (from.X / 4 - 0.5f, from.Y / 4 - 0.5f);
        var (left, right) = Range(fromX, 2 * spread, Grid.Width);
        var (top, bottom) = Range(fromY, 2 * spread, Grid.Height);
        for (var y = top; y <= bottom; y++)
        {
            for (var x = left; x <= right; x++)
            {
                if (Gaussian(x - fromX, y - fromY, spread) < 0.3f) continue;
                Way(Limbs, LimbMask, limb, x, y, to);
            }
        }
    }

    /// <summary>From a cell the way to a joint, asked for from now on.</summary>
    private void Way(float[] ways, float[] mask, int channel, int x, int y, (float X, float Y, int) to)
    {
        mask[(channel * Grid.Height + y) * Grid.Width + x] = 1;
        ways[(2 * channel * Grid.Height + y) * Grid.Width + x] = (to.X / 4 - 0.5f - x) / MetaPromptsMulti.OffsetUnit;
        ways[((2 * channel + 1) * Grid.Height + y) * Grid.Width + x] = (to.Y / 4 - 0.5f - y) / MetaPromptsMulti.OffsetUnit;
    }

    private void Blob(int channel, float cx, float cy, float spread, float height)
    {
        var (left, right) = Range(cx, 3 * spread, Grid.Width);
        var (top, bottom) = Range(cy, 3 * spread, Grid.Height);
        for (var y = top; y <= bottom; y++)
        {
            for (var x = left; x <= right; x++)
            {
                ref var cell = ref Heatmaps[(channel * Grid.Height + y) * Grid.Width + x];
                cell = Math.Max(cell, height * Gaussian(x - cx, y - cy, spread));
            }
        }
    }

    private static (int From, int To) Range(float centre, float reach, int limit) =>
        (Math.Max(0, (int)MathF.Floor(centre - reach)), Math.Min(limit - 1, (int)MathF.Ceiling(centre + reach)));

    private static float Gaussian(float dx, float dy, float spread) => MathF.Exp(-(dx * dx + dy * dy) / (2 * spread * spread));
}
