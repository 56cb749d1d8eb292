using System.Collections.Concurrent;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Cli.Live;

/// <summary>Whether the service is of use at the moment: models warm, and at least one stream online (contract §6, <c>/readyz</c>).</summary>
internal sealed class Readiness : IStatusBoard
{
    private readonly ConcurrentDictionary<StreamId, StreamState> _states = new();
    private volatile bool _warm, _draining;

    public bool IsReady => _warm && !_draining && _states.Values.Any(state => state == StreamState.Online);

    public void ModelsAreWarm() => _warm = true;

    public void Show(StreamStatus status) => _states[status.Stream] = status.State;

    public void Show(StreamInfo info)
    {
    }

    public void ShowDraining() => _draining = true;

    /// <summary>For people: one line a stream.</summary>
    public string Describe() =>
        $"{(IsReady ? "ready" : "not ready")}\nmodels: {(_warm ? "warm" : "loading")}\n{(_draining ? "draining\n" : "")}{string.Concat(_states.OrderBy(s => s.Key.Value, StringComparer.Ordinal).Select(s => $"{s.Key}: {s.Value.ToString().ToLowerInvariant()}\n"))}";
}
