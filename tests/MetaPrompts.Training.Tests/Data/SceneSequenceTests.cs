using System.Text.Json;
using MetaPrompts.Core.Frames;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data;

public sealed class SceneSequenceTests : IDisposable
{
    private static readonly ImageSize Size = new(48, 64);
    private readonly string _folder = Directory.CreateTempSubdirectory("scene-sequence").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Frames_are_the_scene_at_their_times_in_order()
    {
        var sequence = new SceneSequence(11, Size, Seconds: 0.28, Rate: 25);
        var frames = sequence.Render().ToList();
        Assert.Equal(7, frames.Count);
        for (var i = 0; i < frames.Count; i++) SyntheticScenesTests.AssertSame(SceneRenderer.Render(SceneGrammar.Compose(11), Size, i / 25.0), frames[i]);
    }

    [Fact]
    public void Most_scenes_move()
    {
        var moving = Enumerable.Range(0, 30).Select(seed => new SceneSequence((ulong)seed, Size, Seconds: 2, Rate: 1).Render().ToList()).Count(frames => !frames[0].Rgb.SequenceEqual(frames[1].Rgb));
        Assert.True(moving > 15, $"{moving} of 30 scenes move");
    }

    [Fact]
    public void Truth_is_a_prediction_without_depth_in_the_sky()
    {
        var scene = Enumerable.Range(0, 100).Select(i => SyntheticScenes.Validation(i, Size)).First(frame => frame.People.Count > 1 && frame.ClassIds.Contains(SceneClasses.Sky));
        var truth = SceneTruth.Of(scene);
        Assert.Equal(scene.ClassIds, truth.Segmentation!.ClassIds.ToArray());
        for (var i = 0; i < scene.Depth.Length; i++) Assert.Equal(scene.ClassIds[i] == SceneClasses.Sky ? 0 : scene.Depth[i], truth.Depth!.Metres.Span[i]);
        Assert.All(truth.Pose!.People, person => Assert.Contains(person.Keypoints, joint => joint.Score == 1));
    }

    [Fact]
    public async Task A_film_lies_beside_its_truth()
    {
        var sequence = new SceneSequence(2, Size, Seconds: 0.2, Rate: 25);
        await SceneFiles.WriteAsync(sequence, _folder);
        Assert.True(new FileInfo(Path.Combine(_folder, SceneFiles.Video)).Length > 500);
        var lines = await File.ReadAllLinesAsync(Path.Combine(_folder, SceneFiles.Records));
        Assert.Equal(5, lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            using var record = JsonDocument.Parse(lines[i]);
            Assert.Equal(i, record.RootElement.GetProperty("seq").GetInt32());
            Assert.Equal(i / 25.0, record.RootElement.GetProperty("pts_s").GetDouble(), 1e-6);
            foreach (var task in (string[])["depth", "segmentation"])
            {
                var map = Path.Combine(_folder, record.RootElement.GetProperty(task).GetProperty("map").GetProperty("ref").GetString()!);
                Assert.Equal(Size, ImageReader.DeclaredSize(map));
            }
        }
    }
}
