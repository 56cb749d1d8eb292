using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Cli.Options;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>config check</c>, <c>config show</c>, <c>config schema</c>: a service's configuration before it runs.</summary>
internal static class Config
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create() => new("config", "Checks, shows and describes the configuration of 'run'.") { Check(), Show(), Schema() };

    /// <summary>What <c>run</c> has, too.</summary>
    public static Option<string[]> SetOption() => new("--set") { Description = "Overrides one value, for example batching.maxBatch=2 or sinks.0.url=mqtt://broker.", HelpName = "KEY=VALUE", DefaultValueFactory = _ => [] };

    private static Command Check()
    {
        var (file, set) = (File(), SetOption());
        var probe = Parsers.Switch("--probe", "Also open every source, sink, codec and model.");
        var command = new Command("check", "Says everything that is wrong, with file, line and column.") { file, set, probe, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction(async (parsed, stop) =>
        {
            var settings = ServiceFile.Read(parsed.GetRequiredValue(file), parsed.GetRequiredValue(set));
            Console.Out.WriteLine($"{parsed.GetRequiredValue(file)}: {settings.Streams.Count} streams, {settings.Sinks.Count} sinks, nothing wrong");
            return parsed.GetValue(probe) ? await ConfigProbe.RunAsync(settings, stop).ConfigureAwait(false) : ExitCodes.Done;
        });
        return command;
    }

    private static Command Show()
    {
        var (file, set) = (File(), SetOption());
        var command = new Command("show", "Prints the values that would be in force, secrets masked.") { file, set, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction((parsed, _) =>
        {
            Console.Out.Write(SettingsPrinter.Print(ServiceFile.Read(parsed.GetRequiredValue(file), parsed.GetRequiredValue(set))));
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static Command Schema()
    {
        var markdown = Parsers.Switch("--markdown", "Print the reference page instead.");
        var command = new Command("schema", "Prints a JSON Schema for editors.") { markdown, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction((parsed, _) =>
        {
            if (parsed.GetValue(markdown)) Console.Out.Write(SettingsReference.Markdown());
            else Console.Out.WriteLine(SettingsSchema.Of(typeof(ServiceSettings)).ToJsonString(Readable));
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static Argument<string> File() => new("FILE") { Description = "YAML." };
}
