using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Model.Inference;
using MetaPrompts.Testing;
using MetaPrompts.Training.Optimisation;
using MetaPrompts.Training.Tests.Data.Sets;
using TorchSharp;

namespace MetaPrompts.Training.Tests;

/// <summary>The published trainings on data sets in the layouts they are given out in, at widths that take seconds.</summary>
[Collection(OneAtATime.Name)]
public sealed class PublishedTrainingTests : IDisposable
{
    private readonly SetFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static TrainingRecipe Tiny(string @base, string data, PerceptionTask task, int steps, ImageSize size) => new()
    {
        Name = "tiny",
        Base = @base,
        Data = data,
        RefineSteps = 2,
        Network = PublishedModels.Named(@base).Network with { ModelChannels = 32, NumHeads = 4, ContextDim = 48, VaeCh = 32, EmbedDim = 48, Filters = 16, FuseFilters = 16, DecoderChannels = 16, HeadChannels = 16, ResizeScale = 1 },
        MetaPrompts = new Dictionary<PerceptionTask, int> { [task] = 6 },
        WorkingSize = size,
        Training = new TrainerOptions
        {
            Phases = [new TrainingPhase(size, steps)], BatchSize = 4, Accumulate = 2, Schedule = LearningRateSchedule.OneCycle, LearningRate = 1e-3, FinalRate = 0.06, Beta2 = 0.999, ClipNorm = 0, AverageDecay = 0,
            RefineChances = [0, 1], SaveEvery = 100, Resize = new ImageSize(64, 96),
        },
    };

    private string NyuFolder()
    {
        for (var i = 0; i < 5; i++)
        {
            _folder.Picture($"sync/office/rgb_0000{i}.png", SetFolder.Scene(i));
            _folder.Depth($"sync/office/sync_depth_0000{i}.png", SetFolder.Scene(i), 0.001);
        }
        _folder.Text("train_list.txt", string.Concat(Enumerable.Range(0, 5).Select(i => $"/office/rgb_0000{i}.png /office/sync_depth_0000{i}.png 518.8579\n")));
        return "nyu:" + _folder.Root;
    }

    private string AdeFolder()
    {
        for (var i = 0; i < 5; i++)
        {
            _folder.Picture($"images/training/ADE_train_0000000{i}.png", SetFolder.Scene(i));
            _folder.Labels($"annotations/training/ADE_train_0000000{i}.png", SetFolder.Scene(i), id => (byte)(id + 1));
        }
        return "ade20k:" + _folder.Root;
    }

    private string CocoFolder()
    {
        var joints = string.Join(',', Enumerable.Range(0, 17).Select(j => $"{30 + j},{10 + 2 * j},2"));
        _folder.Picture("train2017/7.png", SetFolder.Scene(0));
        _folder.Text("annotations/person_keypoints_train2017.json",
            "{\"images\":[{\"id\":1,\"file_name\":\"7.png\",\"width\":96,\"height\":64}],\"annotations\":[" +
            string.Join(',', Enumerable.Range(1, 3).Select(id => $"{{\"id\":{id},\"image_id\":1,\"category_id\":1,\"bbox\":[25,5,30,50],\"area\":900,\"iscrowd\":{(id == 3 ? 1 : 0)},\"num_keypoints\":17,\"keypoints\":[{joints}]}}")) + "]}");
        return "coco-keypoints:" + _folder.Root;
    }

    [Theory]
    [InlineData("depth-nyu", PerceptionTask.Depth, 64, 64)]
    [InlineData("segmentation-ade20k", PerceptionTask.Segmentation, 64, 64)]
    [InlineData("segmentation-ade20k", PerceptionTask.Segmentation, 64, 64, 0.5)]
    [InlineData("pose-coco", PerceptionTask.Pose, 128, 64)]
    public void ARunIsResumedToTheBitAndOpensAsAModel(string @base, PerceptionTask task, int height, int width, double dropout = 0)
    {
        var size = new ImageSize(height, width);
        var data = task switch { PerceptionTask.Depth => NyuFolder(), PerceptionTask.Segmentation => AdeFolder(), _ => CocoFolder() };
        var recipe = Tiny(@base, data, task, 4, size);
        recipe = recipe with { Training = recipe.Training with { Dropout = dropout } };
        var whole = new TrainingRun(recipe, _folder.At("whole"));
        var steps = whole.Run(null, default).ToList();
        Assert.Equal(4, steps.Count);
        Assert.All(steps, step => Assert.True(double.IsFinite(step.Loss) && step.GradientNorm > 0));

        using var stop = new CancellationTokenSource();
        foreach (var progress in new TrainingRun(recipe, _folder.At("parts")).Run(null, stop.Token))
        {
            if (progress.Step == 2) stop.Cancel();
        }
        Assert.Equal([3, 4], new TrainingRun(recipe, _folder.At("parts")).Run(null, default).Select(progress => progress.Step));
        Assert.Equal(File.ReadAllBytes(_folder.At("whole/state.safetensors")), File.ReadAllBytes(_folder.At("parts/state.safetensors")));

        Assert.Contains(data.Split(':')[0], File.ReadAllText(_folder.At("whole/data.txt")), StringComparison.Ordinal);
        Assert.StartsWith("step,loss,", File.ReadLines(_folder.At("whole/metrics.csv")).First(), StringComparison.Ordinal);
        using var model = PerceptionModels.Open(whole.ManifestPath, new ExecutionOptions { Device = "cpu" });
        Assert.Equal([task], model.Manifest.Tasks);
    }

    /// <summary>The network that the golden Stable Diffusion fits.</summary>
    private TrainingRecipe Small(int seed = 1)
    {
        var recipe = Tiny("depth-nyu", NyuFolder(), PerceptionTask.Depth, 1, new ImageSize(64, 64));
        return recipe with
        {
            Network = recipe.Network! with { ChannelMult = [1, 1, 1, 1], ContextDim = 32, EmbedDim = 32, VaeChMult = [1, 1, 1, 1], VaeNumResBlocks = 1 },
            Training = recipe.Training with { Seed = seed },
        };
    }

    [Theory]
    [InlineData("sd-tiny.ckpt", false)]
    [InlineData("sd-tiny.safetensors", false)]
    [InlineData("sd-tiny.ckpt", true)]
    public void ARunBeginsWithStableDiffusion(string form, bool bfloat16)
    {
        using var scope = torch.NewDisposeScope();
        var recipe = Small();
        recipe = recipe with { Training = recipe.Training with { Bfloat16 = bfloat16 } };
        using var sd = CheckpointFiles.Open(GoldenFixture.PathOf("sd", "sd-tiny.ckpt"));
        var path = form == "sd-tiny.ckpt" ? GoldenFixture.PathOf("sd", form) : _folder.At(form);
        if (form != "sd-tiny.ckpt") SafetensorsWriter.Write(path, sd.Entries.ToDictionary(entry => entry.Name, entry => sd.Read(entry.Name)));
        using var trainer = new Trainer(recipe.Manifest(), recipe.Training, recipe.Set());
        var report = trainer.StartFrom(path);
        Assert.True(report.Complete);
        Assert.Contains("encoder.meta_prompts1", report.Kept);
        Assert.Contains(report.Lines(), line => line.EndsWith("the autoencoder's decoder paints; nothing here does", StringComparison.Ordinal));
        trainer.SaveWeights(_folder.At("begun.safetensors"));
        using var begun = new SafetensorsReader(_folder.At("begun.safetensors"));
        // A convolution that learns, the tied output head, and the frozen autoencoder; float16 as in the file, so to the bit even where the network computes in bfloat16.
        foreach (var (theirs, ours) in ((string, string)[])
        [
            ("model.diffusion_model.input_blocks.1.0.in_layers.2.weight", "encoder.unet.unet.diffusion_model.input_blocks.1.0.in_layers.2.weight"),
            ("first_stage_model.encoder.conv_in.weight", "encoder.encoder_vq.encoder.conv_in.weight"),
        ])
            Assert.True(sd.Read(theirs).to(torch.float32).allclose(begun.Read(ours).to(torch.float32), 0, bfloat16 && ours.Contains("encoder_vq", StringComparison.Ordinal) ? 1e-2 : 0), ours);
        Assert.All(trainer.Run(default), step => Assert.True(double.IsFinite(step.Loss) && step.GradientNorm > 0));
    }

    [Fact]
    public void ARunBeginsWithTheWeightsOfAnotherWholeOrNotAtAll()
    {
        using (var trainer = new Trainer(Small().Manifest(), Small().Training, Small().Set())) trainer.SaveWeights(_folder.At("one.safetensors"));
        using (var trainer = new Trainer(Small(seed: 2).Manifest(), Small(seed: 2).Training, Small().Set()))
        {
            Assert.Empty(trainer.StartFrom(_folder.At("one.safetensors")).Kept);
            trainer.SaveWeights(_folder.At("two.safetensors"));
        }
        Assert.Equal(File.ReadAllBytes(_folder.At("one.safetensors")), File.ReadAllBytes(_folder.At("two.safetensors")));

        var wider = Small() with { MetaPrompts = new Dictionary<PerceptionTask, int> { [PerceptionTask.Depth] = 7 } };
        using var other = new Trainer(wider.Manifest(), wider.Training, wider.Set());
        Assert.Contains("of another shape", Assert.Throws<CheckpointException>(() => other.StartFrom(_folder.At("one.safetensors"))).Message, StringComparison.Ordinal);
        var deeper = Small() with { Network = Small().Network! with { VaeNumResBlocks = 2 } };
        using var third = new Trainer(deeper.Manifest(), deeper.Training, deeper.Set());
        Assert.Contains("missing", Assert.Throws<CheckpointException>(() => third.StartFrom(GoldenFixture.PathOf("sd", "sd-tiny.ckpt"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rendered", "depth-nyu", "data: is missing")]
    [InlineData("synthetic:3", "depth-nyu", "is for scoring")]
    [InlineData("nyu:", "depth-nyu", "needs a path")]
    [InlineData("nowhere:x", "depth-nyu", "'nowhere' is unknown")]
    [InlineData("ade20k:{root}", "segmentation-cityscapes", "150 classes, the network 19")]
    [InlineData("ade20k:{root}", "pose-coco", "has no people")]
    public void DataThatDoesNotFitIsRefused(string data, string @base, string words)
    {
        AdeFolder();
        var task = PublishedModels.Named(@base).Tasks[0];
        var recipe = Tiny(@base, data.Replace("{root}", _folder.Root, StringComparison.Ordinal), task, 1, new ImageSize(64, 64));
        Assert.Contains(words, Assert.Throws<ConfigurationException>(() => recipe.Set()).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("run")));
    }

    [Fact]
    public void AnAbsentTargetIsNamed()
    {
        var recipe = Tiny("depth-nyu", AdeFolder(), PerceptionTask.Depth, 1, new ImageSize(64, 64));
        Assert.Contains("is not labelled with depth", Assert.Throws<ConfigurationException>(() => new TrainingRun(recipe, _folder.At("run")).Run(null, default).Count()).Message, StringComparison.Ordinal);
    }
}
