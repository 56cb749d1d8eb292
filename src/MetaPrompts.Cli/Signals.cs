using System.Runtime.InteropServices;

namespace MetaPrompts.Cli;

/// <summary>
/// SIGINT and SIGTERM. The first cancels <see cref="Stop"/>: what is in hand is finished and written. The second cancels <see cref="Abort"/>,
/// and ends the process with 130 even where something does not listen.
/// </summary>
internal sealed class Signals : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _count;

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
        if (Interlocked.Increment(ref _count) == 1)
        {
            _stop.Cancel();
            return;
        }

        // Files under final names are whole at any moment, so leaving hard loses nothing but the frame in hand.
        _ = Task.Delay(Grace).ContinueWith(static _ => Environment.Exit(ExitCodes.Aborted), TaskScheduler.Default);
        _abort.Cancel();
    }
}
