using System.Collections.Concurrent;

namespace MetaPrompts.Training.Data;

/// <summary>Draws the samples of each step on its own threads, a few steps ahead.</summary>
public sealed class BatchLoader : IDisposable
{
    private const int Ahead = 3;

    private readonly ITrainingSet _set;
    private readonly TrainerOptions _options;
    private readonly BlockingCollection<Task<TrainingSample[]>> _queue = new(Ahead);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _workers;
    private readonly Task _producer;

    /// <param name="set">Borrowed.</param>
    /// <param name="firstStep">0, or the step to resume at.</param>
    public BatchLoader(ITrainingSet set, TrainerOptions options, int firstStep)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(options);
        (_set, _options) = (set, options);
        _workers = new SemaphoreSlim(Math.Max(1, options.LoaderThreads));
        _producer = Task.Factory.StartNew(() => Produce(firstStep), TaskCreationOptions.LongRunning);
    }

    /// <summary>The next step's samples; steps come in order.</summary>
    /// <exception cref="Core.Errors.SourceLostException">A file of the data set is missing or damaged; named.</exception>
    public IReadOnlyList<TrainingSample> Next() => _queue.Take(_stop.Token).GetAwaiter().GetResult();

    private void Produce(int step)
    {
        try
        {
            for (; step < _options.TotalSteps; step++)
            {
                var now = step;
                _queue.Add(Task.WhenAll(Enumerable.Range(0, _options.BatchSize).Select(slot => Task.Run(() => Load(now, slot)))), _stop.Token);
                _set.Forget((long)Math.Max(0, now - 2 * Ahead) * _options.BatchSize);
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
            return _set.Draw((long)step * _options.BatchSize + slot, _options.SizeAt(step));
        }
        finally
        {
            _workers.Release();
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _producer.Wait();
        _stop.Dispose();
        _queue.Dispose();
    }
}
