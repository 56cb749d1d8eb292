using System.Diagnostics;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Optimisation;
using MetaPrompts.Training.Tasks;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training;

/// <summary>
/// The loop: draw, forward, backward, step, report, save. No callbacks: it yields, the caller decides. Everything random of a step follows from the seed and
/// the step's number, so a resumed run ends in the same weights, to the bit on the same device.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly TrainerOptions _options;
    private readonly ITrainingSet _set;
    private readonly Replicas _replicas;
    private readonly Optimiser _optimiser;
    private readonly TrainingState _state;

    /// <param name="set">Borrowed.</param>
    public Trainer(ModelManifest manifest, TrainerOptions options, ITrainingSet set)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(set);
        Check(options, manifest.Network.Kind is "multi" or "pose" ? 64 : 32);
        (_options, _set) = (options, set);
        set_num_threads(options.Threads);
        random.manual_seed(options.Seed);
        _replicas = new Replicas(manifest, options);
        _optimiser = new Optimiser(_replicas.First.Parameters(options), options.Optimiser, beta2: options.Beta2, threads: options.Replicas);
        _state = new TrainingState(_replicas.First.Network, _optimiser, options, _replicas.First.Scaffold);
    }

    /// <summary>Steps already taken.</summary>
    public int Step => _optimiser.Steps;

    public long Parameters => _replicas.First.Network.parameters().Sum(parameter => parameter.numel());

    /// <summary>Continues what <see cref="SaveState"/> left.</summary>
    /// <exception cref="ModelRefusedException">The file is of another network or recipe.</exception>
    public void Resume(string path) => _state.Load(path);

    /// <summary>Starts from weights, as its first step: Stable Diffusion's UNet and autoencoder, or all of a network of the same shape (of an earlier run, converted, or as published).</summary>
    /// <param name="weights">What CheckpointFiles.Open takes.</param>
    /// <returns>What was taken, left out and kept.</returns>
    /// <exception cref="CheckpointException">Anything the network wants is missing or of another shape, or anything of the file has no place in it.</exception>
    public LoadReport StartFrom(string weights) => _state.LoadWeights(weights, _replicas.First.Manifest.KeyMap);

    /// <summary>Weights, averages, optimiser and step in one file, renamed into place: a kill leaves the old state or the new one.</summary>
    public void SaveState(string path) => _state.Save(path);

    /// <summary>The averaged weights as float16 under their published names: what others load.</summary>
    public void SaveWeights(string path) => _state.SaveWeights(path);

    /// <summary>One item a step, until the schedule ends or <paramref name="stop"/> comes; the step in hand is finished.</summary>
    /// <exception cref="TrainingDivergedException">The loss is no longer finite; nothing was saved since.</exception>
    public IEnumerable<TrainingProgress> Run(CancellationToken stop)
    {
        using var loader = new BatchLoader(_set, _options, Step);
        while (Step < _options.TotalSteps && !stop.IsCancellationRequested)
        {
            var step = Step;
            var watch = Stopwatch.StartNew();
            _replicas.Spread();
            var samples = loader.Next();
            var (loss, parts) = _replicas.Backward(samples, RefineSteps(step), step);
            var rate = LearningRates.At(step, _options);
            var norm = _optimiser.Step(rate, _options.ClipNorm > 0 ? _options.ClipNorm : double.PositiveInfinity);
            if (!double.IsFinite(loss) || !double.IsFinite(norm)) throw new TrainingDivergedException(step, _options.Seed, samples.Select(sample => sample.Name));
            _state.Average();
            yield return new TrainingProgress(step + 1, _options.TotalSteps, loss, parts, rate, norm, watch.Elapsed);
        }
    }

    /// <summary>1 to the manifest's number of steps, drawn so that each is usable alone.</summary>
    private int RefineSteps(int step)
    {
        var chances = _options.RefineChances;
        var most = Math.Min(_replicas.First.Manifest.RefineSteps, chances.Count);
        var draw = new Random(unchecked(_options.Seed * 31 + step)).NextDouble() * chances.Take(most).Sum();
        var chosen = 1;
        while (chosen < most && draw >= chances[chosen - 1]) draw -= chances[chosen++ - 1];
        return chosen;
    }

    /// <param name="multiple">What the network halves its pictures down to, times eight.</param>
    private static void Check(TrainerOptions options, int multiple)
    {
        if (options.Phases.Count == 0 || options.Phases.Any(phase => phase.Steps < 1)) throw new ConfigurationException("training.phases", "needs at least one phase of at least one step");
        if (options.Phases.Any(phase => phase.Size.Height % multiple != 0 || phase.Size.Width % multiple != 0 || phase.Size.Pixels == 0))
            throw new ConfigurationException("training.phases.size", $"height and width must be multiples of {multiple}");
        if (options.Replicas < 1) throw new ConfigurationException("training.replicas", $"must be at least 1, is {options.Replicas}");
        if (options.Accumulate < 1) throw new ConfigurationException("training.accumulate", $"must be at least 1, is {options.Accumulate}");
        var parts = options.Replicas * options.Accumulate;
        if (options.BatchSize % parts != 0 || options.BatchSize / parts < 2)
            throw new ConfigurationException("training.batchSize", $"must be a multiple of replicas times accumulate, with at least 2 pictures each (batch statistics), is {options.BatchSize}");
        if (options.Dropout is not (>= 0 and < 1)) throw new ConfigurationException("training.dropout", $"must be from 0 to below 1, is {options.Dropout}");
        if (options.Dropout > 0 && options.Replicas > 1) throw new ConfigurationException("training.replicas", "must be 1 where there is dropout: copies would draw from one generator in an order of their own; use threads");
        if (options.Threads < 1) throw new ConfigurationException("training.threads", $"must be at least 1, is {options.Threads}");
        if (options.SaveEvery < 1) throw new ConfigurationException("training.saveEvery", $"must be at least 1, is {options.SaveEvery}");
        if (options.Epochs < 1) throw new ConfigurationException("training.epochs", $"must be at least 1, is {options.Epochs}");
        if (options.LearningRate is not (> 0 and < 1)) throw new ConfigurationException("training.learningRate", $"must be between 0 and 1, is {options.LearningRate}");
    }

    public void Dispose()
    {
        _state.Dispose();
        _optimiser.Dispose();
        _replicas.Dispose();
    }
}
