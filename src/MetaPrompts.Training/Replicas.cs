using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Tasks;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training;

/// <summary>
/// Copies of one network, each with its share of the batch on a thread of its own. At the widths of a small network two threads within an operation wait for
/// each other more than they compute (measured); two copies do not. The mean of the gradients ends up in the first copy, which is the one that learns.
/// Owns copies and threads.
/// </summary>
internal sealed class Replicas : IDisposable
{
    private readonly ITrainingTask[] _copies;
    private readonly Dictionary<ITrainingTask, GradientCheckpoints> _checkpoints = [];
    private readonly Device _device;
    private readonly int _accumulate, _seed;
    private readonly bool _dropout;
    private readonly DeviceThread[] _threads;

    public Replicas(ModelManifest manifest, TrainerOptions options)
    {
        (_device, _accumulate, _seed, _dropout) = (TrainingTasks.Device(options), options.Accumulate, options.Seed, options.Dropout > 0);
        _copies = [.. Enumerable.Range(0, options.Replicas).Select(_ => TrainingTasks.Of(manifest, options))];
        _threads = [.. Enumerable.Range(0, options.Replicas).Select(i => new DeviceThread($"replica {i}"))];
        foreach (var copy in _copies)
        {
            copy.Network.train();
            if (options.Checkpointing) _checkpoints[copy] = new GradientCheckpoints(copy.Network);
        }
    }

    /// <summary>The copy that learns.</summary>
    public ITrainingTask First => _copies[0];

    /// <summary>Gives every copy the weights of the first.</summary>
    public void Spread()
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        var weights = First.Network.parameters().ToList();
        foreach (var copy in _copies.Skip(1))
            foreach (var (mine, theirs) in copy.Network.parameters().Zip(weights)) mine.copy_(theirs);
    }

    /// <summary>Forward and backward over the whole batch.</summary>
    /// <param name="samples">A multiple of the number of copies.</param>
    /// <param name="step">From 0; what is random in a loss follows from it.</param>
    /// <returns>The mean loss and its parts; the gradients are in <see cref="First"/>.</returns>
    public (double Loss, IReadOnlyDictionary<string, double> Parts) Backward(IReadOnlyList<TrainingSample> samples, int refineSteps, int step)
    {
        var share = samples.Count / _copies.Length;
        var said = Task.WhenAll(_copies.Select((copy, i) => _threads[i].RunAsync(() => Backward(copy, [.. samples.Skip(i * share).Take(share)], refineSteps, unchecked((_seed * 1_000_003L + step) * 64 + i))))).GetAwaiter().GetResult();
        Gather();
        return (said.Average(one => one.Loss), said[0].Parts.Keys.ToDictionary(name => name, name => said.Average(one => one.Parts[name])));
    }

    /// <summary>In as many parts as asked for, one after the other: their gradients add up to the mean's.</summary>
    private (double Loss, Dictionary<string, double> Parts) Backward(ITrainingTask copy, IReadOnlyList<TrainingSample> samples, int refineSteps, long seed)
    {
        var (total, means, part) = (0.0, new Dictionary<string, double>(), 0);
        foreach (var few in samples.Chunk(samples.Count / _accumulate))
        {
            using var scope = NewDisposeScope();
            using var batch = new Batch(few, _device) { Seed = unchecked(seed * 1009 + part++) };
            // Dropout draws from the library's one generator, whose state no file keeps.
            if (_dropout) random.manual_seed(batch.Seed);
            var (loss, parts) = copy.Loss(batch, refineSteps);
            var share = _accumulate == 1 ? loss : loss / _accumulate;
            if (_checkpoints.TryGetValue(copy, out var checkpoints)) checkpoints.Backward(share);
            else share.backward();
            total += loss.item<float>() / _accumulate;
            foreach (var (name, value) in parts) means[name] = means.GetValueOrDefault(name) + value.item<float>() / _accumulate;
        }
        return (total, means);
    }

    /// <summary>In one order, so that the sum is the same to the bit each time.</summary>
    private void Gather()
    {
        if (_copies.Length == 1) return;
        using var none = no_grad();
        using var scope = NewDisposeScope();
        var others = _copies.Skip(1).Select(copy => copy.Network.parameters().ToList()).ToList();
        var first = First.Network.parameters().ToList();
        for (var i = 0; i < first.Count; i++)
        {
            if (first[i].grad is not { } sum) continue;
            foreach (var gradient in others.Select(other => other[i].grad!))
            {
                sum.add_(gradient);
                gradient.zero_();
            }
            sum.div_(_copies.Length);
        }
    }

    public void Dispose()
    {
        foreach (var thread in _threads) thread.Dispose();
        foreach (var checkpoints in _checkpoints.Values) checkpoints.Dispose();
        foreach (var copy in _copies) copy.Dispose();
    }
}
