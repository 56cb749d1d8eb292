using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MetaPrompts.Testing;

/// <summary>
/// A loopback of its own that may lose packets or be cut (a Linux network namespace, iptables). What is started in <see cref="Run{T}"/> lives in it; the machine's own network is not touched. Asks for root.
/// </summary>
public sealed partial class FaultyNetwork : IDisposable
{
    private const int NewNetwork = 0x40000000;                                  // CLONE_NEWNET

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _inside;

    private FaultyNetwork()
    {
        // A namespace belongs to a thread, and to the children that thread starts.
        _inside = new Thread(() =>
        {
            foreach (var work in _work.GetConsumingEnumerable()) work();
        }) { IsBackground = true, Name = "network" };
        _inside.Start();
    }

    /// <returns>Null where this machine allows none, or has no iptables.</returns>
    public static FaultyNetwork? TryStart()
    {
        var network = new FaultyNetwork();
        if (network.Run(() => Unshare(NewNetwork) == 0 && Shell("ip link set lo up && iptables -A INPUT -m statistic --mode random --probability 0 -j DROP && iptables -F"))) return network;
        network.Dispose();
        return null;
    }

    /// <summary>Runs on a thread inside; children started before the first await of an asynchronous method are inside, too.</summary>
    public T Run<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>();
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task.GetAwaiter().GetResult();
    }

    /// <summary>From now on this share of all packets never arrives.</summary>
    public void Lose(double share) => Do(FormattableString.Invariant($"iptables -F && iptables -A INPUT -m statistic --mode random --probability {share} -j DROP"));

    /// <summary>Nothing arrives any more, nobody is told.</summary>
    public void Cut() => Do("ip link set lo down");

    public void Mend() => Do("ip link set lo up");

    public void Dispose()
    {
        _work.CompleteAdding();
        _inside.Join();
        _work.Dispose();
    }

    private void Do(string command)
    {
        if (!Run(() => Shell(command))) throw new InvalidOperationException(command);
    }

    private static bool Shell(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true })!;
        shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        return shell.ExitCode == 0;
    }

    [LibraryImport("libc", EntryPoint = "unshare")]
    private static partial int Unshare(int flags);
}
