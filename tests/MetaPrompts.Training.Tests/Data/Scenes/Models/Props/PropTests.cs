using System.Numerics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Tests.Data.Scenes.Models.Props;

public sealed class PropTests : IDisposable
{
    private static readonly ImageSize Size = new(96, 128);
    private readonly TinyCatalogue _catalogue = new();

    public void Dispose() => _catalogue.Dispose();

    private SceneModels Library() => SceneModels.Open(null, _catalogue.Path)!;

    private Prop Chair() => Enumerable.Range(0, 20).Select(seed => Library().Props!.Pick(PropKind.Chair, new SceneRandom((ulong)seed))!).First(prop => prop.Size.Y > 0.9f);

    [Fact]
    public void Catalogues_give_what_has_a_file_and_a_size_under_the_kinds_their_names_say()
    {
        var props = Library().Props!;
        Assert.Equal((2, 1, 0), (props.Count(PropKind.Chair), props.Count(PropKind.Car), props.Count(PropKind.Table)));      // a stool is a chair, a wheelchair is not
        Assert.Null(props.Pick(PropKind.Table, new SceneRandom(1)));
    }

    [Fact]
    public void A_model_stands_on_its_foot_in_its_real_size()
    {
        var chair = Chair();
        Assert.Equal(new Vector3(0.5f, 0.95f, 0.55f), chair.Size);
        var seen = chair.Fine.Corners.Select(corner => chair.Fine.Vertices[corner.Vertex]).ToList();
        Assert.True((seen.Aggregate(Vector3.Min) - new Vector3(-0.25f, 0, -0.275f)).Length() < 1e-5f);
        Assert.True((seen.Aggregate(Vector3.Max) - new Vector3(0.25f, 0.95f, 0.275f)).Length() < 1e-5f);
        // The back's upper edge is behind, as the grammar's chairs have it.
        Assert.All(seen.Where(p => p.Y > 0.9f), p => Assert.Equal(-0.275f, p.Z, 5));
        // Two quads and two triangles; what one looks through is left out.
        Assert.Equal(6, chair.Fine.Pieces.Length);
    }

    [Fact]
    public void What_drives_does_so_along_z()
    {
        var car = Library().Props!.Pick(PropKind.Car, new SceneRandom(1))!;
        Assert.Equal(new Vector3(1.8f, 1.4f, 4), car.Size);
        Assert.Equal(4, car.Fine.Vertices.Max(p => p.Z) - car.Fine.Vertices.Min(p => p.Z), 4);
    }

    [Fact]
    public void A_rotation_in_the_catalogue_turns_the_model_upright()
    {
        var entry = PropEntry.Of("tiny", TinyCatalogue.Catalogue).Single(one => one.Name == "Stool");
        Assert.True((Vector3.Transform(new Vector3(0, 0, 1), entry.Turn) - new Vector3(0, -1, 0)).Length() < 1e-6f);
        Assert.True((Vector3.Transform(new Vector3(0, 1, 0), entry.Turn) - new Vector3(0, 0, 1)).Length() < 1e-6f);
    }

    [Fact]
    public void A_model_is_seen_where_its_stand_ins_were_and_these_cast_its_shadow()
    {
        var found = 0;
        for (var seed = 0UL; seed < 12; seed++)
        {
            Scene With(SceneModels? models)
            {
                var scene = new Scene { Seed = seed, Library = models, Camera = new Vector3(0, 1.2f, 0), Pitch = 0.2f, Focal = 1.2f, Light = new SceneLight { Sun = Vector3.Normalize(new(1, 2, 0)) } };
                scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, scene.Add(new Material(Texture.Flat, new(0.8f), new(0.8f), 1, default)));
                Things.Chair(scene, new SceneRandom(seed), new(0, 0, 2.5f), 0.3f * seed);
                return scene;
            }
            var (plain, modelled) = (With(null), With(Library()));
            Assert.Equal(plain.Primitives, [.. modelled.Primitives.Select(solid => solid with { Owner = 0 })]);
            if (modelled.Models.Count == 0) continue;
            found++;
            Assert.All(modelled.Primitives.Skip(1), solid => Assert.Equal(1, solid.Owner));
            var (without, with) = (SceneRenderer.Render(plain, Size), SceneRenderer.Render(modelled, Size));
            var places = Enumerable.Range(0, Size.Pixels).Where(i => with.ClassIds[i] == SceneClasses.Furniture).ToList();
            Assert.True(places.Count > 60, $"{places.Count} pixels of a chair");
            Assert.All(places, i => Assert.InRange(with.Depth[i], 1.7f, 3.3f));
            // Floor that lies in shadow lies in it without the model, too; pixels at the edges of either show a part of it.
            var floor = Enumerable.Range(0, Size.Pixels).Where(i => with.ClassIds[i] == SceneClasses.Floor && without.ClassIds[i] == SceneClasses.Floor).ToList();
            Assert.InRange(floor.Count(i => without.Rgb[3 * i] != with.Rgb[3 * i]), 0, floor.Count / 30);
            Assert.True(floor.Count(i => with.Rgb[3 * i] < 150) > 20, "no shadow on the floor");
        }
        Assert.InRange(found, 4, 11);              // three of four
    }

    [Theory]
    [InlineData("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4", "does not exist")]
    [InlineData("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -4", "does not exist")]
    [InlineData("v 0 0 0\nv 1 0 x\nv 0 1 0\nf 1 2 3", "lacks a number")]
    [InlineData("v 0 0 0\nv 1 0 NaN\nv 0 1 0\nf 1 2 3", "lacks a number")]
    [InlineData("v 0 0\nf 1 1 1", "lacks a number")]
    [InlineData("v 0 0 0\nf a b c", "does not exist")]
    [InlineData("hello", "no faces")]
    public void A_damaged_model_is_one_line(string obj, string said)
    {
        using var damaged = new TinyCatalogue(chair: obj);
        var props = SceneModels.Open(null, damaged.Path)!.Props!;
        Assert.Contains(said, Assert.Throws<SourceLostException>(() => props.Pick(PropKind.Chair, new SceneRandom(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_catalogues_says_how_to_get_them()
    {
        Assert.Contains("cannot be read", Assert.Throws<SourceLostException>(() => SceneModels.Open(null, Path.Combine(_catalogue.Path, "elsewhere"))).Message, StringComparison.Ordinal);
        File.WriteAllText(_catalogue.File, "no zip");
        Assert.Contains("cannot be read", Assert.Throws<SourceLostException>(Library).Message, StringComparison.Ordinal);
        File.Delete(_catalogue.File);
        Assert.Contains("eng/scene-models.sh", Assert.Throws<SourceLostException>(Library).Message, StringComparison.Ordinal);
        Assert.Null(SceneModels.Open("", null));
    }
}
