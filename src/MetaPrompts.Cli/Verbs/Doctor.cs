using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using MetaPrompts.Cli.Display;
using MetaPrompts.Cli.Options;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Ffmpeg;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Io.Mqtt;
using MetaPrompts.Model.Inference;

namespace MetaPrompts.Cli.Verbs;

/// <summary><c>doctor</c>: what works on this machine, what does not, and the mend. Ends with 1 where the program cannot work at all, or the broker it was to ask does not answer.</summary>
internal static class Doctor
{
    public static Command Create()
    {
        var json = Parsers.Switch("--json", "Print one line of JSON.");
        var mqtt = Parsers.Text("--mqtt", "URL", "Also ask this broker for its limits; user and password as for 'listen'.");
        var command = new Command("doctor", "Says what works here, what does not, and the mend.") { mqtt, json, Parsers.Switch("--verbose", "Stack traces.") };
        command.SetAction(async (parsed, stop) =>
        {
            var url = parsed.GetValue(mqtt);
            Finding[] findings = [Program(), Processor(), Check("libtorch", LibTorch), Check("device", Device), Check("model mini", Mini), Check("opencv", OpenCv), Ffmpeg(), Encoder(), url is null ? Unasked : await BrokerAsync(Listen.Broker(url), stop).ConfigureAwait(false)];
            var code = findings.Any(f => f.State == "broken") ? ExitCodes.Unforeseen : ExitCodes.Done;
            if (parsed.GetValue(json)) Console.Out.WriteLine(JsonSerializer.Serialize(findings, DoctorJson.Default.FindingArray));
            else foreach (var f in findings) Console.Out.WriteLine($"{f.State,-8} {f.Name,-11} {f.Detail}{(f.Mend is null ? "" : $"{Environment.NewLine}{"",-21}→ {f.Mend}")}");
            return code;
        });
        return command;
    }

    /// <summary>A check that fails is a finding, not the end of the others.</summary>
    private static Finding Check(string name, Func<string, Finding> check)
    {
        try
        {
            return check(name);
        }
        catch (Exception e)
        {
            return new Finding(name, "broken", ErrorLine.Text(e), null);
        }
    }

    private static Finding Unasked { get; } = new("broker", "unasked", "doctor --mqtt URL says what it can take", null);

    private static async Task<Finding> BrokerAsync(MqttOptions options, CancellationToken stop)
    {
        const uint OneMap = 1 << 20;
        var (limits, problem) = await MqttSink.ProbeAsync(options, stop).ConfigureAwait(false);
        if (limits is null) return new Finding("broker", "broken", problem?.Text ?? "no connection", null);
        return limits.MaxPacketSize < OneMap || !limits.RetainAvailable || limits.MaxQos == 0
            ? new Finding("broker", "limited", limits.Describe(), "what does not fit is left out and counted; mosquitto: max_packet_size, max_qos, retain_available")
            : new Finding("broker", "ok", limits.Describe(), null);
    }

    private static Finding Program() =>
        new("program", "ok", $"MetaPrompts.Stream {ProductVersion.Current}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}", null);

    private static Finding Processor()
    {
        string[] wanted = ["avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16"];
        var lines = File.Exists("/proc/cpuinfo") ? File.ReadAllLines("/proc/cpuinfo") : [];
        string? Value(string key) => lines.FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
        var flags = (Value("flags") ?? "").Split(' ');
        var features = wanted.Where(flags.Contains).ToList();
        return new Finding("processor", "ok",
            $"{Value("model name") ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} processors usable{(features.Count > 0 ? $", {string.Join(' ', features)}" : "")}", null);
    }

    private static Finding LibTorch(string name)
    {
        TorchRuntime.Prepare();
        return new Finding(name, "ok", string.Create(CultureInfo.InvariantCulture, $"{TorchRuntime.Version}, {TorchRuntime.Threads} threads, waiting threads sleep"), null);
    }

    private static Finding Device(string name)
    {
        var devices = TorchRuntime.CudaDevices;
        return devices > 0
            ? new Finding(name, "ok", string.Create(CultureInfo.InvariantCulture, $"auto is cuda, {devices} devices"), null)
            : new Finding(name, "ok", "auto is cpu: this build of libtorch sees no CUDA device", null);
    }

    /// <summary>Opening it compares the sha256 and loads every tensor.</summary>
    private static Finding Mini(string name)
    {
        using var model = PerceptionModels.Open(PerceptionModels.Embedded, new ExecutionOptions { Device = "cpu", Precision = "fp32" });
        return new Finding(name, "ok", $"sha256 {model.Manifest.Sha256[..12]}… as its manifest says, {string.Join(", ", model.Manifest.Tasks.Select(t => t.ToString().ToLowerInvariant()))}", null);
    }

    private static Finding OpenCv(string name) => new(name, "ok", OpenCvRuntime.Version, null);

    private static Finding Ffmpeg() => FfmpegTools.Current is { } tools
        ? new Finding("ffmpeg", "ok", $"{tools.Version} ({tools.Ffmpeg})", null)
        : new Finding("ffmpeg", "missing", "videos are read and written with OpenCV: fewer formats, no H.264, no exact times, no --resume of videos", "apt-get install -y ffmpeg");

    private static Finding Encoder()
    {
        if (FfmpegTools.Current is not { } tools) return new Finding("encoder", "limited", "mp4v or MJPG by OpenCV", "apt-get install -y ffmpeg");
        string[] all = ["libx264", "libopenh264", "h264_nvenc", "mpeg4"];
        var found = all.Where(tools.HasEncoder).ToList();
        return found.Contains("libx264")
            ? new Finding("encoder", "ok", string.Join(", ", found), null)
            : new Finding("encoder", "limited", found.Count > 0 ? $"no libx264, but {string.Join(", ", found)}" : "this ffmpeg encodes neither H.264 nor MPEG-4", "install an ffmpeg with libx264: apt-get install -y ffmpeg");
    }
}

/// <param name="State">ok, limited, missing, broken or unasked.</param>
/// <param name="Mend">A command or an advice; null where nothing needs mending or the detail says it.</param>
internal sealed record Finding(string Name, string State, string Detail, string? Mend);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Finding[]))]
internal sealed partial class DoctorJson : JsonSerializerContext;
