using System.Numerics;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Scenes;

public sealed class PersonTests
{
    private const int LeftShoulder = 5, RightShoulder = 6, LeftHip = 11, RightHip = 12, Nose = 0, LeftAnkle = 15, RightAnkle = 16;
    private static readonly ImageSize Size = new(128, 96);

    private static Scene With(ulong seed, float yaw)
    {
        var scene = new Scene { Camera = new Vector3(0, 1.1f, 0), Focal = 1.2f, Light = new SceneLight { Sun = Vector3.UnitY } };
        scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, scene.Add(new Material(Texture.Flat, new(0.5f), new(0.5f), 1, default)));
        PersonModel.Add(scene, new SceneRandom(seed), new(0, 0, 4), yaw, 1.75f);
        return scene;
    }

    [Theory]
    [InlineData(0f, -1)]
    [InlineData(MathF.PI, 1)]
    public void Left_is_the_persons_left(float yaw, int side)
    {
        for (var seed = 0UL; seed < 60; seed++)
        {
            var joints = SceneRenderer.Render(With(seed, yaw), Size).People.Single().Joints;
            // Seen from behind (yaw 0) the left side is on the left of the picture, face to face on the right.
            Assert.True(side * (joints[LeftHip].X - joints[RightHip].X) > 0, $"hips of seed {seed}");
            Assert.True(side * (joints[LeftShoulder].X - joints[RightShoulder].X) > 0, $"shoulders of seed {seed}");
        }
    }

    [Fact]
    public void Every_joint_lies_on_the_body_or_hidden_behind_it()
    {
        for (var seed = 0UL; seed < 40; seed++)
        {
            var frame = SceneRenderer.Render(With(seed, 0.3f * seed), Size);
            var onBody = frame.People.Single().Joints.Count(joint => joint.Visibility > 0 && frame.ClassIds[(int)joint.Y * Size.Width + (int)joint.X] == SceneClasses.Person);
            Assert.True(onBody >= 14, $"seed {seed}: {onBody} joints on the body");
        }
    }

    [Fact]
    public void Who_is_seen_from_behind_hides_the_nose_and_who_faces_us_shows_it()
    {
        int front = 0, back = 0;
        for (var seed = 0UL; seed < 60; seed++)
        {
            if (SceneRenderer.Render(With(seed, MathF.PI), Size).People.Single().Joints[Nose].Visibility == 2) front++;
            if (SceneRenderer.Render(With(seed, 0), Size).People.Single().Joints[Nose].Visibility == 2) back++;
        }
        Assert.True(front > 40, $"{front} of 60 noses seen from the front");
        Assert.True(back < 12, $"{back} of 60 noses seen from behind");
    }

    [Fact]
    public void A_wall_in_front_hides_the_joints_behind_it_and_only_those()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            var open = SceneRenderer.Render(With(seed, MathF.PI), Size).People.Single().Joints;
            var scene = With(seed, MathF.PI);
            scene.Box(new(0, 0.2f, 2), new(4, 0.5f, 0.05f), 0, SceneClasses.Thing, 0);      // hides what is low
            var frame = SceneRenderer.Render(scene, Size);
            var joints = frame.People.Single().Joints;
            for (var j = 0; j < joints.Count; j++)
            {
                Assert.Equal((open[j].X, open[j].Y), (joints[j].X, joints[j].Y));
                if (joints[j].Visibility == 0) continue;
                var hidden = frame.ClassIds[(int)joints[j].Y * Size.Width + (int)joints[j].X] == SceneClasses.Thing && frame.Depth[(int)joints[j].Y * Size.Width + (int)joints[j].X] < 2.2f;
                Assert.Equal(hidden ? 1 : open[j].Visibility, joints[j].Visibility);
            }
            Assert.Contains(joints, joint => joint.Visibility == 1);
        }
    }

    [Fact]
    public void Joints_outside_the_picture_are_said_to_be_outside()
    {
        var scene = With(3, MathF.PI);
        scene.Camera = new(0, 3.5f, 0);
        var joints = SceneRenderer.Render(scene, Size).People.Single().Joints;
        Assert.All(joints, joint => Assert.Equal(joint.X >= 0 && joint.Y >= 0 && joint.X < Size.Width && joint.Y < Size.Height, joint.Visibility > 0));
        Assert.Contains(joints, joint => joint.Visibility == 0);
    }

    [Fact]
    public void People_stand_on_the_ground()
    {
        for (var seed = 0UL; seed < 40; seed++)
        {
            var skeleton = With(seed, 1).People.Single();
            var lowest = skeleton.Joints.Min(joint => joint.Y);
            Assert.InRange(lowest, 0.03f, 0.5f);
            Assert.InRange(skeleton.Joints.Max(joint => joint.Y), 0.5f, 2.6f);
            Assert.True(Vector3.Distance(skeleton.Joints[LeftAnkle], skeleton.Joints[RightAnkle]) > 0.02f);
        }
    }
}
