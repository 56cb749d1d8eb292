using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Testing;

namespace MetaPrompts.Model.Tests.Inference;

public sealed class ModelSetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("set").FullName;
    private readonly string _depth, _segmentation, _multi;

    public ModelSetTests()
    {
        _depth = GoldenFiles.Write(_folder, "depth", maxDepth: 10);
        _segmentation = GoldenFiles.Write(_folder, "segmentation", workingSize: new ImageSize(64, 64));
        _multi = MiniFiles.Write(_folder);
    }

    private static ExecutionOptions Options(params PerceptionTask[] tasks) => new() { Device = "cpu", Tasks = tasks.Length == 0 ? null : tasks };

    private static Frame Picture(int seed, int height, int width)
    {
        var frame = FakeFrames.Make(new StreamId("camera"), seed, size: new ImageSize(height, width));
        new Random(seed).NextBytes(frame.Pixels.Rgb);
        return frame;
    }

    [Fact]
    public void EachFrameGetsWhatEachModelSaysAlone()
    {
        using var set = PerceptionModels.Open([_segmentation, _depth], Options());
        // One key for the first model, two for the second: it has to sort the batch for itself.
        using var batch = new FrameBatch([Picture(1, 64, 64), Picture(2, 72, 64), Picture(3, 64, 64)], set.BatchKey(new ImageSize(64, 64)));
        var together = set.Predict(batch);
        using var depth = PerceptionModels.Open(_depth, Options());
        using var segmentation = PerceptionModels.Open(_segmentation, Options());
        for (var i = 0; i < 3; i++)
        {
            var size = batch.Frames[i].Pixels.Size;
            using var one = new FrameBatch([batch.Frames[i].Share()], depth.BatchKey(size));
            using var other = new FrameBatch([batch.Frames[i].Share()], segmentation.BatchKey(size));
            var (metres, classes) = (depth.Predict(one)[0].Depth!, segmentation.Predict(other)[0].Segmentation!);
            Assert.Equal(metres.Size, together[i].Depth!.Size);
            Assert.InRange(metres.Metres.ToArray().Zip(together[i].Depth!.Metres.ToArray(), (a, b) => Math.Abs(a - b)).Max(), 0, 1e-3);
            // Rounding may turn a pixel between two classes of equal rank.
            Assert.InRange(classes.ClassIds.ToArray().Zip(together[i].Segmentation!.ClassIds.ToArray(), (a, b) => a == b ? 0 : 1).Average(), 0, 0.01);
            Assert.Equal(("depth", "segmentation"), (together[i].Depth!.Model, together[i].Segmentation!.Model));
            Assert.Null(together[i].Pose);
        }
    }

    [Fact]
    public void WhoMustBeToldWherePeopleAreComesLastAndIsAskedWithWhatTheOthersSaw()
    {
        var pose = GoldenFiles.Write(_folder, "pose", workingSize: new ImageSize(64, 64));
        using var set = PerceptionModels.Open([pose, _segmentation], Options());
        Assert.True(set.NeedsPlaces);
        using var batch = new FrameBatch([Picture(1, 64, 64), Picture(2, 72, 64)], set.BatchKey(new ImageSize(64, 64)));
        var asked = new List<(int Frame, bool Segmented)>();
        var said = set.Predict(batch, (i, seen) =>
        {
            asked.Add((i, seen.Segmentation is not null));
            return [];
        });
        Assert.Equal([(0, true), (1, true)], asked);
        Assert.All(said, one => Assert.True(one.Segmentation is not null && one.Pose is { People.Count: 0 }));
    }

    [Fact]
    public void TheManifestSpeaksForAll()
    {
        using var set = PerceptionModels.Open([_depth, _segmentation], Options());
        Assert.Equal("depth+segmentation", set.Manifest.Name);
        Assert.Equal([PerceptionTask.Depth, PerceptionTask.Segmentation], set.Manifest.Tasks);
        Assert.Equal(10, set.Manifest.MaxDepth);
        Assert.NotEmpty(set.Manifest.Classes);
    }

    [Fact]
    public void ATaskIsDoneByTheFirstModelThatHasIt()
    {
        using var set = PerceptionModels.Open([_depth, _multi], Options());
        using var batch = new FrameBatch([Picture(1, 64, 64)], set.BatchKey(new ImageSize(64, 64)));
        var seen = Assert.Single(set.Predict(batch));
        Assert.Equal(("depth", "tiny", "tiny"), (seen.Depth!.Model, seen.Segmentation!.Model, seen.Pose!.Model));
    }

    [Fact]
    public void AModelWithNothingToDoIsRefused() =>
        Assert.Contains("depth has nothing to do", Assert.Throws<ConfigurationException>(() => PerceptionModels.Open([_multi, _depth], Options())).Message, StringComparison.Ordinal);

    [Fact]
    public void ATaskThatNobodyHasIsRefused() =>
        Assert.Contains("no model has pose", Assert.Throws<ConfigurationException>(() => PerceptionModels.Open([_depth, _segmentation], Options(PerceptionTask.Depth, PerceptionTask.Segmentation, PerceptionTask.Pose))).Message, StringComparison.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
