using System.CommandLine;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Listening;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Mqtt;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>listen URL</c>: subscribes to what <c>run</c> publishes, decodes it, prints a line a frame.</summary>
internal static class Listen
{
    public static Command Create()
    {
        var url = new Argument<string>("URL") { Description = "Broker: mqtt://host[:1883] or mqtts://host[:8883]. User and password from METAPROMPTS_MQTT_USERNAME and METAPROMPTS_MQTT_PASSWORD, or within the URL." };
        var node = Parsers.Text("--node", "NAME", "Only this node (default: all).");
        var stream = Parsers.Text("--stream", "NAME", "Only this stream (default: all).");
        var save = Parsers.Text("--save", "DIR", "Save maps and records below this folder: DIR/node/stream/…");
        var frames = Parsers.Number("--frames", "End after so many frames.", 1, int.MaxValue);
        var prefix = Parsers.Text("--prefix", "NAME", "First level of the topics (default: metaprompts).");
        var ca = Parsers.Text("--ca", "FILE", "PEM of the authority that signed the broker's certificate.");
        var old = Parsers.Switch("--mqtt3", "Speak MQTT 3.1.1.");
        var json = Parsers.Switch("--json", "Print each frame record as one line of JSON.");
        var command = new Command("listen", "Subscribes to a broker and shows what arrives.") { url, node, stream, save, frames, prefix, ca, old, json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction((parsed, stop) =>
        {
            var options = Broker(parsed.GetRequiredValue(url)) with
            {
                Prefix = parsed.GetValue(prefix) ?? "metaprompts",
                Tls = new MqttTlsOptions { Ca = parsed.GetValue(ca) },
                Version = parsed.GetValue(old) ? MqttVersion.V311 : MqttVersion.V5,
            };
            return RunAsync(options, parsed.GetValue(node), parsed.GetValue(stream), parsed.GetValue(save), parsed.GetValue(frames), parsed.GetValue(json), stop);
        });
        return command;
    }

    /// <summary>A broker that is named on the command line: what is secret comes from the environment, or stands in the URL.</summary>
    public static MqttOptions Broker(string url) => new()
    {
        Url = url,
        Username = Environment.GetEnvironmentVariable("METAPROMPTS_MQTT_USERNAME"),
        Password = Environment.GetEnvironmentVariable("METAPROMPTS_MQTT_PASSWORD"),
    };

    private static async Task<int> RunAsync(MqttOptions options, string? node, string? stream, string? save, int? frames, bool json, CancellationToken stop)
    {
        var listener = new MqttListener(options, node, stream, text => Terminal.Note($"metaprompts: {text}"));
        await using (listener.ConfigureAwait(false))
        {
            if (await listener.ConnectAsync(stop).ConfigureAwait(false) is { } problem) throw new SourceLostException(listener.Broker, problem.Text);
            using var files = save is null ? null : new HeardFiles(save);
            using var output = new StreamWriter(StandardOutput.Open()) { AutoFlush = true };
            var left = frames;
            try
            {
                await foreach (var heard in listener.ReadAsync(stop).ConfigureAwait(false))
                {
                    switch (heard)
                    {
                        case HeardFrame frame:
                            files?.Save(frame);
                            output.WriteLine(json ? System.Text.Encoding.UTF8.GetString(frame.Record.ToJson()) : HeardLine.Of(frame, DateTimeOffset.UtcNow));
                            if (--left == 0) return ExitCodes.Done;
                            break;
                        case HeardState state:
                            Terminal.Note($"{state.Node}/{state.Stream}: {HeardLine.Printable(state.State)}{(state.Error is null ? "" : $": {HeardLine.Printable(state.Error)}")}");
                            break;
                        case HeardNonsense nonsense:
                            Terminal.Note($"{nonsense.Node}/{nonsense.Stream}: {HeardLine.Printable(nonsense.Problem)}");
                            break;
                    }
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // Asked to end.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new SinkFailedException(save ?? "output", $"cannot be written: {e.Message}", e);
            }
        }

        return ExitCodes.Done;
    }
}
