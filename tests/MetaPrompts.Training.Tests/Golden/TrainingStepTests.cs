using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Modules;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Verification;
using MetaPrompts.Testing;
using MetaPrompts.Training.Losses;
using MetaPrompts.Training.Optimisation;
using TorchSharp;
using Parameter = TorchSharp.Modules.Parameter;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tests.Golden;

/// <summary>One step of the published trainings: losses, gradients, groups and the weights afterwards, against what the published modules did.</summary>
public sealed class TrainingStepTests(ITestOutputHelper output)
{
    private const double EnoughGradient = 1e-3, GradientTolerance = 1e-4;

    [Theory]
    [InlineData(PerceptionTask.Depth, false)]
    [InlineData(PerceptionTask.Depth, true)]
    [InlineData(PerceptionTask.Segmentation, false)]
    [InlineData(PerceptionTask.Segmentation, true)]
    [InlineData(PerceptionTask.Pose, false)]
    [InlineData(PerceptionTask.Pose, true)]
    public void A_step_is_the_published_one(PerceptionTask task, bool checkpointing)
    {
        using var scope = NewDisposeScope();
        var word = task.ToString().ToLowerInvariant();
        using var golden = new GoldenCase(GoldenFixture.PathOf(word, "train.safetensors"));
        using var json = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf(word, "train.json")));
        var model = new GoldenModel(Path.GetDirectoryName(GoldenFixture.PathOf(word, "train.json"))!);
        using var network = Network(task, model, golden);
        // The files hold what float64 says: so does this, and no comparison has to allow for noise.
        network.to(ScalarType.Float64);
        model.Load(network);
        network.train();

        using var checkpoints = checkpointing ? new GradientCheckpoints(network) : null;
        var loss = Loss(network, model, golden);
        Near(json.RootElement.GetProperty("loss").GetDouble(), loss.item<double>(), 2e-6, "loss");
        Assert.Equal(checkpointing, checkpoints?.Waiting > 0);
        if (checkpoints is null) loss.backward();
        else checkpoints.Backward(loss);

        var rate = double.Parse(json.RootElement.GetProperty("config").GetProperty("lr").GetString()!, CultureInfo.InvariantCulture);
        var published = json.RootElement.GetProperty("parameters");
        using var names = JsonDocument.Parse(File.ReadAllText(GoldenFixture.PathOf(word, "names.json")));
        var listed = network.named_parameters().ToDictionary(one => Listed(one.name, published, names), one => one.parameter);
        var groups = PublishedGroups.Of(task, network).ToDictionary(one => Listed(one.Name, published, names));
        Gradients(published, listed, groups, rate);

        using var optimiser = new Optimiser(groups.Values, beta2: 0.999);
        optimiser.Step(rate, clipNorm: double.PositiveInfinity);
        Weights(published, listed);
        Buffers(network, golden);
    }

    private static Module Network(PerceptionTask task, GoldenModel model, GoldenCase golden)
    {
        var manifest = model.Manifest(golden.ResizeScale, golden.MaxDepth);
        return task switch
        {
            PerceptionTask.Depth => new MetaPromptDepth(manifest),
            PerceptionTask.Segmentation => new MetaPromptsSeg(manifest),
            _ => new MetaPromptsPose(manifest),
        };
    }

    private static Tensor Loss(Module network, GoldenModel model, GoldenCase golden)
    {
        var image = golden.Image(ScalarType.Float64);
        var steps = Enumerable.Range(1, model.RefineSteps);
        switch (network)
        {
            case MetaPromptDepth depth:
                var metres = depth.forward(image, [.. steps.Select(depth.PrepareStep)]);
                return SiLogLoss.Of(metres.squeeze(1), golden.Expected("depth_gt").to(ScalarType.Float64));
            case MetaPromptsSeg seg:
                var (logits, auxiliary) = seg.ForwardTraining(image, [.. steps.Select(seg.PrepareStep)]);
                var parts = SegmentationLoss.Of(logits, auxiliary, golden.Expected("label"));
                Near(golden.Expected("loss_ce").item<float>(), parts.CrossEntropy.item<double>(), 2e-6, "cross-entropy");
                Near(golden.Expected("loss_lovasz").item<float>(), parts.Lovasz.item<double>(), 2e-6, "Lovász");
                Near(golden.Expected("loss_ce_aux").item<float>(), parts.Auxiliary.item<double>(), 2e-6, "auxiliary cross-entropy");
                return parts.Loss;
            case MetaPromptsPose pose:
                return KeypointMseLoss.Of(pose.forward(image, [.. steps.Select(pose.PrepareStep)]), golden.Expected("target").to(ScalarType.Float64), golden.Expected("target_weight").to(ScalarType.Float64));
            default:
                throw new ArgumentException(network.GetName());
        }
    }

    /// <summary>The file lists a shared tensor once, under the name that its module order met first.</summary>
    private static string Listed(string name, JsonElement published, JsonDocument names)
    {
        if (published.TryGetProperty(name, out _)) return name;
        var aliases = names.RootElement.GetProperty("aliases").EnumerateObject()
            .Select(one => (string[])[one.Name, .. one.Value.EnumerateArray().Select(alias => alias.GetString()!)]).First(group => group.Contains(name));
        return aliases.First(alias => published.TryGetProperty(alias, out _));
    }

    private void Gradients(JsonElement published, Dictionary<string, Parameter> listed, Dictionary<string, TrainedParameter> groups, double rate)
    {
        var (compared, worst) = (0, 0.0);
        foreach (var one in published.EnumerateObject().Where(one => !GoldenModel.LeftOut(one.Name)))
        {
            if (!one.Value.TryGetProperty("grad_norm", out var norm))
            {
                Assert.False(groups.ContainsKey(one.Name) && listed[one.Name].grad is not null, $"{one.Name} is frozen in the published training");
                continue;
            }
            var group = groups[one.Name];
            Near(one.Value.GetProperty("lr").GetDouble(), rate * group.Rate, 1e-12, $"rate of {one.Name}");
            Near(one.Value.GetProperty("weight_decay").GetDouble(), group.WeightDecay, 1e-12, $"decay of {one.Name}");
            // Small ones are zero in theory and noise in both.
            if (norm.GetDouble() < EnoughGradient) continue;
            var off = Math.Abs(listed[one.Name].grad!.norm().item<double>() / norm.GetDouble() - 1);
            (compared, worst) = (compared + 1, Math.Max(worst, off));
            Assert.True(off <= GradientTolerance, $"{one.Name}: gradient differs by {off:p2}");
        }
        output.WriteLine($"{compared} gradients, worst norm off by {worst:p4}");
        Assert.True(compared > 100);
    }

    /// <summary>The first step is nearly the gradient's sign times the rate: where a gradient is nearly nothing, its sign may be either.</summary>
    private void Weights(JsonElement published, Dictionary<string, Parameter> listed)
    {
        var (compared, worst) = (0, 0.0);
        foreach (var one in published.EnumerateObject().Where(one => !GoldenModel.LeftOut(one.Name)))
        {
            var now = listed[one.Name].detach().flatten();
            var index = one.Value.GetProperty("index").EnumerateArray().Select(i => i.GetInt64()).ToArray();
            var before = Numbers(one.Value, "before");
            var after = one.Value.TryGetProperty("after", out _) ? Numbers(one.Value, "after") : before;
            var gradients = one.Value.TryGetProperty("grad", out _) ? Numbers(one.Value, "grad") : null;
            for (var k = 0; k < index.Length; k++)
            {
                var value = now[index[k]].item<double>();
                if (gradients is null)
                {
                    Assert.Equal((float)before[k], (float)value);
                    continue;
                }
                if (Math.Abs(gradients[k]) < 1e-6) continue;
                var step = Math.Abs(after[k] - before[k]);
                // A share of the step, and what float32 leaves of a weight of this size.
                var off = Math.Max(0, Math.Abs(value - after[k]) - 2.4e-7 * Math.Abs(after[k])) / step;
                (compared, worst) = (compared + 1, Math.Max(worst, off));
                Assert.True(off <= 0.02, $"{one.Name}[{index[k]}]: {before[k]} → {value} instead of {after[k]}, gradient {gradients[k]:e2}");
            }
        }
        output.WriteLine($"{compared} weights, worst off by {worst:p2} of its step");
        Assert.True(compared > 300);
    }

    private static void Buffers(Module network, GoldenCase golden)
    {
        var buffers = network.named_buffers().ToDictionary(one => one.name, one => one.buffer);
        var stored = golden.Names.Where(name => name.StartsWith("buffer/", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(stored);
        foreach (var name in stored)
        {
            var (expected, actual) = (golden.Expected(name).to(ScalarType.Float64), buffers[name["buffer/".Length..]].to(ScalarType.Float64));
            Assert.True(expected.allclose(actual, 1e-4, 1e-5), name);
        }
    }

    private static double[] Numbers(JsonElement one, string name) => [.. one.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    private static void Near(double expected, double actual, double relative, string what) =>
        Assert.True(Math.Abs(expected - actual) <= relative * Math.Max(1e-12, Math.Abs(expected)), $"{what}: {actual} instead of {expected}");
}
