using System.Globalization;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Inference;
using MetaPrompts.Training;
using MetaPrompts.Training.Data;
using static TorchSharp.torch;

namespace MetaPrompts.Benchmarks;

/// <summary>
/// What a training step needs: time and memory of the trainer's own steps, a published network with random weights on pictures of noise. <c>training NAME HEIGHT WIDTH BATCH STEPS kept|again
/// [CHANNELS|WEIGHTS]</c>: activations kept, or computed again (<c>training.checkpointing</c>); CHANNELS other than Stable Diffusion's 320 make a narrower network, WEIGHTS are those that <c>full-size</c>
/// writes.
/// </summary>
internal static class TrainingMemory
{
    /// <param name="args">What stands after <c>training</c>.</param>
    public static void Run(IReadOnlyList<string> args)
    {
        int Number(int at) => int.Parse(args[at], CultureInfo.InvariantCulture);
        var (name, size, batch, steps) = (args[0], new ImageSize(Number(1), Number(2)), Number(3), Number(4));
        var manifest = PublishedModels.Named(name);
        var weights = args.Count > 6 && File.Exists(args[6]) ? args[6] : null;
        var channels = args.Count > 6 && weights is null ? Number(6) : manifest.Network.ModelChannels;
        var options = new TrainerOptions
        {
            // As the published recipes set them, where it matters here.
            Phases = [new TrainingPhase(size, steps)], BatchSize = batch, Checkpointing = args[5] == "again", LearningRate = 5e-4, Beta2 = 0.999, ClipNorm = 0, AverageDecay = 0,
            RefineChances = [.. Enumerable.Repeat(0.0, manifest.RefineSteps - 1), 1], Threads = Environment.ProcessorCount,
        };
        Console.WriteLine(Timed.Machine());
        using var trainer = new Trainer(manifest with { Network = manifest.Network with { ModelChannels = channels } }, options, new NoiseSet(manifest));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {trainer.Parameters / 1e6:0} million parameters, {manifest.RefineSteps} refine steps, {batch} × {size.Height}×{size.Width}, activations {args[5]}; {Resident("VmRSS")} MiB with weights and moments"));
        if (weights is not null) trainer.StartFrom(weights);
        foreach (var progress in trainer.Run(default))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"step {progress.Step}: loss {progress.Loss:0.0000}, gradient {progress.GradientNorm:0.000}, {progress.StepTime.TotalSeconds:0.0} s, {Resident("VmRSS")} MiB now, {Resident("VmHWM")} MiB at most, {Tensor.TotalCount} tensors"));
    }

    private static int Resident(string what) =>
        File.ReadLines("/proc/self/status").Where(line => line.StartsWith(what + ":", StringComparison.Ordinal)).Select(line => int.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024).FirstOrDefault();

    /// <summary>Depth and classes of noise; a sample's number is its seed.</summary>
    private sealed class NoiseSet(ModelManifest manifest) : ITrainingSet
    {
        public string Description => "noise";

        public TrainingSample Draw(long number, ImageSize size)
        {
            var random = new Random((int)number);
            T[] Of<T>(int count, Func<T> draw) => [.. Enumerable.Range(0, count).Select(_ => draw())];
            var sample = manifest.Tasks[0] switch
            {
                PerceptionTask.Depth => new TrainingSample(size, size) { Depth = Of(size.Pixels, () => 0.1f + random.NextSingle() * 9) },
                PerceptionTask.Segmentation => new TrainingSample(size, size) { ClassIds = Of(size.Pixels, () => (byte)random.Next(manifest.Classes.Count)) },
                _ => throw new ConfigurationException("training", "is for depth and segmentation here; name one of their networks"),
            };
            for (var i = 0; i < sample.Image.Length; i++) sample.Image[i] = random.NextSingle();
            return sample;
        }

        public void Forget(long number)
        {
        }
    }
}
