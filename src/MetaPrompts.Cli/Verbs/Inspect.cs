using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Io.Capture;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>inspect SOURCE</c>: what it is, how it would be read, and why.</summary>
internal static class Inspect
{
    /// <summary>So many frames tell the rate of a camera that sends what it held back all at once; or so long of a slow one.</summary>
    private const int LookedAt = 50;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(6);

    public static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "Video, picture, folder of pictures, glob, camera (URL or /dev/videoN), or synthetic:WIDTHxHEIGHT." };
        var json = Parsers.Switch("--json", "Print one line of JSON for each source.");
        var command = new Command("inspect", "Says what a source is and how it would be read.") { source, json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction((parsed, stop) => RunAsync(parsed.GetRequiredValue(source), parsed.GetValue(json), stop));
        return command;
    }

    private static async Task<int> RunAsync(string given, bool json, CancellationToken stop)
    {
        foreach (var spec in Sources.Resolve(given))
        {
            var source = await Sources.OpenAsync(spec, new CaptureOptions(), Terminal.Warn, stop).ConfigureAwait(false);
            await using (source.ConfigureAwait(false))
            {
                if (spec.Kind == SourceKind.Camera) await LookAsync(source, stop).ConfigureAwait(false);
                var seen = Describe(spec, source);
                if (json) Console.Out.WriteLine(JsonSerializer.Serialize(seen, InspectJson.Default.InspectedSource));
                else Print(seen);
            }
        }

        return ExitCodes.Done;
    }

    /// <summary>A camera tells what it is by its frames.</summary>
    private static async Task LookAsync(IMediaSource source, CancellationToken stop)
    {
        var (left, clock) = (LookedAt, new Stopwatch());
        await foreach (var frame in source.ReadAsync(stop).ConfigureAwait(false))
        {
            frame.Dispose();
            clock.Start();
            if (--left == 0 || clock.Elapsed > Longest) return;
        }
    }

    private static InspectedSource Describe(SourceSpec spec, IMediaSource source)
    {
        var info = source.Info;
        return new InspectedSource(spec.Kind == SourceKind.Video ? spec.Files[0] : spec.Given, spec.Stream.Value, spec.Kind.ToString().ToLowerInvariant(), spec.IsLive, spec.Why, info.Backend, info.Container, info.Codec,
            info.Size.Width, info.Size.Height, info.Rotation, info.Rate.IsKnown ? Math.Round(info.Rate.Value, 3) : null, info.MeasuredRate is { } measured ? Math.Round(measured, 3) : null,
            info.VariableRate, info.TimeBase.IsKnown ? info.TimeBase.ToString() : null, info.Duration is { } duration ? Math.Round(duration.TotalSeconds, 3) : null, info.FrameCount);
    }

    private static void Print(InspectedSource s)
    {
        Console.Out.WriteLine(s.Source);
        Row("kind", $"{(s.Live ? "live" : "file")}: {s.Why}");
        Row("stream", s.Stream);
        Row("read by", s.Backend);
        Row("format", $"{s.Container}, {s.Codec}");
        Row("size", string.Create(CultureInfo.InvariantCulture, $"{s.Width}x{s.Height}{(s.Rotation == 0 ? "" : $", turned by {s.Rotation}° when shown")}"));
        Row("rate", string.Create(CultureInfo.InvariantCulture, $"{(s.DeclaredFps is { } fps ? $"{fps:0.###} fps" : "unknown")}{(s.MeasuredFps is { } measured ? $", measured {measured:0.#}" : "")}"));
        Row("times", string.Create(CultureInfo.InvariantCulture, $"{(s.VariableRate ? "variable rate" : "even steps")}{(s.TimeBase is { } tick ? $", ticks of {tick} s" : "")}"));
        Row("length", string.Create(CultureInfo.InvariantCulture, $"{(s.DurationS is { } seconds ? $"{seconds:0.###} s" : "unknown")}{(s.Frames is { } frames ? $", {frames} frames" : "")}"));
    }

    private static void Row(string name, string value) => Console.Out.WriteLine($"  {name,-8} {value}");
}

internal sealed record InspectedSource(string Source, string Stream, string Kind, bool Live, string Why, string Backend, string Container, string Codec, int Width, int Height, int Rotation,
    double? DeclaredFps, double? MeasuredFps, bool VariableRate, string? TimeBase, double? DurationS, long? Frames);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(InspectedSource))]
internal sealed partial class InspectJson : JsonSerializerContext;
