using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Scenes;

public sealed class CrevicesTests
{
    private static readonly ImageSize Size = new(60, 80);
    private const float Focal = 72;

    private static float[] Seen(Func<float, float, float> depth) => [.. Enumerable.Range(0, Size.Pixels).Select(i => depth((i % Size.Width + 0.5f - 40) / Focal, (30 - i / Size.Width - 0.5f) / Focal))];

    [Fact]
    public void Planes_are_open_however_slanted()
    {
        Assert.All(Crevices.Of(Seen((_, _) => 2), Size, Focal), closed => Assert.Equal(0, closed, 1e-4f));
        // A floor 1.5 m below, and above its horizon the sky.
        var floor = Crevices.Of(Seen((_, y) => y < 0 ? -1.5f / y : float.PositiveInfinity), Size, Focal);
        Assert.All(floor[..(26 * Size.Width)], closed => Assert.Equal(0, closed));
        Assert.All(floor[(36 * Size.Width)..], closed => Assert.InRange(closed, 0, 0.03f));     // places are rounded to pixels
    }

    [Fact]
    public void A_corner_is_darker_than_its_walls_and_an_edge_is_not()
    {
        // Two walls that meet 3 m away at a right angle.
        var corner = Crevices.Of(Seen((x, _) => 3 / (1 + MathF.Abs(x))), Size, Focal);
        var edge = Crevices.Of(Seen((x, _) => MathF.Abs(x) < 0.9f ? 2 / (1 - MathF.Abs(x)) : 20), Size, Focal);
        var row = 30 * Size.Width;
        Assert.InRange(corner[row + 40], 0.15f, 1);
        Assert.True(corner[row + 44] < corner[row + 40]);
        Assert.InRange(corner[row + 62], 0, 0.03f);
        Assert.Equal(0, edge[row + 40], 0.01f);
    }

    [Fact]
    public void What_stands_by_itself_throws_no_halo()
    {
        // A post 1 m away before a wall at 6 m.
        var post = Crevices.Of(Seen((x, _) => MathF.Abs(x) < 0.05f ? 1 : 6), Size, Focal);
        Assert.All(post, closed => Assert.InRange(closed, 0, 0.01f));
    }
}
