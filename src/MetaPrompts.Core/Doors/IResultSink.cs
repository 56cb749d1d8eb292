using MetaPrompts.Core.Flow;

namespace MetaPrompts.Core.Doors;

/// <summary>
/// Where results leave the house. The task of WriteAsync completes when the sink has taken responsibility:
/// written to the file, or handed to a session that keeps its own promise.
/// </summary>
public interface IResultSink : IAsyncDisposable
{
    string Name { get; }

    BackpressurePolicy Backpressure { get; }

    /// <summary>Only reads <paramref name="item"/>; its queue disposes it afterwards.</summary>
    /// <exception cref="Errors.SinkFailedException">The sink is broken for good.</exception>
    Task WriteAsync(PerceivedFrame item, CancellationToken stop);

    /// <summary>The last item has been written: close containers, rename the temporary file, say goodbye. Not called after a failure: then DisposeAsync leaves no file under a final name.</summary>
    Task CompleteAsync(CancellationToken stop);
}
