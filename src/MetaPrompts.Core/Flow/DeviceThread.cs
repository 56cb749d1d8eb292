using System.Threading.Channels;

namespace MetaPrompts.Core.Flow;

/// <summary>
/// One thread on which a device's model is called, in order. TorchSharp's dispose scopes and libtorch's gradient mode belong to a thread; running all calls on this one
/// keeps both where the model left them.
/// </summary>
public sealed class DeviceThread : IDisposable
{
    private readonly Channel<Action> _calls = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Thread _thread;

    public DeviceThread(string name)
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Runs <paramref name="call"/> after the calls before it; its exception is the task's. The call itself cannot be interrupted.</summary>
    /// <exception cref="ObjectDisposedException">The thread has ended.</exception>
    public Task<T> RunAsync<T>(Func<T> call)
    {
        ArgumentNullException.ThrowIfNull(call);
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = _calls.Writer.TryWrite(() =>
        {
            try
            {
                result.SetResult(call());
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        });
        ObjectDisposedException.ThrowIf(!queued, this);
        return result.Task;
    }

    /// <summary>Finishes the calls that are queued, then ends the thread.</summary>
    public void Dispose()
    {
        _calls.Writer.TryComplete();
        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Run()
    {
        var reader = _calls.Reader;
        while (true)
        {
            while (reader.TryRead(out var call)) call();
            if (!reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult()) return;
        }
    }
}
