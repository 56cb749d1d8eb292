using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MetaPrompts.Cli;

/// <summary>
/// SIGINT and SIGTERM. The first cancels <see cref="Stop"/>: what is in hand is finished and written. The second cancels <see cref="Abort"/>,
/// and ends the process with 130 even where something does not listen. The same signal twice at once is one: who sends it to a process and to its group (timeout does) means it once.
/// </summary>
internal sealed class Signals : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _lock = new();
    private PosixSignal? _first;
    private long _firstAt;

    public Signals() => _registrations = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive)];

    public CancellationToken Stop => _stop.Token;

    public CancellationToken Abort => _abort.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _stop.Dispose();
        _abort.Dispose();
    }

    private void Receive(PosixSignalContext context)
    {
        context.Cancel = true;
        bool first, again;
        lock (_lock)
        {
            (first, again) = (_first is null, _first == context.Signal && Stopwatch.GetElapsedTime(_firstAt) < AtOnce);
            if (first) (_first, _firstAt) = (context.Signal, Stopwatch.GetTimestamp());
        }

        if (first) _stop.Cancel();
        if (first || again) return;

        // Files under final names are whole at any moment, so leaving hard loses nothing but the frame in hand.
        _ = Task.Delay(Grace).ContinueWith(static _ => Environment.Exit(ExitCodes.Aborted), TaskScheduler.Default);
        _abort.Cancel();
    }
}
