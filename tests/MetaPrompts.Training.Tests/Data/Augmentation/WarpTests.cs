using MetaPrompts.Core.Frames;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training.Data.Augmentation;

namespace MetaPrompts.Training.Tests.Data.Augmentation;

public sealed class WarpTests
{
    private static readonly ImageSize _size = new(32, 32);

    [Fact]
    public void AWarpAndItsInverseMeet()
    {
        foreach (var warp in new[] { Warp.Around(new(48, 64), _size, 1.3f, 0.1f, 0.05f, -0.1f, mirror: true), Warp.Cut(1.7f, 0.6f, 5, 3, mirror: true, 32), PersonAugmentation.Onto(new PersonRegion(30, 20, 40, 50), 0.7f, mirror: true, _size) })
        {
            var (x, y) = warp.From(11, 7);
            var (u, v) = warp.To(x, y);
            Assert.Equal((11, 7), (u, v), (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-3 && Math.Abs(a.Item2 - b.Item2) < 1e-3);
        }
    }

    [Theory]
    [InlineData(1f, 0f)]
    [InlineData(1.7f, 0.3f)]
    [InlineData(0.8f, -0.2f)]
    public void AMirroredViewIsThePlainOneMirrored(float zoom, float angle)
    {
        var (from, to) = (new ImageSize(60, 80), new ImageSize(48, 64));
        var (plain, mirrored) = (Warp.Around(from, to, zoom, angle, 0.1f, -0.05f, mirror: false), Warp.Around(from, to, zoom, angle, 0.1f, -0.05f, mirror: true));
        foreach (var (x, y) in new[] { (0f, 0f), (20.5f, 33.25f), (80f, 60f) })
        {
            var (one, other) = (plain.ToContinuous(x, y), mirrored.ToContinuous(x, y));
            Assert.Equal(to.Width - one.X, other.X, 1e-3f);
            Assert.Equal(one.Y, other.Y, 1e-3f);
        }
        for (var x = 0; x < to.Width; x++) Assert.Equal(plain.From(x, 7), mirrored.From(to.Width - 1 - x, 7), (a, b) => Math.Abs(a.X - b.X) < 1e-3 && Math.Abs(a.Y - b.Y) < 1e-3);
    }

    [Theory]
    [InlineData(1.25f, false)]
    [InlineData(1.25f, true)]
    [InlineData(3.1f, false)]
    [InlineData(3.1f, true)]
    public void WhatIsSeenLiesWhereItsJointIsTold(float zoom, bool mirror)
    {
        // A small white square, and the joint in its middle: the square's centre of mass, in pixels that cover what lies between their numbers, is the joint's place.
        var (from, to) = (new ImageSize(60, 80), new ImageSize(48, 64));
        var rgb = new byte[3 * from.Pixels];
        for (var y = 28; y < 32; y++) rgb.AsSpan(3 * (y * from.Width + 40), 12).Fill(255);
        var planes = new float[3 * to.Pixels];
        var view = Warp.Around(from, to, zoom, 0, 0.03f, 0.02f, mirror);
        view.Picture(rgb, from, planes, to, 0, 0, 0);
        var (sum, x, y2) = (0f, 0f, 0f);
        for (var i = 0; i < to.Pixels; i++) (sum, x, y2) = (sum + planes[i], x + planes[i] * (i % to.Width + 0.5f), y2 + planes[i] * (i / to.Width + 0.5f));
        var (jointX, jointY) = view.ToContinuous(42, 30);
        Assert.Equal(jointX, x / sum, 0.05f);
        Assert.Equal(jointY, y2 / sum, 0.05f);
    }

    [Fact]
    public void LargerPixelsStandWhereTheirPartsStood()
    {
        var view = Warp.Around(new(60, 80), new(48, 64), 1.3f, 0.2f, 0.1f, 0, mirror: true);
        Assert.Equal(view.From(2 * 5 + 0.5f, 2 * 9 + 0.5f), view.Times(2).From(5, 9), (a, b) => Math.Abs(a.X - b.X) < 1e-3 && Math.Abs(a.Y - b.Y) < 1e-3);
    }
}
