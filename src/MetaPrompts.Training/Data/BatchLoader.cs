using System.Collections.Concurrent;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Data;

/// <summary>
/// Draws and augments the samples of each step on its own threads, a few steps ahead. What a step gets depends on seed and step alone, so a resumed run
/// sees what an uninterrupted one would have seen.
/// </summary>
public sealed class BatchLoader : IDisposable
{
    private const int Ahead = 3;
    private const int Block = 512;                // scenes shuffled together; also how long a scene's picture is kept

    private readonly TrainerOptions _options;
    private readonly ConcurrentDictionary<(int Scene, ImageSize Size), Lazy<SceneFrame>> _rendered = new();
    private readonly BlockingCollection<(int Step, Task<TrainingSample[]> Samples)> _queue = new(Ahead);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _workers;
    private readonly Task _producer;

    /// <param name="firstStep">0, or the step to resume at.</param>
    public BatchLoader(TrainerOptions options, int firstStep)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _workers = new SemaphoreSlim(Math.Max(1, options.LoaderThreads));
        _producer = Task.Factory.StartNew(() => Produce(firstStep), TaskCreationOptions.LongRunning);
    }

    /// <summary>The next step's samples; steps come in order.</summary>
    public IReadOnlyList<TrainingSample> Next()
    {
        var (_, samples) = _queue.Take(_stop.Token);
        return samples.GetAwaiter().GetResult();
    }

    private void Produce(int step)
    {
        try
        {
            for (; step < _options.TotalSteps; step++)
            {
                var now = step;
                var samples = Task.WhenAll(Enumerable.Range(0, _options.BatchSize).Select(slot => Task.Run(() => Load(now, slot))));
                _queue.Add((now, samples), _stop.Token);
                Forget(now);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed while waiting for room in the queue.
        }
    }

    private async Task<TrainingSample> Load(int step, int slot)
    {
        await _workers.WaitAsync(_stop.Token).ConfigureAwait(false);
        try
        {
            var number = (long)step * _options.BatchSize + slot;
            var size = _options.SizeAt(step);
            var scene = SceneOf(number);
            var frame = _rendered.GetOrAdd((scene, size), key => new Lazy<SceneFrame>(() => Render(key.Scene, key.Size))).Value;
            return Augmentations.Apply(frame, new Random(HashCode(_options.Seed, number)));
        }
        finally
        {
            _workers.Release();
        }
    }

    /// <summary>Every block of scenes is shown SceneUses times in one shuffled order.</summary>
    private int SceneOf(long number)
    {
        var perBlock = Block * _options.SceneUses;
        var (block, at) = ((int)(number / perBlock), (int)(number % perBlock));
        return block * Block + ShuffledOrder(block)[at] % Block;
    }

    private readonly ConcurrentDictionary<int, int[]> _orders = new();

    private int[] ShuffledOrder(int block) => _orders.GetOrAdd(block, b =>
    {
        var order = Enumerable.Range(0, Block * _options.SceneUses).ToArray();
        new Random(HashCode(_options.Seed + 7919, b)).Shuffle(order);
        return order;
    });

    private SceneFrame Render(int scene, ImageSize size) => SyntheticScenes.Training(_options.Seed, scene, size);

    /// <summary>Drops the pictures of blocks that lie behind.</summary>
    private void Forget(int step)
    {
        var oldest = (int)((long)(step - 2 * Ahead) * _options.BatchSize / (Block * _options.SceneUses));
        foreach (var key in _rendered.Keys.Where(key => key.Scene / Block < oldest)) _rendered.TryRemove(key, out _);
        foreach (var block in _orders.Keys.Where(block => block < oldest)) _orders.TryRemove(block, out _);
    }

    /// <summary>Spreads two numbers over all seeds; the framework's own HashCode differs from run to run.</summary>
    private static int HashCode(int seed, long number)
    {
        var z = unchecked((ulong)number * 0x9E3779B97F4A7C15UL + (ulong)(uint)seed * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return (int)(z >> 33);
    }

    public void Dispose()
    {
        _stop.Cancel();
        _producer.Wait();
        _stop.Dispose();
        _queue.Dispose();
    }
}
