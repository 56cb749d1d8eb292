using System.Numerics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Data.Scenes.Models.Props;
using MetaPrompts.Training.Tests.Data.Scenes.Models.Props;
using OpenCvSharp;

namespace MetaPrompts.Training.Tests.Data.Scenes.Models.Cutouts;

public sealed class CutoutTests : IDisposable
{
    /// <summary>4 × 4, of a palette whose first colour is transparent: only the two columns in the middle are there, in blue.</summary>
    private const string Palette = "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAMAAACeL25MAAAABlBMVEX/AAAAAP9sof2OAAAAAXRSTlMAQObYZgAAAA9JREFUeJxjYGBkZGBAJQAAZAAJ37DDPQAAAABJRU5ErkJggg==";

    private static readonly ImageSize Size = new(96, 128);
    private readonly string _folder = Directory.CreateTempSubdirectory("cutouts").FullName;

    public CutoutTests()
    {
        // Twice as wide as it is high within its clear border: red to the left, green to the right.
        Save("animal/cow-140cm.png", (x, y) => x is < 10 or >= 90 || y is < 20 or >= 60 ? default : x < 50 ? new(0, 0, 255, 255) : new(0, 255, 0, 255));
        Save("sign/stop-75cm.png", (x, _) => x < 80 ? new(255, 255, 255, 255) : default);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private string Save(string name, Func<int, int, Vec4b> colour)
    {
        using var picture = new Mat(80, 100, MatType.CV_8UC4);
        for (var y = 0; y < 80; y++)
            for (var x = 0; x < 100; x++) picture.Set(y, x, colour(x, y));
        Cv2.ImWrite(Named(name), picture);
        return Path.Combine(_folder, name);
    }

    private string Named(string name)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private SceneModels Models(string? props = null) => SceneModels.Open(null, props, null, _folder)!;

    [Fact]
    public void A_cut_out_is_as_high_as_its_name_says_and_without_its_clear_border()
    {
        var cow = Models().Cutouts!.Pick(PropKind.Animal, new SceneRandom(1));
        Assert.True(cow.Flat);
        Assert.True((cow.Size - new Vector3(2.8f, 1.4f, 0)).Length() < 1e-5f, $"{cow.Size}");
        Assert.Equal(new Vector4(1, 0, 0, 1), cow.Pictures[0].At(new(0.05f, 0.05f)));
        Assert.Equal(new Vector4(0, 1, 0, 1), cow.Pictures[0].At(new(0.95f, 0.95f)));
    }

    [Fact]
    public void A_palette_may_be_transparent_and_a_picture_without_transparency_is_all_there()
    {
        File.WriteAllBytes(Named("clutter/blue-10cm.png"), Convert.FromBase64String(Palette));
        using (var whole = new Mat(30, 90, MatType.CV_8UC3, new(0, 0, 255))) Cv2.ImWrite(Named("street/box-60cm.png"), whole);
        var cutouts = Models().Cutouts!;
        var (blue, box) = (cutouts.Pick(PropKind.Clutter, new SceneRandom(1)), cutouts.Pick(PropKind.Street, new SceneRandom(1)));
        Assert.Equal(0.05f, blue.Size.X, 5);
        Assert.Equal(1.8f, box.Size.X, 5);
        Assert.Equal(new Vector4(0, 0, 1, 1), blue.Pictures[0].At(new(0.1f, 0.5f)));
        Assert.Equal(new Vector4(1, 0, 0, 1), box.Pictures[0].At(new(0.01f, 0.99f)));
    }

    [Fact]
    public void It_stands_where_the_grammars_thing_stood_and_faces_the_camera()
    {
        var models = Models();
        var (found, mirrored) = (0, 0);
        for (var seed = 0UL; seed < 24; seed++)
        {
            Scene With(SceneModels? library)
            {
                var scene = new Scene { Seed = seed, Library = library, Camera = new Vector3(0, 1.2f, 0), Pitch = 0.2f, Focal = 1.2f, Light = new SceneLight { Sun = Vector3.Normalize(new(1, 2, 0)) } };
                scene.Plane(Vector3.Zero, Vector3.UnitY, SceneClasses.Floor, scene.Add(new Material(Texture.Flat, new(0.8f), new(0.8f), 1, default)));
                HouseholdThings.Animal(scene, new SceneRandom(seed), new(0.5f, 0, 4), 1.4f);
                return scene;
            }
            var (plain, cut) = (With(null), With(models));
            Assert.Equal(plain.Primitives, [.. cut.Primitives.Select(solid => solid with { Owner = 0 })]);
            if (cut.Models.Count == 0) continue;
            found++;
            var frame = SceneRenderer.Render(cut, Size);
            var places = Enumerable.Range(0, Size.Pixels).Where(i => frame.ClassIds[i] == SceneClasses.Thing).ToList();
            Assert.True(places.Count > 150, $"{places.Count} pixels of a cow");
            Assert.All(places, i => Assert.InRange(frame.Depth[i], 2.8f, 5.2f));
            // Both halves are seen: a board that showed its edge would have neither.
            var (red, green) = (places.Where(i => frame.Rgb[3 * i] > 2 * frame.Rgb[3 * i + 1]).ToList(), places.Where(i => frame.Rgb[3 * i + 1] > 2 * frame.Rgb[3 * i]).ToList());
            Assert.True(red.Count > places.Count / 4 && green.Count > places.Count / 4, $"{red.Count} red, {green.Count} green of {places.Count}");
            if (red.Average(i => i % Size.Width) > green.Average(i => i % Size.Width)) mirrored++;
        }
        Assert.InRange(found, 12, 23);             // three of four
        Assert.InRange(mirrored, 3, found - 3);
    }

    [Fact]
    public void Where_there_are_models_too_most_animals_and_few_other_things_are_cut_out()
    {
        using var catalogue = new TinyCatalogue();
        Save("chair/stool-60cm.png", (_, _) => new(9, 9, 9, 255));
        var models = Models(catalogue.Path);
        Assert.InRange(Enumerable.Range(0, 200).Count(seed => models.Thing(PropKind.Chair, new SceneRandom((ulong)seed))!.Flat), 20, 60);
        Assert.True(models.Thing(PropKind.Animal, new SceneRandom(1))!.Flat);      // there is no model of one
        Assert.False(models.Thing(PropKind.Car, new SceneRandom(1))!.Flat);        // nor a cut-out car
        Assert.Null(models.Thing(PropKind.Table, new SceneRandom(1)));
    }

    [Fact]
    public void Without_any_a_scene_is_what_it_was_and_with_them_one_of_seven_is_about_things_near_the_camera()
    {
        using var catalogue = new TinyCatalogue();
        var (without, with) = (SceneModels.Open(null, catalogue.Path)!, Models(catalogue.Path));
        var near = 0;
        for (var seed = 0UL; seed < 42; seed++)
        {
            var (plain, cut) = (SceneGrammar.Compose(seed, without), SceneGrammar.Compose(seed, with));
            if (seed % 7 == 1) near += cut.Models.OfType<PlacedProp>().Count(prop => prop.Prop.Flat && (prop.Middle - cut.Camera).Length() < 7);
            // Beside people near the camera something may stand, too; nothing else differs but who stands in for whom.
            else Assert.Equal(plain.Primitives.Select(solid => solid with { Owner = 0 }), cut.Primitives.Take(plain.Primitives.Count).Select(solid => solid with { Owner = 0 }));
        }
        Assert.True(near >= 4, $"{near} cut-outs in six scenes about them");
    }

    [Theory]
    [InlineData("horse-160cm.png", "lies in no folder of a kind: animal, bench")]
    [InlineData("beast/horse-160cm.png", "lies in no folder of a kind")]
    [InlineData("0/horse-160cm.png", "lies in no folder of a kind")]
    [InlineData("animal/brown/horse-160cm.png", "lies in no folder of a kind")]
    [InlineData("animal/horse.png", "name it NAME-HEIGHTcm.png")]
    [InlineData("animal/horse-0cm.png", "name it NAME-HEIGHTcm.png")]
    [InlineData("animal/horse-9999cm.png", "name it NAME-HEIGHTcm.png")]
    public void What_is_not_named_as_it_must_be_is_one_line(string name, string said)
    {
        File.Copy(Path.Combine(_folder, "animal/cow-140cm.png"), Named(name));
        var error = Assert.Throws<SourceLostException>(() => Models());
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_any_and_damaged_pictures_are_one_line()
    {
        Assert.Contains("cannot be read", Assert.Throws<SourceLostException>(() => SceneModels.Open(null, null, null, Path.Combine(_folder, "elsewhere"))).Message, StringComparison.Ordinal);
        var empty = Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName;
        Assert.Contains("eng/scene-models.sh", Assert.Throws<SourceLostException>(() => SceneModels.Open(null, null, null, empty)).Message, StringComparison.Ordinal);
        Save("plant/clear-50cm.png", (_, _) => default);
        File.WriteAllText(Named("tree/text-500cm.png"), "no picture");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", Named("bed/pipe-50cm.png"))) mkfifo.WaitForExit();
        var cutouts = Models().Cutouts!;
        Assert.Contains("is all transparent", Assert.Throws<SourceLostException>(() => cutouts.Pick(PropKind.Plant, new SceneRandom(1))).Message, StringComparison.Ordinal);
        Assert.Contains("text-500cm.png", Assert.Throws<SourceLostException>(() => cutouts.Pick(PropKind.Tree, new SceneRandom(1))).Message, StringComparison.Ordinal);
        Assert.False(cutouts.Has(PropKind.Bed));
    }
}
