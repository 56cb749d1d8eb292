using System.Text.Json;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Verification;
using static TorchSharp.torch;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary><c>people</c> of contract §6, in <c>process</c> and in <c>run</c>, with a model that finds people itself and with one that must be told where they are.</summary>
public sealed class PeopleTests : IDisposable
{
    private static readonly string Rendered = Path.Combine(Repository.Root, "samples", "rendered.mp4");

    private readonly Workspace _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task A_model_that_must_be_told_looks_at_each_patch_of_the_class_person()
    {
        PoseModel();
        var run = await Cli.RunAsync(_work.Folder, "process", Rendered, "--model", "pose.json", "--model", "mini", "--people", "segmentation", "--max-people", "2", "--every", "20", "--overlay", "none", "--out", "out");
        Assert.True(run.ExitCode == 0, run.Error);
        var records = _work.Records("out/rendered/records.jsonl");
        Assert.All(records, record =>
        {
            var people = People(record);
            var seen = record.GetProperty("segmentation").GetProperty("classes").EnumerateArray().Any(c => c.GetProperty("name").GetString() == "person");
            Assert.InRange(people.Count, 0, seen ? 2 : 0);
            Assert.Equal("pose", record.GetProperty("pose").GetProperty("model").GetString());
            Assert.All(people, person =>
            {
                Assert.InRange(person.Box[2] * person.Box[3], 1, 0.9 * record.GetProperty("width").GetInt32() * record.GetProperty("height").GetInt32());
                // The head says one and the same everywhere, so that its peak is the corner of the region that was looked at: the box, made as wide as it is high, and a quarter larger.
                var side = 1.25 * Math.Max(person.Box[2], person.Box[3]);
                Assert.Equal(person.Box[0] + (person.Box[2] / 2) - (side / 2), person.Joint[0], 0.1);
                Assert.Equal(person.Box[1] + (person.Box[3] / 2) - (side / 2), person.Joint[1], 0.1);
            });
        });
        Assert.Contains(records, record => People(record).Count > 0);
    }

    [Fact]
    public async Task Boxes_of_a_file_are_who_there_is()
    {
        PoseModel();
        _work.Clip(frames: 3);
        File.WriteAllText(_work["boxes.json"], """[{"image_id":0,"category_id":1,"bbox":[10,20,30,40],"score":0.5},{"image_id":0,"category_id":1,"bbox":[50,5,20,30],"score":0.9},{"image_id":2,"category_id":1,"bbox":[0,0,96,64]}]""");
        var run = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--model", "pose.json", "--people", "boxes:boxes.json", "--overlay", "none", "--out", "out");
        Assert.True(run.ExitCode == 0, run.Error);
        var people = _work.Records("out/clip/records.jsonl").Select(record => People(record).Select(p => string.Join(' ', p.Box)).ToList()).ToList();
        Assert.Equal([["50 5 20 30", "10 20 30 40"], [], ["0 0 96 64"]], people);

        // Another file of boxes is another job.
        File.WriteAllText(_work["boxes.json"], "[");
        var broken = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--model", "pose.json", "--people", "boxes:boxes.json", "--out", "other");
        Assert.Equal(2, broken.ExitCode);
        Assert.Contains("boxes.json: is no JSON", broken.OnlyError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mini_counts_whom_it_finds_in_a_box()
    {
        var free = await ProcessRenderedAsync("free");
        var all = free.SelectMany((people, frame) => people.Select(p => (Frame: frame, p.Box))).ToList();
        Assert.NotEmpty(all);
        // The first person of the first frame that has one, and a place where nobody is.
        var one = all[0];
        File.WriteAllText(_work["boxes.json"], JsonSerializer.Serialize(new[] { new { image_id = 20 * one.Frame, bbox = one.Box }, new { image_id = 20 * one.Frame, bbox = new double[] { -50, -50, 10, 10 } } }));
        var told = await ProcessRenderedAsync("told", "--people", "boxes:boxes.json");
        Assert.Contains(told[one.Frame], person => person.Box.SequenceEqual(one.Box));
        Assert.All(told.Where((_, frame) => frame != one.Frame), Assert.Empty);
        var framed = await ProcessRenderedAsync("framed", "--people", "frame");
        Assert.Equal(free.Select(people => Math.Min(1, people.Count)), framed.Select(people => people.Count));
    }

    [Fact]
    public async Task A_service_has_people_of_its_own_for_each_stream_and_follows_them()
    {
        PoseModel();
        _work.Clip(frames: 6);
        File.WriteAllText(_work["boxes.json"], """[{"bbox":[10,20,30,40]}]""");
        File.WriteAllText(_work["service.yaml"], """
            models: [./pose.json]
            streams:
              whole: { source: clip.mp4 }
              fixed: { source: clip.mp4, people: { from: boxes, file: boxes.json } }
              followed: { source: clip.mp4, people: { from: track, max: 8 } }
            sinks: [{ kind: files, path: "out/{stream}" }]
            telemetry: { http: none }
            """);
        var run = await Cli.RunAsync(_work.Folder, "run", "-c", "service.yaml");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(Enumerable.Repeat("0 0 96 64", 6), Boxes("whole"));
        Assert.Equal(Enumerable.Repeat("10 20 30 40", 6), Boxes("fixed"));
        var followed = Boxes("followed");
        Assert.Equal("0 0 96 64", followed[0]);
        // All joints lie in one corner here: what is followed is a small place there, no longer the picture.
        Assert.Equal(6, followed.Count);
    }

    [Fact]
    public async Task What_a_model_cannot_do_is_said_before_anything_starts()
    {
        PoseModel();
        File.WriteAllText(_work["service.yaml"], "models: [./pose.json]\nstreams: { door: { source: clip.mp4, people: { from: segmentation } } }\ntelemetry: { http: none }\n");
        _work.Clip(frames: 1);
        var run = await Cli.RunAsync(_work.Folder, "run", "-c", "service.yaml");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("streams.door.people.from: segmentation needs a model with that task", run.OnlyError, StringComparison.Ordinal);
        File.WriteAllText(_work["x.onnx"], "no network");
        var detector = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--people", "detector:x.onnx", "--out", "out");
        Assert.Equal(3, detector.ExitCode);
        Assert.Contains("detector x.onnx", detector.OnlyError, StringComparison.Ordinal);
        foreach (var (value, said) in new[] { ("nobody", "use auto, frame, segmentation, track, detector:FILE or boxes:FILE"), ("boxes:none.json", "there is no file 'none.json'"), ("boxes", "is unknown") })
        {
            var wrong = await Cli.RunAsync(_work.Folder, "process", "clip.mp4", "--people", value, "--out", "out");
            Assert.Equal(2, wrong.ExitCode);
            Assert.Contains(said, wrong.OnlyError, StringComparison.Ordinal);
        }

        Assert.Empty(_work.Files("out"));
    }

    private async Task<List<List<(double[] Box, double[] Joint)>>> ProcessRenderedAsync(string name, params string[] more)
    {
        var run = await Cli.RunAsync(_work.Folder, ["process", Rendered, "--every", "20", "--overlay", "none", "--out", name, .. more]);
        Assert.True(run.ExitCode == 0, run.Error);
        return [.. _work.Records($"{name}/rendered/records.jsonl").Select(People)];
    }

    private List<string> Boxes(string stream) =>
        [.. _work.Files($"out/{stream}").Where(f => f.EndsWith("records.jsonl", StringComparison.Ordinal)).SelectMany(f => _work.Records($"out/{stream}/{f}")).Select(r => string.Join(' ', Assert.Single(People(r)).Box))];

    /// <summary>Box and first joint of each.</summary>
    private static List<(double[] Box, double[] Joint)> People(JsonElement record) =>
        [.. record.GetProperty("pose").GetProperty("people").EnumerateArray().Select(p => (Numbers(p.GetProperty("box")), Numbers(p.GetProperty("keypoints")[0])))];

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(n => n.GetDouble())];

    /// <summary>A top-down model as small as the golden one, whose head finds every joint in the corner of what it looks at.</summary>
    private void PoseModel()
    {
        using var scope = NewDisposeScope();
        var golden = new GoldenModel(Path.Combine(Repository.Root, "tests", "Fixtures", "pose"));
        var manifest = golden.Manifest() with { Name = "pose", Weights = "pose.safetensors", WorkingSize = new ImageSize(64, 64) };
        using var network = golden.Load(new MetaPromptsPose(manifest));
        var tensors = network.state_dict();
        tensors["keypoint_head.final_layer.weight"] = zeros_like(tensors["keypoint_head.final_layer.weight"]);
        tensors["keypoint_head.final_layer.bias"] = full(17, 0.75f);
        SafetensorsWriter.Write(_work["pose.safetensors"], tensors, floats: ScalarType.Float16);
        using var file = File.OpenRead(_work["pose.safetensors"]);
        Manifests.Write(manifest with { Sha256 = Manifests.Sha256(file) }, _work["pose.json"]);
    }
}
