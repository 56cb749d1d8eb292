using System.ComponentModel;
using System.Diagnostics;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Io.Ffmpeg;

/// <summary>
/// One child process and its one owner: arguments as a list (no shell), raw bytes in or out, every line of stderr read as it comes and the last ones kept,
/// killed and reaped on dispose. Not thread safe, but <see cref="Kill"/> may be called from any thread.
/// </summary>
public sealed class FfmpegProcess : IAsyncDisposable
{
    private const int KeptLines = 40;

    /// <summary>Starts a program in a session of its own, keeping its process id (util-linux); null where there is none.</summary>
    private static readonly string? OwnSession = new[] { "/usr/bin/setsid", "/bin/setsid" }.FirstOrDefault(File.Exists);

    private readonly Process _child;
    private readonly Task _errors;
    private readonly Queue<string> _lines = new();
    private readonly Action<string>? _onLine;
    private bool _disposed;

    private FfmpegProcess(Process child, Action<string>? onLine)
    {
        (_child, _onLine) = (child, onLine);
        _errors = Task.Run(ReadErrorsAsync);
    }

    /// <summary>What the child writes: raw video or JSON.</summary>
    public Stream Output => _child.StandardOutput.BaseStream;

    /// <summary>What the child reads. Closing it tells the child that this was all.</summary>
    public Stream Input => _child.StandardInput.BaseStream;

    /// <summary>Completes when the child has closed its stderr and every line has been read.</summary>
    public Task AllSaid => _errors;

    /// <summary>Of the child; for tests that look at it from outside.</summary>
    public int Id => _child.Id;

    /// <summary>The last lines of stderr, oldest first, without those that only tell about one frame.</summary>
    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    /// <param name="program">Path of ffmpeg or ffprobe.</param>
    /// <param name="onLine">Sees each line of stderr, on another thread; what the child wrote to its output since may be read before.</param>
    /// <exception cref="SourceLostException">The program could not be started.</exception>
    public static FfmpegProcess Start(string program, IEnumerable<string> arguments, Action<string>? onLine = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        // Ctrl-C goes to every process of the terminal's foreground group. The child must not hear it: what is in hand is decoded and encoded to its end.
        var start = new ProcessStartInfo(OwnSession ?? program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (OwnSession is not null) start.ArgumentList.Add(program);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        // Colour codes would end up in error messages.
        start.Environment["AV_LOG_FORCE_NOCOLOR"] = "1";
        try
        {
            return new FfmpegProcess(Process.Start(start)!, onLine);
        }
        catch (Win32Exception e)
        {
            throw new SourceLostException(program, $"could not be started ({e.Message}); reinstall it", e);
        }
    }

    /// <summary>Runs a program to its end; nothing goes in.</summary>
    /// <param name="deadline">Then it is killed.</param>
    /// <returns>All it wrote, its exit status (null when it had to be killed), and the last lines of its stderr.</returns>
    /// <exception cref="SourceLostException">The program could not be started.</exception>
    public static async Task<(byte[] Output, int? Status, IReadOnlyList<string> LastLines)> CaptureAsync(string program, IEnumerable<string> arguments, TimeSpan deadline, CancellationToken stop)
    {
        await using var child = Start(program, arguments);
        child.Input.Close();
        await using var killed = stop.Register(child.Kill);
        using var output = new MemoryStream();
        var reading = child.Output.CopyToAsync(output, CancellationToken.None);
        // Killed or not, it closes its end of the pipe, and what it wrote is read to the last byte.
        var status = await child.WaitAsync(deadline).ConfigureAwait(false);
        await reading.ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
        return (output.ToArray(), status, child.LastLines);
    }

    /// <summary>Fills <paramref name="buffer"/> from the child's output.</summary>
    /// <returns>Bytes read: less than asked for only at the end of the output.</returns>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var count = await Output.ReadAsync(buffer[filled..]).ConfigureAwait(false);
            if (count == 0) break;
            filled += count;
        }

        return filled;
    }

    /// <summary>Waits until the child has ended and all it said has been read; kills it when <paramref name="deadline"/> has passed.</summary>
    /// <returns>Its exit status; null when it had to be killed.</returns>
    public async Task<int?> WaitAsync(TimeSpan deadline)
    {
        using var limit = new CancellationTokenSource(deadline);
        var inTime = true;
        try
        {
            await _child.WaitForExitAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            inTime = false;
            Kill();
            await _child.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await _errors.ConfigureAwait(false);
        return inTime ? _child.ExitCode : null;
    }

    /// <summary>Ends the child at once; a pending read then sees the end of its output.</summary>
    public void Kill()
    {
        try
        {
            _child.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
        catch (Win32Exception)
        {
            // It is ending.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        Kill();
        await WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        // The process leaves open the pipes that were read directly: three descriptors a child, which add up over weeks.
        _child.StandardOutput.Dispose();
        _child.StandardError.Dispose();
        // The stream, not the writer around it: that would flush into a pipe which may be closed.
        await Input.DisposeAsync().ConfigureAwait(false);
        _child.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _child.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            _onLine?.Invoke(line);
            if (line.Contains("[Parsed_showinfo", StringComparison.Ordinal)) continue;
            lock (_lines)
            {
                if (_lines.Count == KeptLines) _lines.Dequeue();
                _lines.Enqueue(line);
            }
        }
    }
}
