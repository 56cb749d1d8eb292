using MetaPrompts.Core.Frames;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Augmentation;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Augmentation;

public sealed class RenderedAugmentationTests
{
    private static readonly ImageSize _size = new(64, 64);

    [Fact]
    public void TheSameGeneratorGivesTheSameSample()
    {
        var frame = SyntheticScenes.Training(1, 5, _size);
        var (one, other) = (RenderedAugmentation.Apply(frame, _size, new Random(3)), RenderedAugmentation.Apply(frame, _size, new Random(3)));
        Assert.Equal(one.Image, other.Image);
        Assert.Equal(one.Depth, other.Depth!);
        Assert.Equal(one.Pose!.Heatmaps, other.Pose!.Heatmaps);
        Assert.NotEqual(one.Image, RenderedAugmentation.Apply(frame, _size, new Random(4)).Image);
    }

    [Fact]
    public void ValuesStayInTheirRanges()
    {
        for (var i = 0; i < 20; i++)
        {
            var sample = RenderedAugmentation.Apply(SyntheticScenes.Training(1, i, _size), _size, new Random(i));
            Assert.All(sample.Image, value => Assert.InRange(value, -1f, 1f));
            Assert.All(sample.Depth!, value => Assert.True(value == 0 || value is > 0.25f and <= 80));
            Assert.All(sample.ClassIds!, id => Assert.True(id < 10 || id == TrainingSample.Unlabelled));
            Assert.All(sample.Pose!.Heatmaps, value => Assert.InRange(value, 0f, 1f));
        }
    }

    [Fact]
    public void DepthFollowsTheZoomAndTheFocalLength()
    {
        // A flat wall at 10 m before a camera of 0.45 widths is 20 m for one of 0.9; zooming in by z brings it to 20/z.
        var frame = new SceneFrame(_size, 0.45f);
        Array.Fill(frame.Depth, 10f);
        var depths = Enumerable.Range(0, 60).Select(i => RenderedAugmentation.Apply(frame, _size, new Random(i)).Depth!.Where(d => d > 0).ToList()).ToList();
        Assert.All(depths, seen => Assert.InRange(seen.Max() - seen.Min(), 0, 1e-3f));
        Assert.InRange(depths.Min(seen => seen[0]), 20 / 1.61f, 16);
        Assert.InRange(depths.Max(seen => seen[0]), 22, 20 / 0.79f);
    }

    [Fact]
    public void SkyIsAsFarAsTheScaleGoesAndABackdropIsAtNoKnownDistance()
    {
        var frame = new SceneFrame(_size, 0.9f);
        for (var i = 0; i < _size.Pixels; i++)
            (frame.Depth[i], frame.ClassIds[i]) = (i % _size.Width / 16) switch
            {
                0 => (float.PositiveInfinity, SceneClasses.Sky),
                1 => (float.PositiveInfinity, SceneClasses.Nobody),
                2 => (500, SceneClasses.Wall),
                _ => (0.1f, SceneClasses.Thing),
            };
        for (var i = 0; i < 10; i++)
        {
            var sample = RenderedAugmentation.Apply(frame, _size, new Random(i));
            foreach (var (depth, id) in sample.Depth!.Zip(sample.ClassIds!)) Assert.Equal(id is SceneClasses.Sky or SceneClasses.Wall ? 80 : 0, depth);
        }
    }

    [Fact]
    public void ALargerRenderingShowsTheSameScene()
    {
        // A person, and a half of the picture that is nearer: they fall on the same places, whatever the scene was rendered at.
        SceneFrame Of(ImageSize size)
        {
            var frame = new SceneFrame(size, 0.9f);
            for (var i = 0; i < size.Pixels; i++) (frame.Depth[i], frame.ClassIds[i]) = i % size.Width < size.Width / 2 ? (5, SceneClasses.Wall) : (20, SceneClasses.Sky);
            frame.People = [new ScenePerson([.. Enumerable.Range(0, 17).Select(j => new SceneJoint(size.Width * (0.3f + 0.02f * j), size.Height * (0.2f + 0.035f * j), 2))])];
            return frame;
        }
        var larger = new ImageSize(_size.Height * 5 / 4, _size.Width * 5 / 4);
        for (var i = 0; i < 20; i++)
        {
            var (small, large) = (RenderedAugmentation.Apply(Of(_size), _size, new Random(i)), RenderedAugmentation.Apply(Of(larger), _size, new Random(i)));
            Assert.Equal((small.Size, small.TargetSize, small.Pose!.Grid), (large.Size, large.TargetSize, large.Pose!.Grid));
            // Nearest neighbours differ along the line between the halves and along the border.
            Assert.InRange(Enumerable.Range(0, small.ClassIds!.Length).Count(k => small.ClassIds[k] != large.ClassIds![k] || small.Depth![k] != large.Depth![k]), 0, 3 * small.TargetSize.Width);
            Assert.All(small.Pose.Heatmaps.Zip(large.Pose.Heatmaps), pair => Assert.Equal(pair.First, pair.Second, 0.02f));
        }
    }

    [Fact]
    public void SomeCamerasSeeNoColourAndSomeLampsOnlyTheirs()
    {
        var frame = new SceneFrame(_size, 0.9f);
        for (var i = 0; i < _size.Pixels; i++) (frame.Rgb[3 * i], frame.Rgb[3 * i + 1], frame.Rgb[3 * i + 2]) = (150, 110, 90);
        var (grey, cold, seeds) = (0, 0, 400);
        for (var seed = 0; seed < seeds; seed++)
        {
            var image = RenderedAugmentation.Apply(frame, _size, new Random(seed)).Image;
            // The middle: what is outside the scene has a colour of its own.
            float Mean(int c) => Enumerable.Range(24, 16).Average(y => image.AsSpan((c * 64 + y) * 64 + 24, 16).ToArray().Average());
            var (r, g, b) = (Mean(0), Mean(1), Mean(2));
            if (Math.Abs(r - g) < 0.01f && Math.Abs(g - b) < 0.01f) grey++;
            if (b > r + 0.05f) cold++;
        }
        Assert.InRange(grey, 0.025f * seeds, 0.12f * seeds);
        Assert.InRange(cold, 0.01f * seeds, 0.15f * seeds);
    }

    [Fact]
    public void WhoIsSeenFromNearbySometimesStandsAtTheBorder()
    {
        // One upright person in the middle: only a close-up shows shoulders this far apart, and some are beside the picture.
        var frame = new SceneFrame(_size, 0.9f);
        var joints = Enumerable.Range(0, 17).Select(j => new SceneJoint(32 + (j % 2 == 1 ? 4 : -4), 16 + 2 * j, 2)).ToArray();
        frame.People = [new ScenePerson(joints)];
        var (near, beside) = (0, 0);
        for (var seed = 0; seed < 300; seed++)
        {
            var maps = RenderedAugmentation.Apply(frame, _size, new Random(seed)).Pose!.Heatmaps;
            var (left, right) = (PeakX(maps, 5), PeakX(maps, 6));
            if (left is null && right is null) continue;
            if (left is null || right is null) beside++;
            else if (Math.Abs(left.Value - right.Value) >= 4) near++;
        }
        Assert.True(near >= 5 && beside >= 5, $"{near} near, {beside} beside");
    }

    [Fact]
    public void AMirroredPersonKeepsItsSides()
    {
        // Left joints on the right of the picture, as of someone facing the camera; mirrored, the left ones must still be drawn as left.
        var frame = new SceneFrame(_size, 0.9f);
        var joints = Enumerable.Range(0, 17).Select(j => new SceneJoint(j % 2 == 1 ? 44 : 20, 12 + 2.5f * j, 2)).ToArray();
        joints[0] = new SceneJoint(32, 12, 2);
        frame.People = [new ScenePerson(joints)];
        var sides = new HashSet<bool>();
        for (var seed = 0; seed < 40; seed++)
        {
            var maps = RenderedAugmentation.Apply(frame, _size, new Random(seed)).Pose!.Heatmaps;
            var (left, right) = (PeakX(maps, 5), PeakX(maps, 6));
            if (left is null || right is null) continue;
            sides.Add(left > right);
        }
        // A mirror swaps sides in the picture and names together, so whoever faces us shows the left shoulder on the right, always.
        Assert.Equal([true], sides);
    }

    [Fact]
    public void APersonTooSmallToDrawIsNotAskedFor()
    {
        var targets = new PoseTargets(new ImageSize(16, 16));
        targets.Draw([[.. Enumerable.Range(0, 17).Select(j => (X: 30f + j % 3, Y: 30f + j / 3, Visibility: 2))]]);
        Assert.All(targets.Heatmaps, value => Assert.Equal(0, value));
        Assert.Contains(0f, targets.Weight);
    }

    [Fact]
    public void ALimbLeadsFromWhereItBeginsToItsEnd()
    {
        var person = Enumerable.Range(0, 17).Select(j => (X: 40f + (j % 2 == 1 ? 16 : -16), Y: 20f + 6 * j, Visibility: 2)).ToArray();
        person[10] = (float.NaN, float.NaN, 0);                                                // the right wrist is behind the camera
        person[9] = (130, 60, 0);                                                              // the left one beside the picture
        var (grid, targets) = (new ImageSize(32, 24), new PoseTargets(new ImageSize(32, 24)));
        targets.Draw([person]);
        for (var l = 0; l < MetaPromptsMulti.Limbs.Count; l++)
        {
            var (from, to) = MetaPromptsMulti.Limbs[l];
            var (x, y) = ((int)MathF.Round(person[from].X / 4 - 0.5f), (int)MathF.Round(person[from].Y / 4 - 0.5f));
            Assert.Equal(to == 10 ? 0 : 1, targets.LimbMask[(l * grid.Height + y) * grid.Width + x]);
            if (to == 10) continue;
            Assert.Equal(person[to].X / 4 - 0.5f, x + targets.Limbs[(2 * l * grid.Height + y) * grid.Width + x] * MetaPromptsMulti.OffsetUnit, 1e-3f);
            Assert.Equal(person[to].Y / 4 - 0.5f, y + targets.Limbs[((2 * l + 1) * grid.Height + y) * grid.Width + x] * MetaPromptsMulti.OffsetUnit, 1e-3f);
        }
        Assert.Equal(0, targets.LimbMask[0]);
        // From the middle of what is seen of a person the ways lead there, too.
        var centre = (X: (int)(person.Where(joint => joint.Visibility > 0).Average(joint => joint.X) / 4), Y: (int)(person.Where(joint => joint.Visibility > 0).Average(joint => joint.Y) / 4));
        int Cell(int channel) => (channel * grid.Height + centre.Y) * grid.Width + centre.X;
        Assert.Equal(0, targets.OffsetMask[Cell(10)]);
        Assert.Equal(130 / 4f - 0.5f, centre.X + targets.Offsets[Cell(2 * 9)] * MetaPromptsMulti.OffsetUnit, 1e-3f);
        Assert.All(Enumerable.Range(0, grid.Pixels), i => Assert.Equal(0, targets.Heatmaps[9 * grid.Pixels + i]));
    }

    [Fact]
    public void NoWayLeadsFartherOutThanHalfAPicture()
    {
        var (grid, targets) = (new ImageSize(32, 24), new PoseTargets(new ImageSize(32, 24)));
        targets.Draw([[.. Enumerable.Range(0, 17).Select(j => j < 11 ? (X: 40f + (j % 2 == 1 ? 16 : -16), Y: 40f + 6 * j, Visibility: 2) : (X: 48f, Y: 150f + 30 * (j - 11), Visibility: 0))]]);
        for (var j = 0; j < 17; j++) Assert.Equal(j < 13, targets.OffsetMask.AsSpan(j * grid.Pixels, grid.Pixels).Contains(1));
    }

    private static int? PeakX(float[] maps, int joint)
    {
        var plane = maps.AsSpan(joint * 256, 256).ToArray();
        var peak = plane.Max();
        return peak < 0.5f ? null : Array.IndexOf(plane, peak) % 16;
    }
}
