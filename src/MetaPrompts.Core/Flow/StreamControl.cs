using System.Collections.Concurrent;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>Carries out what outsiders ask of the streams of one pipeline. Made before the pipeline, because a sink that takes commands is, too; before it runs everything is refused.</summary>
public sealed class StreamControl : IStreamCommands
{
    private readonly ConcurrentDictionary<StreamId, SourceSupervisor> _supervisors = new();

    public Task<string> RunAsync(StreamVerb verb, StreamId stream, CancellationToken stop)
    {
        if (!_supervisors.TryGetValue(stream, out var supervisor)) throw new CommandRefusedException("does not run");
        return Task.FromResult(verb switch
        {
            StreamVerb.Retry => supervisor.Retry(),
            StreamVerb.Pause => supervisor.Pause(),
            _ => supervisor.Resume(),
        });
    }

    internal void Attach(SourceSupervisor supervisor) => _supervisors[supervisor.Stream] = supervisor;
}
