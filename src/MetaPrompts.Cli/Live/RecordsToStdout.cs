using MetaPrompts.Cli.Display;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Wire;

namespace MetaPrompts.Cli.Live;

/// <summary>A frame record a line on stdout, for pipes: what <c>run SOURCE</c> does when no other place is named.</summary>
internal sealed class RecordsToStdout(FrameRecords records) : IResultSink
{
    private readonly Stream _out = StandardOutput.Open();

    public string Name => "stdout";

    public BackpressurePolicy Backpressure { get; } = BackpressurePolicy.Lossless();

    public async Task WriteAsync(PerceivedFrame item, CancellationToken stop)
    {
        byte[] line = [.. records.Of(item).ToJson(), (byte)'\n'];
        try
        {
            await _out.WriteAsync(line, stop).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new Core.Errors.SinkFailedException(Name, "nobody reads it any more", e);
        }
    }

    public Task CompleteAsync(CancellationToken stop) => _out.FlushAsync(stop);

    public ValueTask DisposeAsync() => _out.DisposeAsync();
}
