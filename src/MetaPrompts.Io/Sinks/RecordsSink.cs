using System.Buffers;
using System.Text.Json;
using MetaPrompts.Core.Flow;

namespace MetaPrompts.Io.Sinks;

/// <summary>
/// One frame record (contract §4) a line, in the order of the frames. Delivery: each line is handed to the system before the write completes,
/// so that a killed process leaves whole lines and at most one broken one, which a resumed run cuts off.
/// </summary>
public sealed class RecordsSink : IResumableSink
{
    private readonly string _path;
    private readonly string _temporary;
    private readonly Action<PerceivedFrame, IBufferWriter<byte>> _record;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly FileStream _file;
    private bool _complete;

    /// <param name="path">Of the finished file.</param>
    /// <param name="record">Writes the UTF-8 JSON of one frame, without line break; has a number <c>seq</c>.</param>
    /// <param name="resume">Go on from what an interrupted run left; otherwise that is overwritten.</param>
    /// <exception cref="Core.Errors.SinkFailedException">The file cannot be written.</exception>
    public RecordsSink(string path, Action<PerceivedFrame, IBufferWriter<byte>> record, bool resume = false)
    {
        ArgumentNullException.ThrowIfNull(record);
        (_path, _temporary, _record) = (path, SinkFiles.Temporary(path), record);
        SinkFiles.RequireWritable(path);
        _file = SinkFiles.Guard(path, () => new FileStream(_temporary, resume ? FileMode.OpenOrCreate : FileMode.Create, FileAccess.ReadWrite, FileShare.Read, 1 << 16));
        NextSequence = resume ? SinkFiles.Guard(path, () => CutAfter(long.MaxValue)) : 0;
    }

    public string Name => "records";

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless(8);

    public long NextSequence { get; private set; }

    public bool KeepResumable { get; set; }

    public Task ResumeAtAsync(long sequence, CancellationToken stop)
    {
        NextSequence = SinkFiles.Guard(_path, () => CutAfter(sequence));
        return Task.CompletedTask;
    }

    public Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(item);
        return SinkFiles.GuardAsync(_path, async () =>
        {
            _line.ResetWrittenCount();
            _record(item, _line);
            _line.Write("\n"u8);
            await _file.WriteAsync(_line.WrittenMemory, stop).ConfigureAwait(false);
            await _file.FlushAsync(stop).ConfigureAwait(false);
        });
    }

    public Task CompleteAsync(CancellationToken stop)
    {
        SinkFiles.Guard(_path, () =>
        {
            _file.Flush(flushToDisk: true);
            _file.Dispose();
            if (!KeepResumable)
            {
                File.Move(_temporary, _path, overwrite: true);
                return;
            }

            var copy = SinkFiles.Temporary(_temporary);
            File.Copy(_temporary, copy, overwrite: true);
            File.Move(copy, _path, overwrite: true);
        });
        _complete = true;
        return Task.CompletedTask;
    }

    /// <summary>Without <see cref="CompleteAsync"/> only the temporary file is left, for a run with resume.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_complete) return;
        try
        {
            await _file.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The last flush failed as the write before it, which has been reported.
        }
    }

    /// <summary>Keeps the leading lines that are whole records in order with a sequence below <paramref name="end"/>, cuts off the rest.</summary>
    /// <returns>Sequence after the last kept line.</returns>
    private long CutAfter(long end)
    {
        _file.Position = 0;
        long kept = 0, next = 0;
        using var line = new MemoryStream();
        var buffer = new byte[1 << 16];
        var cut = false;
        for (int count; !cut && (count = _file.Read(buffer)) > 0;)
        {
            var rest = buffer.AsSpan(0, count);
            for (int at; (at = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(at + 1)..])
            {
                line.Write(rest[..at]);
                if (Sequence(line.GetBuffer().AsMemory(0, (int)line.Length)) is not { } sequence || sequence < next || sequence >= end)
                {
                    cut = true;
                    break;
                }

                kept += line.Length + 1;
                next = sequence + 1;
                line.SetLength(0);
            }

            if (!cut) line.Write(rest);
        }

        _file.SetLength(kept);
        _file.Position = kept;
        return next;
    }

    private static long? Sequence(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("seq", out var seq) && seq.TryGetInt64(out var sequence) ? sequence : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
