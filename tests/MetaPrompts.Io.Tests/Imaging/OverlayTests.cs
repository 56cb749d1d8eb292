using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Io.Tests.Imaging;

public class OverlayTests
{
    [Theory]
    [InlineData(120, 160)]
    [InlineData(270, 480)]
    [InlineData(1080, 1920)]
    [InlineData(640, 360)]
    [InlineData(333, 1001)]
    public void The_picture_has_even_sides_within_the_limit(int height, int width)
    {
        foreach (var mode in Enum.GetValues<OverlayMode>())
        {
            using var picture = Render(mode, new ImageSize(height, width));

            Assert.Equal((0, 0), (picture.Size.Height % 2, picture.Size.Width % 2));
            Assert.InRange(picture.Size.Height, 100, 960);
            Assert.InRange(picture.Size.Width, 100, 1280);
        }
    }

    /// <summary>Line cameras and panoramas: there is no room for a scale, and no reason to fail.</summary>
    [Theory]
    [InlineData(24, 2400)]
    [InlineData(40, 700)]
    [InlineData(2400, 24)]
    [InlineData(8, 8)]
    public void Ribbons_are_drawn_without_what_has_no_room(int height, int width)
    {
        foreach (var mode in Enum.GetValues<OverlayMode>())
        {
            using var picture = Render(mode, new ImageSize(height, width));
            Assert.Equal((0, 0), (picture.Size.Height % 2, picture.Size.Width % 2));
        }
    }

    [Fact]
    public void The_grid_shows_source_depth_classes_and_skeleton()
    {
        using var picture = Render(OverlayMode.Grid, new ImageSize(120, 160));
        var (h, w) = (picture.Size.Height, picture.Size.Width);

        // Source, upper left: the grey of the frame, unchanged.
        Assert.Equal([128, 128, 128], At(picture, 0.25, 0.25));

        // Depth, upper right: near (left) is bright, far (right) dark, never brighter to the right.
        var brightness = Enumerable.Range(0, 12).Select(i => At(picture, 0.4, 0.53 + (0.025 * i)).Sum(c => c)).ToList();
        Assert.True(brightness[0] > brightness[^1] + 150);
        Assert.All(brightness.Zip(brightness.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 3));

        // Segmentation, lower left: red class on the left, blue class on the right, the border in the middle.
        var (left, right) = (At(picture, 0.7, 0.1), At(picture, 0.7, 0.4));
        Assert.True(left[0] > left[2] + 80 && left[0] > left[1] + 80);
        Assert.True(right[2] > right[0] + 80 && right[2] > right[1] + 80);

        // Pose, lower right: the darkened source, with colourful limbs in the middle and none in the corner.
        Assert.InRange(At(picture, 0.95, 0.95)[0], 80, 105);
        Assert.True(Colourful(picture, 0.55, 0.85, 0.65, 0.85) > 100);
        Assert.Equal(0, Colourful(picture, 0.9, 0.99, 0.9, 0.99));

        // Panels are of one size: the gap lies in the middle.
        Assert.True(picture.Rgb[((((h / 4) * w) + (w / 2)) * 3)] < 30);
    }

    [Fact]
    public void Only_the_tasks_of_the_models_get_a_panel()
    {
        using var two = Render(OverlayMode.Grid, new ImageSize(270, 480), [PerceptionTask.Depth]);
        using var four = Render(OverlayMode.Grid, new ImageSize(270, 480));

        Assert.True(two.Size.Width > 3 * two.Size.Height);
        Assert.True(four.Size.Width < 2 * four.Size.Height);
    }

    [Fact]
    public void The_depth_scale_follows_slowly()
    {
        using var overlay = new Overlay(new OverlayOptions { Mode = OverlayMode.Depth });
        using var first = TestMedia.Perceived(0);
        using var before = overlay.Render(first);

        // One frame at ten times the distance does not re-colour all: it looks far, not as the one before.
        var far = first.Result.Perception.Depth! with { Metres = first.Result.Perception.Depth!.Metres.ToArray().Select(m => 10 * m).ToArray() };
        using var jump = new Core.Flow.PerceivedFrame(first.Frame.Share(), first.Result with { Perception = new FramePerception(far, null, null) });
        using var during = overlay.Render(jump);
        Assert.True(At(during, 0.5, 0.1).Sum(c => c) < At(before, 0.5, 0.1).Sum(c => c) - 100);

        for (var i = 0; i < 300; i++)
        {
            using var again = overlay.Render(jump);
            if (i == 299) Assert.InRange(At(again, 0.5, 0.1).Sum(c => c) - At(before, 0.5, 0.1).Sum(c => c), -30, 30);
        }
    }

    [Fact]
    public void After_a_cut_the_depth_scale_and_the_legend_begin_anew()
    {
        using var first = TestMedia.Perceived(0);
        var seen = first.Result.Perception;
        var far = seen.Depth! with { Metres = seen.Depth!.Metres.ToArray().Select(m => 10 * m).ToArray() };
        var other = seen.Segmentation! with { ClassIds = Enumerable.Repeat((byte)9, seen.Segmentation!.ClassIds.Length).ToArray() };
        var elsewhere = PixelBuffers.Rent(first.Frame.Pixels.Size);
        for (var i = 0; i < elsewhere.Rgb.Length; i++) elsewhere.Rgb[i] = (byte)(255 - first.Frame.Pixels.Rgb[i] / 4);
        using var next = new Core.Flow.PerceivedFrame(new Frame(first.Frame.Stamp, elsewhere), first.Result with { Perception = new FramePerception(far, other, null) });

        using var overlay = new Overlay(new OverlayOptions());
        using var before = overlay.Render(first);
        using var after = overlay.Render(next);
        using var fresh = new Overlay(new OverlayOptions());
        using var alone = fresh.Render(next);

        Assert.True(after.Rgb.SequenceEqual(alone.Rgb));
        Assert.False(after.Rgb.SequenceEqual(before.Rgb));
    }

    [Fact]
    public void A_frame_without_predictions_and_one_of_another_shape_are_drawn()
    {
        using var overlay = new Overlay(new OverlayOptions());
        using var first = TestMedia.Perceived(0);
        using var nothing = new Core.Flow.PerceivedFrame(first.Frame.Share(), first.Result with { Perception = new FramePerception(null, null, null) });
        using var empty = overlay.Render(nothing);
        using var tall = TestMedia.Perceived(1, size: new ImageSize(300, 100));
        using var fitted = overlay.Render(tall);

        Assert.Equal(empty.Size, fitted.Size);
        Assert.Equal([128, 128, 128], At(fitted, 0.25, 0.25));
        Assert.True(At(fitted, 0.25, 0.05)[0] < 30);
    }

    [Fact]
    public void Joints_far_outside_and_not_numbers_do_no_harm()
    {
        using var first = TestMedia.Perceived(0);
        var joints = Enumerable.Range(0, 17).Select(i => i % 3 == 0 ? new Keypoint(float.NaN, 1e9f, 0.9f) : new Keypoint(-1e6f, 50, 0.9f)).ToArray();
        var pose = new PosePrediction([new Pose(new Box(float.NaN, -1e9f, 1e12f, 3), 0.5f, joints)], "fake");
        using var item = new Core.Flow.PerceivedFrame(first.Frame.Share(), first.Result with { Perception = new FramePerception(null, null, pose) });
        using var overlay = new Overlay(new OverlayOptions { Mode = OverlayMode.Pose });

        using var picture = overlay.Render(item);

        Assert.True(picture.Size.Height > 0);
    }

    private static PixelBuffer Render(OverlayMode mode, ImageSize size, IReadOnlyCollection<PerceptionTask>? tasks = null)
    {
        var options = new OverlayOptions { Mode = mode, Classes = TestMedia.Classes };
        using var overlay = new Overlay(tasks is null ? options : options with { Tasks = tasks });
        using var item = TestMedia.Perceived(0, size: size);
        return overlay.Render(item);
    }

    private static byte[] At(PixelBuffer picture, double down, double right) =>
        picture.Rgb.Slice((((int)(down * picture.Size.Height) * picture.Size.Width) + (int)(right * picture.Size.Width)) * 3, 3).ToArray();

    /// <summary>Pixels of a region whose channels differ by more than 80.</summary>
    private static int Colourful(PixelBuffer picture, double top, double bottom, double left, double right)
    {
        var count = 0;
        for (var y = (int)(top * picture.Size.Height); y < (int)(bottom * picture.Size.Height); y++)
        {
            for (var x = (int)(left * picture.Size.Width); x < (int)(right * picture.Size.Width); x++)
            {
                var rgb = picture.Rgb.Slice(((y * picture.Size.Width) + x) * 3, 3);
                if (Math.Max(rgb[0], Math.Max(rgb[1], rgb[2])) - Math.Min(rgb[0], Math.Min(rgb[1], rgb[2])) > 80) count++;
            }
        }

        return count;
    }
}
