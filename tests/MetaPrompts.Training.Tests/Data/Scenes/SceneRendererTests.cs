using System.Numerics;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Scenes;

public sealed class SceneRendererTests
{
    private static readonly ImageSize Size = new(48, 64);

    private static Scene Empty() => new() { Camera = new Vector3(0, 2, 0), Focal = 0.9f, Light = new SceneLight { Sun = Vector3.UnitY } };

    private static int Grey(Scene scene) => scene.Add(new Material(Texture.Flat, new(0.5f), new(0.5f), 1, default));

    [Fact]
    public void Depth_is_measured_along_the_optical_axis()
    {
        var scene = Empty();
        scene.Plane(new(0, 0, 10), -Vector3.UnitZ, SceneClasses.Wall, Grey(scene));
        var frame = SceneRenderer.Render(scene, Size);
        // A wall square to the camera is equally deep in the middle and in the corners.
        Assert.All(frame.Depth, metres => Assert.Equal(10, metres, 1e-3));
        Assert.All(frame.ClassIds, id => Assert.Equal(SceneClasses.Wall, id));
    }

    [Fact]
    public void Ground_is_as_deep_as_similar_triangles_say()
    {
        var scene = Empty();
        scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, Grey(scene));
        var frame = SceneRenderer.Render(scene, Size);
        var focal = 0.9f * Size.Width;
        for (var y = 0; y < Size.Height; y++)
        {
            var metres = frame.Depth[y * Size.Width + 20];
            if (y < Size.Height / 2)
            {
                Assert.Equal(float.PositiveInfinity, metres);
                Assert.Equal(SceneClasses.Sky, frame.ClassIds[y * Size.Width + 20]);
                continue;
            }
            // Somewhere between the pixel's lower and upper edge.
            Assert.InRange(metres, 2 * focal / (y + 1 - Size.Height / 2f) - 1e-3f, Math.Max(250, 2 * focal / (y - Size.Height / 2f + 1e-9f)) + 1e-3f);
            if (y > Size.Height / 2) Assert.InRange(metres, 0, 2 * focal / (y - Size.Height / 2f) + 1e-3f);
        }
    }

    [Fact]
    public void Nearer_things_hide_farther_ones()
    {
        var scene = Empty();
        var grey = Grey(scene);
        scene.Plane(new(0, 0, 10), -Vector3.UnitZ, SceneClasses.Wall, grey);
        scene.Ellipsoid(new(0, 2, 5), new(1), SceneClasses.Thing, grey);
        scene.Box(new(0, 2, 8), new(3, 0.5f, 0.5f), 0, SceneClasses.Furniture, grey);
        var frame = SceneRenderer.Render(scene, Size);
        var middle = Size.Height / 2 * Size.Width + Size.Width / 2;
        Assert.Equal(SceneClasses.Thing, frame.ClassIds[middle]);
        Assert.Equal(4, frame.Depth[middle], 0.02);
        var beside = Size.Height / 2 * Size.Width + Size.Width / 2 + 15;
        Assert.Equal(SceneClasses.Furniture, frame.ClassIds[beside]);
        Assert.Equal(7.5, frame.Depth[beside], 1e-3);
    }

    [Fact]
    public void A_camera_that_looks_down_sees_the_ground_in_the_middle_where_it_is()
    {
        var scene = Empty();
        scene.Pitch = MathF.PI / 4;
        scene.Yaw = 1.1f;
        scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, Grey(scene));
        var frame = SceneRenderer.Render(scene, new ImageSize(201, 201));
        Assert.Equal(2 * MathF.Sqrt(2), frame.Depth[100 * 201 + 100], 0.02);
    }

    [Fact]
    public void Things_move_at_their_speed()
    {
        var scene = Empty();
        scene.Velocity = new(0, 0, -2);
        scene.Box(new(0, 2, 10), new(1, 1, 1), 0, SceneClasses.Vehicle, Grey(scene));
        var middle = Size.Height / 2 * Size.Width + Size.Width / 2;
        Assert.Equal(9, SceneRenderer.Render(scene, Size).Depth[middle], 1e-3);
        Assert.Equal(6, SceneRenderer.Render(scene, Size, 1.5).Depth[middle], 1e-3);
        scene.CameraVelocity = new(0, 0, 1);
        Assert.Equal(4.5, SceneRenderer.Render(scene, Size, 1.5).Depth[middle], 1e-3);
    }

    [Fact]
    public void A_shadow_is_darker_than_the_sun()
    {
        var scene = Empty();
        scene.Light = new SceneLight { Sun = Vector3.UnitY, Ambient = 0.3f };
        var grey = Grey(scene);
        scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, grey);
        scene.Box(new(0, 6, 8), new(2, 0.1f, 2), 0, SceneClasses.Thing, grey);
        scene.Pitch = MathF.Atan2(2, 8);
        var frame = SceneRenderer.Render(scene, Size);
        var (shaded, lit) = (Size.Height / 2 * Size.Width + Size.Width / 2, (Size.Height - 2) * Size.Width + Size.Width / 2);
        Assert.Equal((SceneClasses.Floor, SceneClasses.Floor), (frame.ClassIds[shaded], frame.ClassIds[lit]));
        Assert.True(frame.Rgb[3 * shaded] < 0.75 * frame.Rgb[3 * lit], $"{frame.Rgb[3 * shaded]} against {frame.Rgb[3 * lit]}");
    }
}
