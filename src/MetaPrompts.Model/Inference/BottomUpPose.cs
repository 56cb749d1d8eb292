using MetaPrompts.Core.People;
using MetaPrompts.Core.Results;
using MetaPrompts.Model.Modules.MetaPrompts;

namespace MetaPrompts.Model.Inference;

/// <summary>
/// Reads people from MetaPromptsMulti's pose maps: a centre per person, from it the way to each joint, along arms and legs the way from joint to joint, and the joint's own heatmap to place it exactly.
/// Where the network says classes, too, its two opinions are put together: a pose counts for more the more of its joints lie on a person (docs/decisions/0041).
/// </summary>
public static class BottomUpPose
{
    public const int MostPeople = 20;

    /// <summary>A centre below this is nobody by itself: without classes at all, with them where somebody better is found.</summary>
    public const float LeastCentre = 0.2f;

    /// <summary>With classes a pose whose score is below this is nobody, and a centre below <see cref="FaintestCentre"/> is not even looked at.</summary>
    public const float LeastScore = 0.2f;

    public const float FaintestCentre = 0.05f;

    /// <summary>Joints that lie on no person count as if this much of them did: the smaller people are, the less is seen of them as a class.</summary>
    public const float LeastShare = 0.2f;

    /// <summary>A joint's heatmap counts from here; below it the way from the centre stands alone, at half the score.</summary>
    public const float LeastJoint = 0.05f;

    /// <summary>Who shows fewer joints is scored as if the others were seen nowhere.</summary>
    private const int FewestJoints = 6;

    private const int Joints = MetaPromptsMulti.Joints;

    /// <param name="maps">[68, h, w] logits, offsets and limbs, row-major.</param>
    /// <param name="person">[h, w], 0…1: how likely each cell shows a person; empty where that is not known.</param>
    /// <param name="toX">Source pixels per cell; a cell's centre lies at +0.5.</param>
    /// <returns>Best first, in source pixels.</returns>
    public static IReadOnlyList<Pose> Decode(ReadOnlySpan<float> maps, ReadOnlySpan<float> person, int height, int width, float toX, float toY)
    {
        var plane = height * width;
        var least = person.IsEmpty ? LeastCentre : FaintestCentre;
        var centres = new List<(float Score, int X, int Y)>();
        var centreMap = maps.Slice(Joints * plane, plane);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var score = Sigmoid(centreMap[y * width + x]);
                if (score >= least && IsPeak(centreMap, x, y, height, width)) centres.Add((score, x, y));
            }
        }
        var people = new List<(Pose Pose, (float X, float Y)[] Cells, float Extent)>();
        foreach (var (score, x, y) in centres.OrderByDescending(centre => centre.Score).Take(6 * MostPeople))
        {
            var (pose, cells, extent) = Person(maps, height, width, x, y, score, toX, toY);
            if (!person.IsEmpty)
            {
                pose = pose with { Score = MathF.Cbrt(pose.Score * pose.Score * Math.Max(LeastShare, Share(person, height, width, cells))) };
                // Damaged weights can say "not a number", which is not below anything.
                if (!(pose.Score >= LeastScore)) continue;
            }
            // Damaged weights can say "not a number"; a record cannot.
            if (!float.IsFinite(pose.Score) || !Finite(cells)) continue;
            if (Known(people, cells, extent)) continue;
            // Whom only the classes make out has to be where nobody was found: a large person has faint second centres.
            if (score < LeastCentre && people.Any(other => Boxes.BelongTogether(pose.Box, other.Pose.Box))) continue;
            people.Add((pose, cells, extent));
            if (people.Count == MostPeople) break;
        }
        return [.. people.Select(person => person.Pose).OrderByDescending(pose => pose.Score)];
    }

    private static (Pose Pose, (float X, float Y)[] Cells, float Extent) Person(ReadOnlySpan<float> maps, int height, int width, int x, int y, float centre, float toX, float toY)
    {
        var plane = height * width;
        var cells = new (float X, float Y)[Joints];
        for (var j = 0; j < Joints; j++)
        {
            cells[j] = (x + maps[(Joints + 1 + 2 * j) * plane + y * width + x] * MetaPromptsMulti.OffsetUnit,
                y + maps[(Joints + 2 + 2 * j) * plane + y * width + x] * MetaPromptsMulti.OffsetUnit);
        }
        var around = Box(cells);
        var extent = Math.Max(around.Width, around.Height);
        var reach = Math.Clamp(0.2f * extent, 1.2f, 6);
        var (keypoints, sum, inside) = (new Keypoint[Joints], 0f, 0);
        for (var j = 0; j < Joints; j++)
        {
            // A limb's beginning comes first: its number is smaller.
            (cells[j], var score) = Place(maps.Slice(j * plane, plane), height, width, Guess(maps, height, width, j, cells, keypoints), reach);
            keypoints[j] = new Keypoint((cells[j].X + 0.5f) * toX, (cells[j].Y + 0.5f) * toY, score);
            if (!IsInside(cells[j], height, width)) continue;
            sum += score;
            inside++;
        }
        var placed = Box(cells);
        var (left, right) = ((placed.Left + 0.5f) * toX, (placed.Left + placed.Width + 0.5f) * toX);
        var (top, bottom) = ((placed.Top + 0.5f) * toY, (placed.Top + placed.Height + 0.5f) * toY);
        // Joints lie inside the body: the box is a little larger.
        var (padX, padY) = (0.1f * (right - left) + 0.5f * toX, 0.08f * (bottom - top) + 0.5f * toY);
        left = Math.Max(0, left - padX);
        top = Math.Max(0, top - padY);
        var box = new Box(left, top, Math.Max(0, Math.Min(width * toX, right + padX) - left), Math.Max(0, Math.Min(height * toY, bottom + padY) - top));
        return (new Pose(box, MathF.Sqrt(centre * sum / Math.Max(inside, FewestJoints)), keypoints), cells, extent);
    }

    /// <summary>Where to look for a joint: where the centre points to, or, if the joint was found at which the limb that ends in it begins, halfway from there to where the limb leads. From nearby it is seen how an arm lies; the centre does not follow a joint that was misplaced.</summary>
    private static (float X, float Y) Guess(ReadOnlySpan<float> maps, int height, int width, int joint, ReadOnlySpan<(float X, float Y)> cells, ReadOnlySpan<Keypoint> placed)
    {
        for (var l = 0; l < MetaPromptsMulti.Limbs.Count; l++)
        {
            var (from, to) = MetaPromptsMulti.Limbs[l];
            if (to != joint || !(placed[from].Score >= LeastJoint)) continue;
            var plane = height * width;
            var (x, y) = ((int)Math.Clamp(MathF.Round(cells[from].X), 0, width - 1), (int)Math.Clamp(MathF.Round(cells[from].Y), 0, height - 1));
            var at = (3 * Joints + 1 + 2 * l) * plane + y * width + x;
            var (toX, toY) = (x + maps[at] * MetaPromptsMulti.OffsetUnit, y + maps[at + plane] * MetaPromptsMulti.OffsetUnit);
            if (float.IsFinite(toX) && float.IsFinite(toY)) return ((cells[joint].X + toX) / 2, (cells[joint].Y + toY) / 2);
        }
        return cells[joint];
    }

    /// <summary>The strongest place of a joint's heatmap near a guess; nearer counts more.</summary>
    private static ((float X, float Y) Cell, float Score) Place(ReadOnlySpan<float> map, int height, int width, (float X, float Y) guess, float reach)
    {
        var (best, bestX, bestY) = (0f, -1, -1);
        // No distance makes a cell more than it is: most are too faint to be worth their exponentials.
        var least = Logit(LeastJoint);
        for (var y = Math.Max(0, (int)(guess.Y - 2 * reach)); y <= Math.Min(height - 1, guess.Y + 2 * reach); y++)
        {
            for (var x = Math.Max(0, (int)(guess.X - 2 * reach)); x <= Math.Min(width - 1, guess.X + 2 * reach); x++)
            {
                var logit = map[y * width + x];
                if (logit < least) continue;
                var away = ((x - guess.X) * (x - guess.X) + (y - guess.Y) * (y - guess.Y)) / (2 * reach * reach);
                var value = Sigmoid(logit) * MathF.Exp(-away);
                if (!(value > best)) continue;
                (best, bestX, bestY) = (value, x, y);
                least = Math.Max(least, Logit(best));
            }
        }
        if (best < LeastJoint)
        {
            var (gx, gy) = ((int)Math.Clamp(MathF.Round(guess.X), 0, width - 1), (int)Math.Clamp(MathF.Round(guess.Y), 0, height - 1));
            return (guess, 0.5f * Sigmoid(map[gy * width + gx]));
        }
        var at = bestY * width + bestX;
        var across = bestX > 0 && bestX < width - 1 ? Summit(map[at - 1], map[at], map[at + 1]) : 0;
        var down = bestY > 0 && bestY < height - 1 ? Summit(map[at - width], map[at], map[at + width]) : 0;
        return ((bestX + across, bestY + down), Sigmoid(map[at]));
    }

    /// <summary>Where between cells a peak has its top: a Gaussian's logarithm is a parabola, which three values determine (Zhang et al. 2020, distribution-aware coordinates).</summary>
    /// <returns>Cells from the middle one, at most a half.</returns>
    private static float Summit(float before, float middle, float after)
    {
        static float LogSigmoid(float x) => MathF.Min(x, 0) - MathF.Log(1 + MathF.Exp(-MathF.Abs(x)));
        var (a, b, c) = (LogSigmoid(before), LogSigmoid(middle), LogSigmoid(after));
        var curve = 2 * b - a - c;
        return curve is > 1e-3f and < float.PositiveInfinity ? Math.Clamp((c - a) / (2 * curve), -0.5f, 0.5f) : 0;
    }

    /// <summary>How much of the joints' places is a person.</summary>
    private static float Share(ReadOnlySpan<float> person, int height, int width, ReadOnlySpan<(float X, float Y)> cells)
    {
        var sum = 0f;
        var inside = 0;
        foreach (var cell in cells)
        {
            if (!IsInside(cell, height, width)) continue;
            sum += person[(int)Math.Clamp(MathF.Round(cell.Y), 0, height - 1) * width + (int)Math.Clamp(MathF.Round(cell.X), 0, width - 1)];
            inside++;
        }
        return sum / Math.Max(inside, FewestJoints);
    }

    private static bool IsInside((float X, float Y) cell, int height, int width) => cell.X >= -0.5f && cell.Y >= -0.5f && cell.X < width - 0.5f && cell.Y < height - 0.5f;

    private static bool IsPeak(ReadOnlySpan<float> map, int x, int y, int height, int width)
    {
        var value = map[y * width + x];
        for (var ny = Math.Max(0, y - 1); ny <= Math.Min(height - 1, y + 1); ny++)
        {
            for (var nx = Math.Max(0, x - 1); nx <= Math.Min(width - 1, x + 1); nx++)
            {
                var other = map[ny * width + nx];
                // Of equal neighbours the first in reading order is the peak.
                if (other > value || (other == value && (ny < y || (ny == y && nx < x)))) return false;
            }
        }
        return true;
    }

    private static Box Box(ReadOnlySpan<(float X, float Y)> cells)
    {
        var (left, top, right, bottom) = (float.PositiveInfinity, float.PositiveInfinity, float.NegativeInfinity, float.NegativeInfinity);
        foreach (var (x, y) in cells) (left, top, right, bottom) = (Math.Min(left, x), Math.Min(top, y), Math.Max(right, x), Math.Max(bottom, y));
        return new Box(left, top, right - left, bottom - top);
    }

    private static bool Finite(ReadOnlySpan<(float X, float Y)> cells)
    {
        foreach (var (x, y) in cells)
        {
            if (!float.IsFinite(x) || !float.IsFinite(y)) return false;
        }
        return true;
    }

    private static bool Known(List<(Pose Pose, (float X, float Y)[] Cells, float Extent)> people, (float X, float Y)[] cells, float extent)
    {
        foreach (var other in people)
        {
            if (Same(other.Cells, cells, Math.Max(other.Extent, extent))) return true;
        }
        return false;
    }

    /// <summary>Two centres that lead to the same joints are one person.</summary>
    private static bool Same((float X, float Y)[] one, (float X, float Y)[] other, float extent)
    {
        var apart = 0f;
        for (var j = 0; j < Joints; j++) apart += MathF.Sqrt((one[j].X - other[j].X) * (one[j].X - other[j].X) + (one[j].Y - other[j].Y) * (one[j].Y - other[j].Y));
        return apart / Joints < 0.15f * Math.Max(extent, 4);
    }

    private static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));

    /// <summary>A hair less, so that rounding passes over nothing.</summary>
    private static float Logit(float p) => MathF.Log(p / (1 - p)) - 1e-3f;
}
