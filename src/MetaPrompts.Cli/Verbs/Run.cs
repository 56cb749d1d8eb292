using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Live;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>run -c FILE</c>: the service; <c>run SOURCE</c>: the same for one source, without a file.</summary>
internal static class Run
{
    public static Command Create(Signals signals)
    {
        var source = new Argument<string?>("SOURCE") { Description = "A camera (URL or /dev/videoN), file, folder or glob; instead of -c.", Arity = ArgumentArity.ZeroOrOne };
        var file = new Option<string?>("--config", "-c") { Description = "The service's configuration (docs/6-reference/configuration.md).", HelpName = "FILE" };
        var set = Config.SetOption();
        var mqtt = Parsers.Text("--mqtt", "URL", "With SOURCE: publish on this broker.");
        var output = Parsers.Text("--out", "DIR", "With SOURCE: records, maps and annotated video below this folder.");
        var focal = Parsers.Focal("--focal", "With SOURCE: focal length of the camera, or its horizontal angle of view: depth becomes metric for it.");
        var json = Parsers.Switch("--json", "Print what became of the frames as one line of JSON at the end.");
        var model = new ModelOptions();
        var command = new Command("run", "Runs as a service: cameras and files in, MQTT, video and records out, until they end or a signal comes.") { source, file, set, mqtt, output, focal };
        model.AddTo(command, protocol: false);
        var verbose = Parsers.Switch("--verbose", "Say more, with stack traces.");
        foreach (var option in new Option[] { json, verbose }) command.Options.Add(option);
        command.SetAction(async (parsed, _) =>
        {
            var run = new LiveRun(Settings(), signals);
            int code;
            try
            {
                code = await run.RunAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (run.Report is not null)
            {
                code = ErrorLine.Write(e, parsed.GetValue(verbose));            // what became of the frames is told all the same
            }

            if (parsed.GetValue(json) && run.Report is { } report) Console.Out.WriteLine(JsonSerializer.Serialize(RunResult.Of(report, code), RunJson.Default.RunResult));
            return code;

            ServiceSettings Settings()
            {
                var (given, path) = (parsed.GetValue(source), parsed.GetValue(file));
                if (given is null == path is null) throw new ConfigurationException("run", "takes either SOURCE or -c FILE; see 'metaprompts run --help'");
                if (path is null) return OfSource(given!, parsed.GetValue(mqtt), parsed.GetValue(output), parsed.GetValue(focal), model.Read(parsed).Tasks, [.. model.Assignments(parsed), .. parsed.GetRequiredValue(set)]);
                if (parsed.GetValue(mqtt) is not null || parsed.GetValue(output) is not null) throw new ConfigurationException("--mqtt", "and --out go with SOURCE; with -c, sinks stand in the file");
                if (parsed.GetValue(focal) is not null) throw new ConfigurationException("--focal", "goes with SOURCE; with -c, streams.NAME.focal stands in the file");
                var settings = ServiceFile.Read(path, [.. model.Assignments(parsed), .. parsed.GetRequiredValue(set)]);
                return model.Read(parsed).Tasks is { } tasks ? settings with { Streams = settings.Streams.ToDictionary(s => s.Key, s => s.Value with { Tasks = tasks }) } : settings;
            }
        });
        return command;
    }

    private static ServiceSettings OfSource(string source, string? mqtt, string? output, FocalLength? focal, IReadOnlyList<PerceptionTask>? tasks, string[] set)
    {
        var name = Sources.Resolve(source)[0].Stream.Value;
        var sinks = new JsonArray();
        if (mqtt is not null) sinks.Add(new JsonObject { ["kind"] = "mqtt", ["url"] = Plain(mqtt) });
        if (output is not null) sinks.Add(new JsonObject { ["kind"] = "video", ["path"] = Plain(Path.Combine(output, "{stream}", "overlay.mp4")) });
        if (output is not null) sinks.Add(new JsonObject { ["kind"] = "files", ["path"] = Plain(Path.Combine(output, "{stream}", "records")), ["maps"] = true });
        var yaml = new JsonObject
        {
            ["streams"] = new JsonObject { [name] = new JsonObject { ["source"] = Plain(source) } },
            ["sinks"] = sinks,
            ["telemetry"] = new JsonObject { ["http"] = "none" },
        };
        if (tasks is not null) yaml["streams"]![name]!["tasks"] = new JsonArray([.. tasks.Select(JsonNode? (t) => t.ToString().ToLowerInvariant())]);
        if (focal is { } length) yaml["streams"]![name]!["focal"] = length.ToString();
        var settings = ServiceFile.OfText("command line", yaml.ToJsonString(), set);
        return settings.Sinks.Count > 0 ? settings : settings with { Sinks = [new StdoutSinkSettings { Kind = "stdout" }] };
    }

    /// <summary>The shell has filled in its variables: what is left is meant as it stands.</summary>
    private static string Plain(string text) => text.Replace("${", "$${", StringComparison.Ordinal);
}
