using System.Numerics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;
using MetaPrompts.Training.Data.Scenes.Models;
using MetaPrompts.Training.Data.Scenes.Models.Figures;
using MetaPrompts.Training.Data.Scenes.Models.Photos;
using MetaPrompts.Training.Tests.Data.Scenes.Models.Figures;
using MetaPrompts.Training.Tests.Data.Scenes.Models.Props;
using OpenCvSharp;

namespace MetaPrompts.Training.Tests.Data.Scenes.Models.Photos;

public sealed class PhotoTests : IDisposable
{
    private static readonly ImageSize Size = new(64, 96);
    private readonly string _folder = Directory.CreateTempSubdirectory("photos").FullName;

    public PhotoTests()
    {
        // Red to the left, blue to the right; a chequered one of another kind; an icon; one that shows nothing.
        Save("places/halves.png", 128, (x, _) => x < 64 ? new(0, 0, 255) : new(255, 0, 0));
        for (var i = 0; i < 4; i++) Save($"cloth/checks{i}.png", 100, (x, y) => (x / 10 + y / 10) % 2 == 0 ? new(40, 40, 40) : new(220, 220, 220));
        Save("cloth/icon.png", 32, (_, _) => new(0, 255, 0));
        Save("places/grey.png", 128, (_, _) => new(128, 128, 128));
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private void Save(string name, int side, Func<int, int, Vec3b> colour)
    {
        using var picture = new Mat(side, side, MatType.CV_8UC3);
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++) picture.Set(y, x, colour(x, y));
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Cv2.ImWrite(path, picture);
    }

    private SceneModels Models() => SceneModels.Open(null, null, _folder)!;

    [Fact]
    public void A_photograph_goes_on_mirrored_and_is_its_mean_from_afar()
    {
        var photo = Photo.Read(Path.Combine(_folder, "places/halves.png"));
        var (red, blue) = (new Vector3(1, 0, 0), new Vector3(0, 0, 1));
        Assert.Equal(red, photo.At(new(0.1f, 0.5f), 0.001f));
        Assert.Equal(blue, photo.At(new(0.9f, 0.5f), 0.001f));
        Assert.Equal(blue, photo.At(new(1.1f, -7.5f), 0.001f));
        Assert.Equal(red, photo.At(new(1.9f, 0.5f), 0.001f));
        Assert.Equal(red, photo.At(new(-0.1f, 0.5f), 0.001f));
        Assert.True((photo.At(new(0.1f, 0.5f), 3) - photo.Mean).Length() < 0.01f);
        Assert.True((photo.Mean - new Vector3(0.5f, 0, 0.5f)).Length() < 0.01f);
        Assert.InRange(photo.Contrast, 0, 0.001f);            // both are as bright as the other
    }

    [Fact]
    public void Grain_keeps_a_surfaces_colour_and_the_whole_photograph_replaces_it()
    {
        var photo = Photo.Read(Path.Combine(_folder, "cloth/checks0.png"));
        var own = new Vector3(0.4f, 0.2f, 0.1f);
        var (grain, whole) = (new WornPhoto(photo, 2, default, true), new WornPhoto(photo, 2, default, false));
        var mean = Vector3.Zero;
        for (var i = 0; i < 400; i++) mean += grain.Over(own, new(i % 20 * 0.1f + 0.05f, i / 20 * 0.1f + 0.05f), 0.001f) / 400;
        Assert.True((mean / own - Vector3.One).Length() < 0.05f, $"{mean} of {own}");
        Assert.NotEqual(grain.Over(own, new(0.1f, 0.1f), 0.001f), grain.Over(own, new(0.3f, 0.1f), 0.001f));
        Assert.Equal(photo.At(new(0.05f, 0.05f), 0.0005f), whole.Over(own, new(0.1f, 0.1f), 0.001f));
        var (faint, full) = ((grain with { Strength = 0.25f }).Over(own, new(0.1f, 0.1f), 0.001f), grain.Over(own, new(0.1f, 0.1f), 0.001f));
        Assert.True((faint - Vector3.Lerp(own, full, 0.25f)).Length() < 1e-6f);
    }

    [Fact]
    public void Every_kind_is_drawn_as_often_icons_never_and_what_shows_nothing_seldom()
    {
        var photos = Models().Photos!;
        Assert.Equal(6, photos.Count);
        var drawn = Enumerable.Range(0, 300).Select(seed => photos.Pick(new SceneRandom((ulong)seed))).CountBy(photo => photo).ToDictionary();
        Assert.Equal(6, drawn.Count);
        // Half of all draws are of the kind with two pictures, which are passed over as they show next to nothing; the last try counts.
        Assert.InRange(drawn.Where(pair => pair.Key.Contrast < 0.1f).Sum(pair => pair.Value), 1, 60);
    }

    [Fact]
    public void Surfaces_wear_them_people_do_not_and_the_truth_stays()
    {
        var models = Models();
        var changed = 0;
        for (var seed = 0UL; seed < 12; seed++)
        {
            var (plain, worn) = (SceneGrammar.Compose(seed), SceneGrammar.Compose(seed, models));
            Assert.Equal(plain.Primitives, worn.Primitives);
            Assert.Equal(plain.Materials, [.. worn.Materials.Select(look => look with { Worn = null })]);
            Assert.All(worn.Primitives.Where(solid => solid.ClassId == SceneClasses.Person), solid => Assert.Null(worn.Materials[solid.Material].Worn));
            var (before, after) = (SceneRenderer.Render(plain, Size), SceneRenderer.Render(worn, Size));
            Assert.Equal(before.Depth, after.Depth);
            Assert.Equal(before.ClassIds, after.ClassIds);
            if (worn.Materials.Any(look => look.Worn is not null)) changed++;
            Assert.Equal(after.Rgb, SceneRenderer.Render(SceneGrammar.Compose(seed, models), Size).Rgb);
        }
        Assert.InRange(changed, 4, 11);            // three of ten scenes stay as they are
    }

    [Fact]
    public void Modelled_things_and_clothes_may_have_prints_bodies_only_a_little_grain()
    {
        using var catalogue = new TinyCatalogue();
        using var package = new TinyPackage();
        var models = SceneModels.Open(package.Path, catalogue.Path, _folder)!;
        var (things, clothes, grained) = (new List<bool>(), new List<bool>(), 0);
        for (var seed = 0UL; seed < 40; seed++)
        {
            foreach (var model in SceneGrammar.Compose(seed, models).Models)
            {
                for (var i = 0; i < model.Looks.Length; i++)
                {
                    var print = model.Looks[i].Dye.Print;
                    if (model is not PosedFigure person) things.Add(print is not null);
                    else if (person.Figure.Pieces[i].Kind == PieceKind.Clothes) clothes.Add(print is not null);
                    else if (print is not null)
                    {
                        grained++;
                        Assert.True(print is { Grain: true, Strength: < 0.5f });
                    }
                }
            }
        }
        Assert.InRange(things.Count(printed => printed) / (float)things.Count, 0.05f, 0.35f);
        Assert.InRange(clothes.Count(printed => printed) / (float)clothes.Count, 0.3f, 0.55f);          // six of ten, in seven of ten scenes
        Assert.True(grained > 0);
    }

    [Fact]
    public void A_print_keeps_the_folds_of_what_it_is_on()
    {
        var print = new WornPhoto(Photo.Read(Path.Combine(_folder, "places/grey.png")), 1, default, false);
        var dye = new SurfaceDye(null, 1, print);
        var (light, dark) = (dye.On(new(0.6f), 0.5f, default, 0.01f), dye.On(new(0.2f), 0.5f, default, 0.01f));
        Assert.Equal(3, light.X / dark.X, 1e-3f);
        Assert.Equal(128 / 255f * 1.2f, light.X, 1e-3f);
    }

    [Fact]
    public void Before_a_photograph_nothing_but_people_and_things_is_known()
    {
        var models = Models();
        var hung = 0;
        for (var seed = 0UL; seed < 60; seed++)
        {
            Assert.Null(SceneGrammar.Compose(seed, models).Backdrop);
            var scene = SceneGrammar.Compose(seed, models, backdrops: true);
            if (scene.Backdrop is null) continue;
            hung++;
            var (with, without) = (SceneRenderer.Render(scene, Size), SceneRenderer.Render(SceneGrammar.Compose(seed, models), Size));
            for (var i = 0; i < Size.Pixels; i++)
            {
                if (Backdrop.Hides(without.ClassIds[i])) Assert.Equal((SceneClasses.Nobody, float.PositiveInfinity), (with.ClassIds[i], with.Depth[i]));
                else Assert.Equal((without.ClassIds[i], without.Depth[i]), (with.ClassIds[i], with.Depth[i]));
            }
        }
        Assert.InRange(hung, 4, 20);
        // Validation never meets one: it could not be scored.
        Assert.All(Enumerable.Range(0, 40), i => Assert.DoesNotContain(SceneClasses.Nobody, SyntheticScenes.Validation(i, new(24, 32), models).ClassIds));
    }

    [Fact]
    public void A_folder_without_photographs_and_a_damaged_one_are_one_line()
    {
        Assert.Contains("cannot be read", Assert.Throws<SourceLostException>(() => SceneModels.Open(null, null, Path.Combine(_folder, "elsewhere"))).Message, StringComparison.Ordinal);
        var empty = Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName;
        Assert.Contains("eng/scene-models.sh", Assert.Throws<SourceLostException>(() => SceneModels.Open(null, null, empty)).Message, StringComparison.Ordinal);
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", Path.Combine(empty, "pipe.jpg"))) mkfifo.WaitForExit();
        Assert.Contains("holds no photograph", Assert.Throws<SourceLostException>(() => SceneModels.Open(null, null, empty)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(empty, "a.jpg"), "no picture");
        Assert.Contains("a.jpg", Assert.Throws<SourceLostException>(() => SceneModels.Open(null, null, empty)).Message, StringComparison.Ordinal);
    }
}
