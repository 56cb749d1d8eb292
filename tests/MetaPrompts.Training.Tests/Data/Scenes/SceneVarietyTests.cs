using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Scenes;

/// <summary>What the grammar never draws, the network never learns.</summary>
public sealed class SceneVarietyTests
{
    private static readonly List<Scene> _scenes = [.. Enumerable.Range(0, 400).Select(i => SceneGrammar.Compose(SyntheticScenes.ValidationSeed(i)))];

    [Fact]
    public void Cameras_look_level_and_down_from_table_height_to_a_first_floor()
    {
        var pitches = _scenes.Select(scene => scene.Pitch * 180 / MathF.PI).ToList();
        Assert.True(pitches.Count(pitch => pitch < 0) > 20);
        Assert.True(pitches.Count(pitch => pitch is > 20 and < 50) > 40);
        Assert.True(_scenes.Count(scene => scene.Camera.Y < 1) > 20);
        Assert.True(_scenes.Count(scene => scene.Camera.Y > 4) > 20);
    }

    [Fact]
    public void Some_scenes_are_empty_and_some_are_crowded()
    {
        var people = _scenes.Select(scene => scene.People.Count).ToList();
        Assert.True(people.Count(count => count == 0) > 40);
        Assert.True(people.Count(count => count > 9) > 8);
        var things = _scenes.Select(scene => scene.Primitives.Count(primitive => primitive.ClassId == SceneClasses.Thing)).ToList();
        Assert.True(things.Count(count => count < 5) > 40);
        Assert.True(things.Count(count => count > 40) > 40);
    }

    [Fact]
    public void Every_texture_is_used()
    {
        var used = _scenes.SelectMany(scene => scene.Materials).Select(material => material.Texture).CountBy(texture => texture).ToDictionary();
        Assert.All(Enum.GetValues<Texture>(), texture => Assert.True(used.GetValueOrDefault(texture) > 30, texture.ToString()));
    }

    [Fact]
    public void A_disguise_changes_surfaces_but_not_plants_and_people()
    {
        var disguised = 0;
        for (ulong seed = 0; seed < 60; seed++)
        {
            var scene = new Scene();
            var materials = Enumerable.Range(0, 40).Select(_ => scene.Add(new Material(Texture.Flat, new(0.5f), new(0.5f), 1, default))).ToList();
            byte[] classes = [SceneClasses.Wall, SceneClasses.Person, SceneClasses.Vegetation, SceneClasses.Furniture];
            foreach (var i in materials) scene.Box(default, new(1), 0, classes[i % classes.Length], i);
            var before = scene.Materials.ToList();
            Disguise.PutOn(scene, new SceneRandom(seed));
            var changed = materials.Where(i => scene.Materials[i] != before[i]).ToList();
            Assert.DoesNotContain(changed, i => classes[i % classes.Length] is SceneClasses.Person or SceneClasses.Vegetation);
            if (changed.Count > 0) disguised++;
        }
        Assert.InRange(disguised, 18, 42);
    }

    [Fact]
    public void Textures_give_finite_light_everywhere()
    {
        var random = new SceneRandom(3);
        foreach (var texture in Enum.GetValues<Texture>())
        {
            var material = new Material(texture, random.Colour(), random.Colour(), 3, new(7));
            for (var i = 0; i < 500; i++)
            {
                var light = material.At(new(random.Between(-200, 200), random.Between(-5, 20), random.Between(-200, 200)), i % 2 == 0 ? System.Numerics.Vector3.UnitY : System.Numerics.Vector3.UnitX, 0.01f);
                Assert.True(light.X is >= 0 and < 4 && light.Y is >= 0 and < 4 && light.Z is >= 0 and < 4, $"{texture}: {light}");
            }
        }
    }

    /// <summary>Rays skip what begins behind a nearer hit, and ask the last thing that cast a shadow first: neither may change a picture, whatever was rendered before.</summary>
    [Fact]
    public void A_small_picture_shows_what_a_large_one_shows()
    {
        var (small, large) = (new ImageSize(48, 64), new ImageSize(96, 128));
        for (ulong seed = 1; seed < 9; seed++)
        {
            var scene = SceneGrammar.Compose(seed);
            var (one, other) = (SceneRenderer.Render(scene, small), SceneRenderer.Render(scene, large));
            // The truth ray of a small pixel passes between those of four large ones: what it meets, one of them must meet, or stand at an edge.
            var wrong = 0;
            for (var y = 1; y < small.Height - 1; y++)
            {
                for (var x = 1; x < small.Width - 1; x++)
                {
                    var depth = one.Depth[y * small.Width + x];
                    var near = false;
                    for (var j = -1; j <= 2; j++)
                        for (var i = -1; i <= 2; i++)
                            near |= other.Depth[(2 * y + j) * large.Width + 2 * x + i] is var there && (there == depth || MathF.Abs(there - depth) < 0.1f * depth);
                    if (!near) wrong++;
                }
            }
            Assert.InRange(wrong, 0, small.Pixels / 50);
        }
    }
}
