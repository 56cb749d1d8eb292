using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;

namespace MetaPrompts.Io.Sinks;

/// <summary>Several sinks of one piece, written one after the other: maps before the record that names them.</summary>
/// <param name="sinks">Taken over.</param>
/// <param name="owned">Disposed after them: what they draw with.</param>
public sealed class SinksInOrder(string name, IReadOnlyList<IResultSink> sinks, IDisposable? owned = null) : IResultSink
{
    public string Name { get; } = name;

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless();

    public async Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        foreach (var sink in sinks) await sink.WriteAsync(item, stop).ConfigureAwait(false);
    }

    public async Task CompleteAsync(CancellationToken stop)
    {
        foreach (var sink in sinks) await sink.CompleteAsync(stop).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            foreach (var sink in sinks) await sink.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            owned?.Dispose();
        }
    }
}
