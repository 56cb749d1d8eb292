using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Live;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Capture;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Io.Sinks;

namespace MetaPrompts.Cli.Configuration;

/// <summary><c>config check --probe</c>: opens what the service would open, one line each, and goes on after a failure.</summary>
internal static class ConfigProbe
{
    /// <returns>The worst exit code.</returns>
    public static async Task<int> RunAsync(ServiceSettings settings, CancellationToken stop)
    {
        var codes = new List<int>
        {
            await TryAsync("ffmpeg", () => Task.FromResult($"{FfmpegTools.Require("ffmpeg").Version}, encodes with {VideoSink.EncoderOf(FfmpegTools.Require("ffmpeg")) ?? "nothing: videos are written by OpenCV, without H.264"}")).ConfigureAwait(false),
        };
        codes.Add(await TryAsync($"models {string.Join(", ", settings.Models)}", () => Task.FromResult(Models(settings))).ConfigureAwait(false));
        foreach (var (name, stream) in settings.Streams) codes.Add(await TryAsync($"streams.{name}", () => SourceAsync(stream, stop)).ConfigureAwait(false));
        foreach (var (sink, i) in settings.Sinks.Select((sink, i) => (sink, i)))
        {
            codes.Add(await TryAsync($"sinks[{i}] {sink.Kind}", () => sink switch
            {
                MqttSinkSettings mqtt => BrokerAsync(mqtt, stop),
                VideoSinkSettings video => Task.FromResult(Folder(Path.GetDirectoryName(video.Path) ?? "")),
                FilesSinkSettings files => Task.FromResult(Folder(files.Path)),
                _ => throw new NotSupportedException(sink.Kind),
            }).ConfigureAwait(false));
        }

        return ExitCodes.Worst(codes);
    }

    private static async Task<int> TryAsync(string what, Func<Task<string>> open)
    {
        try
        {
            Console.Out.WriteLine($"{what}: {await open().ConfigureAwait(false)}");
            return ExitCodes.Done;
        }
        catch (MetaPromptsException e)
        {
            Console.Out.WriteLine($"{what}: FAILED: {ErrorLine.Text(e)}");
            return ExitCodes.Of(e);
        }
    }

    private static string Models(ServiceSettings settings)
    {
        using var loaded = LoadedModel.Open(settings.Choice);
        LiveStreams.RequireTasks(settings, loaded);
        using var people = PeopleChoice.For(loaded, settings.PeopleOfStreams);
        return $"{string.Join(", ", loaded.Tasks.Select(t => t.ToString().ToLowerInvariant()))} on {loaded.Device}, {loaded.Precision}";
    }

    private static async Task<string> SourceAsync(StreamSettings stream, CancellationToken stop)
    {
        var spec = Sources.Resolve(stream.Source)[0];
        var source = await Sources.OpenAsync(spec, CaptureChoice.Of(stream, null, 1), null, stop).ConfigureAwait(false);
        await using (source.ConfigureAwait(false))
        {
            await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
            {
                using (frame) return $"{source.Info.Codec} {frame.Stamp.SourceSize}, {spec.Why}";
            }
        }

        throw new SourceLostException(spec.Given, "gave no frame") { Fault = SourceFault.Ended };
    }

    /// <summary>Nothing is made: the nearest folder that exists must take a file. What is filled in later, <c>{stream}</c>, is not there yet.</summary>
    private static string Folder(string path)
    {
        var folder = Path.GetFullPath(path.Length == 0 ? "." : path);
        while (!Path.Exists(folder)) folder = Path.GetDirectoryName(folder)!;
        SinkFiles.RequireWritable(Path.Combine(folder, "any"));
        return $"{folder} can be written";
    }

    private static async Task<string> BrokerAsync(MqttSinkSettings sink, CancellationToken stop)
    {
        var (limits, problem) = await MqttSink.ProbeAsync(SinkOptions.Of(sink, "mqtt"), stop).ConfigureAwait(false);
        if (limits is null) throw new SinkFailedException("broker", problem?.Text ?? "no connection");
        return $"connected, {limits.Describe()}";
    }
}
