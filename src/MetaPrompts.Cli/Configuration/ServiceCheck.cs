using MetaPrompts.Cli.Yaml;
using MetaPrompts.Core.Errors;
using MetaPrompts.Io.Capture;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Configuration;

/// <summary>What is wrong between settings that are right by themselves.</summary>
internal static class ServiceCheck
{
    public static IEnumerable<Mistake> Of(ServiceSettings settings, YamlMapAt root)
    {
        if (settings.Streams.Count == 0 && root["streams"]?.Value is null or YamlScalarAt or YamlMapAt { Entries.Count: 0 } && root["streams"] is { } streams) yield return new Mistake(streams.Place, "streams", "there is none; name at least one source");
        if (settings.Models.Count == 0) yield return new Mistake(PlaceOf(root["models"]), "models", "names none; leave it out for mini");
        if (!ExecutionOptions.IsDevice(settings.Execution.Device)) yield return new Mistake(PlaceOf(root["execution"], "device"), "execution.device", $"is {Shown.Text(settings.Execution.Device)}; write auto, cpu, cuda or cuda:N");
        foreach (var (name, stream) in settings.Streams)
        {
            var at = (root["streams"]?.Value as YamlMapAt)?[name];
            if (stream.Capture.Reconnect.Max < stream.Capture.Reconnect.Initial)
                yield return new Mistake(PlaceOf(at, "capture", "reconnect", "max"), $"streams.{name}.capture.reconnect.max", "is less than initial");
            if (stream.Source.Length > 0 && SourceProblem(stream.Source) is { } problem) yield return new Mistake(PlaceOf(at, "source"), $"streams.{name}.source", problem);
            if (PeopleProblem(stream.People) is { } wrong) yield return new Mistake(PlaceOf(at, "people", wrong.Key), $"streams.{name}.people.{wrong.Key}", wrong.Problem);
            if (stream.Intrinsics is not ([] or [> 0, > 0, _, _])) yield return new Mistake(PlaceOf(at, "intrinsics"), $"streams.{name}.intrinsics", "must be [fx, fy, cx, cy] in pixels, fx and fy above 0");
            if (stream.Focal is not null && stream.Intrinsics.Count > 0) yield return new Mistake(PlaceOf(at, "focal"), $"streams.{name}.focal", "is said by intrinsics, too; leave one of them out");
            if (stream.Tasks is { Count: 0 }) yield return new Mistake(PlaceOf(at, "tasks"), $"streams.{name}.tasks", "names none; leave it out for all");
        }

        var items = (root["sinks"]?.Value as YamlListAt)?.Items ?? [];
        for (var i = 0; i < settings.Sinks.Count; i++)
        {
            var sink = settings.Sinks[i];
            var place = i < items.Count ? items[i].Place : root.Place;
            foreach (var stream in sink.Streams ?? [])
            {
                if (!settings.Streams.ContainsKey(stream)) yield return new Mistake(place, $"sinks[{i}].streams", $"{Shown.Text(stream)} is no stream; {SettingsBinder.Nearest(stream, settings.Streams.Keys)}");
            }

            if (SinkProblem(sink) is { } problem) yield return new Mistake(place, $"sinks[{i}].{problem.Key}", problem.Problem);
        }

        foreach (var twice in settings.Sinks.Select((sink, i) => (Name: sink.Name, i)).Where(s => s.Name is not null).GroupBy(s => s.Name).Where(g => g.Count() > 1))
            yield return new Mistake(items[twice.Last().i].Place, $"sinks[{twice.Last().i}].name", $"{twice.Key} is the name of another sink; names must differ");
        // A broker lets in one client of a name, and what is retained under a topic has one writer.
        foreach (var twice in settings.Sinks.Select((sink, i) => (Client: ClientOf(sink), i)).Where(s => s.Client is not null).GroupBy(s => s.Client).Where(g => g.Count() > 1))
            yield return new Mistake(items[twice.Last().i].Place, $"sinks[{twice.Last().i}].prefix", $"is that of sinks[{twice.First().i}] at the same broker; give each its own prefix, or one sink all streams");
        if (settings.Telemetry.Http is { } http && !HttpAddress.TryParse(http, out _)) yield return new Mistake(PlaceOf(root["telemetry"], "http"), "telemetry.http", $"must be HOST:PORT or none, is {Shown.Text(http)}");
        if (settings.Telemetry.Otlp is { } otlp && !(Uri.TryCreate(otlp, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
            yield return new Mistake(PlaceOf(root["telemetry"], "otlp"), "telemetry.otlp", "must be http://host:port or https://host:port, or none");
    }

    private static (string Key, string Problem)? PeopleProblem(PeopleSettings people) => (people.From, people.File) switch
    {
        ("detector" or "boxes", null or "") => ("from", $"{people.From} needs a file: people: {{ from: {people.From}, file: PATH }}"),
        ("detector" or "boxes", { } file) => File.Exists(file) ? null : ("file", $"there is no file {Shown.Text(file)}"),
        (_, { Length: > 0 }) => ("file", $"belongs to detector and boxes; from is {people.From}"),
        _ => null,
    };

    private static string? SourceProblem(string source)
    {
        try
        {
            Sources.Check(source);
            return null;
        }
        catch (MetaPromptsException e)
        {
            return e is ConfigurationException { Key: var key } ? e.Message[(key.Length + 2)..] : e.Message;
        }
    }

    private static (string Key, string Problem)? SinkProblem(SinkSettings sink)
    {
        try
        {
            if (sink is MqttSinkSettings { Url.Length: > 0 } mqtt) SinkOptions.Of(mqtt, "mqtt").Checked();
            if (sink is VideoSinkSettings { Path.Length: > 0 } video) PathTemplate.Check(video.Path);
            if (sink is FilesSinkSettings { Path.Length: > 0 } files) PathTemplate.Check(files.Path);
            return null;
        }
        catch (ConfigurationException e)
        {
            var key = e.Key.StartsWith("mqtt.", StringComparison.Ordinal) ? e.Key["mqtt.".Length..] : e.Key;
            return (key, e.Message[(e.Key.Length + 2)..]);
        }
    }

    /// <summary>Broker and prefix; null for what is no MQTT sink, or none that can be read.</summary>
    private static string? ClientOf(SinkSettings sink) =>
        sink is MqttSinkSettings { Url.Length: > 0 } mqtt && SinkProblem(sink) is null ? SinkOptions.Of(mqtt, "mqtt").Client : null;

    private static YamlPlace PlaceOf(YamlEntry? entry, params string[] keys)
    {
        var place = entry?.Place ?? new YamlPlace("configuration", 0, 0);
        foreach (var key in keys)
        {
            if ((entry?.Value as YamlMapAt)?[key] is not { } below) break;
            entry = below;
            place = below.Value.Place;
        }

        return place;
    }
}
