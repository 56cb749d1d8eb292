using System.Numerics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Data.Scenes.Models.Figures;

namespace MetaPrompts.Training.Tests.Data.Scenes.Models.Figures;

public sealed class FigureTests : IDisposable
{
    private const int Nose = 0, LeftShoulder = 5, RightShoulder = 6, LeftHip = 11, RightHip = 12;
    private static readonly ImageSize Size = new(128, 96);
    private readonly TinyPackage _package = new();

    public void Dispose() => _package.Dispose();

    private SceneModels Library() => SceneModels.Open(_package.Path, null)!;

    /// <summary>A scene whose person is a figure, that is, one whose own stream says so, and has nothing with it that could hide it.</summary>
    private static Scene? With(SceneModels library, ulong seed, float yaw)
    {
        var scene = new Scene { Seed = seed, Library = library, Camera = new Vector3(0, 1.1f, 0), Focal = 1.2f, Light = new SceneLight { Sun = Vector3.UnitY } };
        scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, scene.Add(new Material(Texture.Flat, new(0.5f), new(0.5f), 1, default)));
        PersonModel.Add(scene, new SceneRandom(seed), new(0, 0, 4), yaw, 1.75f);
        return scene.Models.Count == 1 && scene.Primitives.All(solid => solid.ClassId is SceneClasses.Person or SceneClasses.Floor) ? scene : null;
    }

    private static PosedFigure Posed(Scene scene) => (PosedFigure)scene.Models[0];

    private static IEnumerable<(ulong Seed, Scene Scene)> Many(SceneModels library, int count, Func<ulong, float> yaw) =>
        Enumerable.Range(0, 1000).Select(i => ((ulong)i, Scene: With(library, (ulong)i, yaw((ulong)i)))).Where(pair => pair.Scene is not null).Select(pair => (pair.Item1, pair.Scene!)).Take(count);

    [Fact]
    public void Bones_reach_from_joint_to_joint()
    {
        foreach (var (seed, scene) in Many(Library(), 40, seed => 0.4f * seed))
        {
            var (rest, pose) = (Posed(scene).Figure.Rest, Posed(scene).Pose);
            void Reaches(FigureBone bone, int from, int to)
            {
                Assert.True((Vector3.Transform(rest.From[(int)bone], pose.Bones[(int)bone]) - pose.Joints[from]).Length() < 1e-4f, $"{bone} of seed {seed} begins elsewhere");
                Assert.True((Vector3.Transform(rest.To[(int)bone], pose.Bones[(int)bone]) - pose.Joints[to]).Length() < 1e-4f, $"{bone} of seed {seed} ends elsewhere");
            }
            for (var side = 0; side < 2; side++)
            {
                Reaches(FigureBone.LeftUpperArm.Of(side), 5 + side, 7 + side);
                Reaches(FigureBone.LeftLowerArm.Of(side), 7 + side, 9 + side);
                Reaches(FigureBone.LeftUpperLeg.Of(side), 11 + side, 13 + side);
                Reaches(FigureBone.LeftLowerLeg.Of(side), 13 + side, 15 + side);
            }
            // No bone turns the body inside out.
            Assert.All(pose.Bones, bone => Assert.True(bone.GetDeterminant() > 0));
        }
    }

    [Fact]
    public void Every_joint_lies_on_the_body_or_hidden_behind_it()
    {
        foreach (var (seed, scene) in Many(Library(), 40, seed => 0.3f * seed))
        {
            var frame = SceneRenderer.Render(scene, Size);
            var inPicture = frame.People.Single().Joints.Skip(LeftShoulder).Where(joint => joint.Visibility > 0).ToList();       // eyes and ears lie on the edges of a head that is a box
            var onBody = inPicture.Count(joint => frame.ClassIds[(int)joint.Y * Size.Width + (int)joint.X] == SceneClasses.Person);
            Assert.True(inPicture.Count > 6 && onBody >= inPicture.Count - 2, $"seed {seed}: {onBody} joints of {inPicture.Count} on the body");
        }
    }

    [Fact]
    public void Most_people_look_at_the_camera_where_they_are_figures()
    {
        // From the camera's side: a person who faces it has the left shoulder on the right.
        static (int Facing, int All) Count(SceneModels? models)
        {
            var (facing, all) = (0, 0);
            for (var seed = 0UL; seed < 300; seed++)
            {
                var scene = SceneGrammar.Compose(seed, models);
                foreach (var person in scene.People)
                {
                    var (left, right) = (person.Joints[LeftShoulder], person.Joints[RightShoulder]);
                    var across = Vector3.Cross(Vector3.UnitY, (left + right) / 2 - scene.Camera);
                    all++;
                    if (Vector3.Dot(left - right, across) > 0) facing++;
                }
            }
            return (facing, all);
        }
        var (solid, figures) = (Count(null), Count(Library()));
        Assert.True(solid.All > 200 && figures.All > 200);
        Assert.InRange((double)solid.Facing / solid.All, 0.4, 0.6);
        Assert.InRange((double)figures.Facing / figures.All, 0.75, 0.95);
    }

    [Theory]
    [InlineData(0f, -1)]
    [InlineData(MathF.PI, 1)]
    public void Left_is_the_persons_left(float yaw, int side)
    {
        foreach (var (seed, scene) in Many(Library(), 30, _ => yaw))
        {
            var joints = SceneRenderer.Render(scene, Size).People.Single().Joints;
            Assert.True(side * (joints[LeftHip].X - joints[RightHip].X) > 0, $"hips of seed {seed}");
            Assert.True(side * (joints[LeftShoulder].X - joints[RightShoulder].X) > 0, $"shoulders of seed {seed}");
            // What hangs on a bone goes where the bone goes: the left arm's skin is nearer the left wrist than the right one.
            var posed = Posed(scene);
            var moved = posed.Pose.Move(posed.Figure.Fine);
            for (var v = 0; v < moved.Length; v++)
            {
                var (bone, weight) = posed.Figure.Fine.Holds[v * TriangleMesh.HoldsPerVertex];
                if (bone != FigureBone.LeftHand || weight < 0.9f) continue;
                Assert.True((moved[v] - posed.Pose.Joints[9]).Length() < (moved[v] - posed.Pose.Joints[10]).Length() || (posed.Pose.Joints[9] - posed.Pose.Joints[10]).Length() < 0.3f);
            }
        }
    }

    [Fact]
    public void Who_is_seen_from_behind_hides_the_nose_and_who_faces_us_shows_it()
    {
        var library = Library();
        int Seen(float yaw) => Many(library, 40, _ => yaw).Count(pair => SceneRenderer.Render(pair.Scene, Size).People.Single().Joints[Nose].Visibility == 2);
        Assert.True(Seen(MathF.PI) > 25, "noses seen from the front");
        Assert.True(Seen(0) < 8, "noses seen from behind");
    }

    [Fact]
    public void Depth_is_that_of_what_is_nearer()
    {
        var (_, scene) = Many(Library(), 1, _ => MathF.PI).First();
        var open = SceneRenderer.Render(scene, Size);
        var people = Enumerable.Range(0, Size.Pixels).Where(i => open.ClassIds[i] == SceneClasses.Person).ToList();
        Assert.True(people.Count > 200, $"{people.Count} pixels of a person");
        Assert.All(people, i => Assert.InRange(open.Depth[i], 3, 5.2f));
        scene.Box(new(0, 0.5f, 2), new(4, 0.5f, 0.05f), 0, SceneClasses.Furniture, 0);         // hides what is low
        var hidden = SceneRenderer.Render(scene, Size);
        for (var i = 0; i < Size.Pixels; i++)
        {
            if (hidden.ClassIds[i] == SceneClasses.Furniture) Assert.True(hidden.Depth[i] < 2.3f);
            else Assert.Equal((open.ClassIds[i], open.Depth[i]), (hidden.ClassIds[i], hidden.Depth[i]));
        }
        Assert.True(hidden.ClassIds.Count(id => id == SceneClasses.Person) is var left && left > 50 && left < people.Count);
    }

    [Fact]
    public void The_rest_of_a_scene_stays_what_it_is_without_figures()
    {
        var library = Library();
        foreach (var seed in (ulong[])[1, 2, 4, 6, 8, 9])                                    // 3 and 5 of every seven are composed anew around people
        {
            var (plain, modelled) = (SceneGrammar.Compose(seed), SceneGrammar.Compose(seed, library));
            Assert.Equal((plain.Camera, plain.Yaw, plain.Pitch, plain.Focal, plain.People.Count), (modelled.Camera, modelled.Yaw, modelled.Pitch, modelled.Focal, modelled.People.Count));
            // People are turned towards the camera and do other things, and what they carry goes with them; the more they have with them stands there besides.
            var still = modelled.Primitives.Select(solid => solid with { Owner = 0 }).ToHashSet();
            var gone = plain.Primitives.Where(solid => !still.Contains(solid)).ToList();
            Assert.True(gone.Count(solid => solid.ClassId != SceneClasses.Person) <= plain.People.Count);
            Assert.All(gone, solid => Assert.True(solid.ClassId == SceneClasses.Person || (solid.ClassId == SceneClasses.Thing && solid.Shape == Shape.Box)));
            Assert.Empty(plain.Models);
        }
    }

    [Fact]
    public void Same_seed_same_picture_from_any_library_of_the_same_package()
    {
        var size = new ImageSize(48, 64);
        foreach (var seed in (ulong[])[3, 10, 12])                                             // two of seven have people near the camera
        {
            var (one, other) = (SceneRenderer.Render(SceneGrammar.Compose(seed, Library()), size), SceneRenderer.Render(SceneGrammar.Compose(seed, Library()), size));
            SyntheticScenesTests.AssertSame(one, other);
            Assert.NotEmpty(one.People);
        }
    }

    [Fact]
    public void A_coarser_mesh_has_fewer_triangles_and_the_same_extent()
    {
        var figure = Library().Figures!.At(3);
        var coarse = figure.Fine.Coarser(0.12f);
        Assert.InRange(coarse.Pieces.Length, 10, figure.Fine.Pieces.Length - 1);
        Assert.Equal(coarse.Pieces.Length * 3, coarse.Corners.Length);
        static (Vector3, Vector3) Extent(TriangleMesh mesh) => (mesh.Vertices.Aggregate(Vector3.Min), mesh.Vertices.Aggregate(Vector3.Max));
        var ((low, high), (coarseLow, coarseHigh)) = (Extent(figure.Fine), Extent(coarse));
        Assert.True((low - coarseLow).Length() < 0.2f && (high - coarseHigh).Length() < 0.2f);
    }

    [Theory]
    [InlineData("public/data/models/human_full_size.json", "{", "is no model")]
    [InlineData("public/data/models/human_full_size.json", "{\"vertices\": [0, 0, 0]}", "is no model")]
    [InlineData("src/json/targets/target-list.json", "{}", "cannot be read")]
    [InlineData("src/json/targets/target-list.json", "{\"targets\": {\"a\": []}}", "does not hold 1 targets")]
    public void A_damaged_package_is_one_line(string file, string text, string said)
    {
        _package.Write(file, text);
        Assert.Contains(said, Assert.Throws<SourceLostException>(Library).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"skinIndices\":[0", "\"skinIndices\":[9999")]
    [InlineData("\"faces\":[11,0", "\"faces\":[11,99999")]
    [InlineData("\"faces\":[11,0", "\"faces\":[11,-1")]
    [InlineData("\"faces\":[11", "\"faces\":[64")]
    public void Indices_that_lead_outside_are_refused(string part, string instead)
    {
        const string Body = "public/data/models/human_full_size.json";
        var whole = _package.Read(Body);
        Assert.Contains(part, whole, StringComparison.Ordinal);
        _package.Write(Body, whole.Replace(part, instead, StringComparison.Ordinal));
        Assert.Contains("is no model", Assert.Throws<SourceLostException>(Library).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_package_says_how_to_get_one()
    {
        Assert.Contains("eng/scene-models.sh", Assert.Throws<SourceLostException>(() => SceneModels.Open(Path.Combine(_package.Path, "elsewhere"), null)).Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(_package.Path, "public/data/targets/targets.bin"));
        Assert.Throws<SourceLostException>(Library);
    }
}
