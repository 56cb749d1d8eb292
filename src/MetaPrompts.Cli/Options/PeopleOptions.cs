using System.CommandLine;
using MetaPrompts.Cli.Configuration;

namespace MetaPrompts.Cli.Options;

/// <summary>Where the people for pose come from: <c>people</c> of contract §6, for a command without a configuration file.</summary>
internal sealed class PeopleOptions
{
    private static readonly string[] Words = ["auto", "frame", "segmentation", "track"];

    private readonly Option<PeopleSettings?> _people = new("--people")
    {
        Description = "Where the people for pose come from: auto (default), as the model finds them, the whole picture is one, patches of the class person, around the last pose, a detector (ONNX), boxes from a file (JSON).",
        HelpName = "auto|frame|segmentation|track|detector:FILE|boxes:FILE",
        CustomParser = result =>
        {
            var text = result.Tokens[^1].Value;
            if (Words.Contains(text)) return new PeopleSettings { From = text };
            if (text.Split(':', 2) is [("detector" or "boxes") and var from, { Length: > 0 } file])
            {
                if (File.Exists(file)) return new PeopleSettings { From = from, File = file };
                result.AddError($"--people: there is no file '{file}'");
            }
            else
            {
                result.AddError($"--people: '{text}' is unknown; use {string.Join(", ", Words)}, detector:FILE or boxes:FILE");
            }

            return new PeopleSettings();
        },
    };

    private readonly Option<int?> _most = Parsers.Number("--max-people", "Most people a frame (20).", 1, 100);

    public void AddTo(Command command)
    {
        command.Options.Add(_people);
        command.Options.Add(_most);
    }

    public PeopleSettings Read(ParseResult parsed)
    {
        var people = parsed.GetValue(_people) ?? new PeopleSettings();
        return parsed.GetValue(_most) is { } most ? people with { Max = most } : people;
    }
}
