using System.Text.Json;
using MetaPrompts.Cli.Configuration;
using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Flow;
using MetaPrompts.Core.Perception;
using MetaPrompts.Io.Mqtt;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>Contract §6: what a service's configuration may say, and how a mistake is shown.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private const string Contract = """
        node: edge-a                      # default: host name
        models: [mini]                    # names, or paths of manifests; their tasks run on every stream
        execution: { device: auto, precision: auto, refineSteps: default }
        batching: { maxBatch: 4, maxWait: 10ms, maxStaleness: 400ms }
        defaults:
          capture: { transport: tcp, openTimeout: 8s, stallTimeout: auto, reconnect: { initial: 1s, max: 60s } }
          queue: { capacity: 1, whenFull: dropOldest }
          maxRate: 10Hz
          reuse: { enabled: false, threshold: 0.01, maxAge: 500ms }
        streams:
          front: { source: "rtsp://${CAM_USER}:${CAM_PASS}@10.0.0.21/stream1", tasks: [depth, segmentation] }
          door:  { source: /dev/video0, tasks: [pose], people: { from: segmentation, max: 8 }, reuse: { enabled: true }, capture: { stallTimeout: 3s, reconnect: { max: 30s } } }
          archive: { source: "./videos/*.mp4", tasks: [depth] }
        sinks:
          - { kind: mqtt, url: "mqtts://broker.local:8883", username: "${MQTT_USER:-me}", password: "${MQTT_PASS:-secret77}", tls: { ca: ./ca.pem }, depth: { maxRate: 5Hz }, profiles: [ros2] }
          - { kind: video, path: "out/{stream}.mp4", streams: [archive] }
          - { kind: files, path: "out/{stream}", maps: true }
        telemetry: { http: "127.0.0.1:9464", otlp: null, log: info }
        shutdown: { drain: 8s }
        """;

    private static readonly Dictionary<string, string> Camera = new() { ["CAM_USER"] = "viewer", ["CAM_PASS"] = "p@ss/w:rd" };

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void TheContractsExampleIsReadAsItIsMeant()
    {
        var settings = Read(Contract);
        Assert.Equal(("edge-a", 4, TimeSpan.FromMilliseconds(10)), (settings.Node, settings.Batching.MaxBatch, settings.Batching.MaxWait));
        Assert.Null(settings.Execution.RefineSteps);
        var (front, door) = (settings.Streams["front"], settings.Streams["door"]);
        Assert.Equal("rtsp://viewer:p%40ss%2Fw%3Ard@10.0.0.21/stream1", front.Source);
        Assert.Equal([PerceptionTask.Depth, PerceptionTask.Segmentation], front.Tasks);
        Assert.Equal((10d, WhenFull.DropOldest, TimeSpan.FromSeconds(8)), (front.MaxRate!.Value.Hertz, front.Queue.WhenFull, front.Capture.OpenTimeout));
        Assert.Null(front.Capture.StallTimeout);
        // What the stream says itself goes before the defaults, key by key.
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30)), (door.Capture.StallTimeout, door.Capture.OpenTimeout, door.Capture.Reconnect.Initial, door.Capture.Reconnect.Max));
        Assert.Equal((true, 0.01), (door.Reuse.Enabled, door.Reuse.Threshold));
        Assert.False(front.Reuse.Enabled);
        var mqtt = SinkOptions.Of((MqttSinkSettings)settings.Sinks[0], "mqtt").Checked();
        Assert.Equal(("me", "secret77", "./ca.pem", 5d, MqttProfiles.Ros2), (mqtt.Username, mqtt.Password, mqtt.Tls.Ca, mqtt.Depth.MaxRate, mqtt.Profiles));
        Assert.Equal("out/{stream}.mp4", ((VideoSinkSettings)settings.Sinks[1]).Path);
        Assert.True(((FilesSinkSettings)settings.Sinks[2]).Maps);
        Assert.Null(settings.Telemetry.Otlp);
    }

    [Fact]
    public void EveryMistakeIsToldAtOnceWithItsPlaceAndTheNearestKey()
    {
        var mistakes = Mistakes("""
            nodde: x
            batching: { maxBatch: 0, maxWait: 10 }
            defaults: { maxRate: 5, queue: { whenFull: dropOldst } }
            streams:
              front: { sorce: rtsp://h/x, tasks: [depht] }
              "Bad/../name": { source: a.mp4 }
              back: { source: "gopher://h/x" }
            sinks:
              - { kind: mqt }
              - { kind: mqtt, url: "mqtt://h", depth: { maxRate: 5Hz, formt: png } }
              - { kind: files, path: "out/{camera}", streams: [frnt] }
            shutdown: 8s
            """);
        Assert.Equal(
            [
                "1:1 nodde: is not a key here; did you mean node?",
                "2:23 batching.maxBatch: must be 1…64, is 0",
                "2:35 batching.maxWait: must be a time such as 500ms, 8s, 1m30s or 2h, is '10'",
                "3:22 defaults.maxRate: must be a rate such as 10Hz or none, is '5'",
                "3:44 defaults.queue.whenFull: is 'dropOldst'; did you mean dropOldest?",
                "5:10 streams.front.source: is missing",
                "5:12 streams.front.sorce: is not a key here; did you mean source?",
                "5:39 streams.front.tasks[0]: is 'depht'; did you mean depth?",
                "6:3 streams: 'Bad/../name' is no name: must be 1 to 48 of a-z, 0-9, _ and -",
                "7:19 streams.back.source: has the scheme 'gopher', which cannot be read; use rtsp, rtsps, rtmp, rtmps, http, https, udp, rtp, srt, tcp, or the path of a file",
                "9:13 sinks[0].kind: is 'mqt'; did you mean mqtt?",
                "10:59 sinks[1].depth.formt: is not a key here; did you mean format?",
                "11:5 sinks[2].streams: 'frnt' is no stream; did you mean front?",
                "11:5 sinks[2].path: {camera} is not filled in here; there are {stream}, {node} and {time}",
                "12:11 shutdown: must be a mapping of keys to values, is a single value",
            ],
            mistakes.Select(m => m[(m.IndexOf(".yaml:", StringComparison.Ordinal) + 6)..]));
    }

    [Theory]
    [InlineData("streams: { a: { source: x.mp4 }, a: { source: y.mp4 } }", "stands here a second time")]
    [InlineData("streams: { a: { source: x.mp4 } }\nbatching: { maxBatch: 1e999 }", "must be a whole number")]
    [InlineData("streams: { a: { source: x.mp4 } }\nbatching: { maxBatch: 99999999999999999999 }", "must be 1…64")]
    [InlineData("streams: { a: { source: x.mp4 } }\nbatching: { maxBatch: .nan }", "must be a whole number")]
    [InlineData("streams: { a: { source: x.mp4, reuse: { threshold: .inf } } }", "must be a number")]
    [InlineData("streams: { a: { source: x.mp4, reuse: { enabled: yes } } }", "must be true or false")]
    [InlineData("streams: { a: [x.mp4] }", "must be a mapping")]
    [InlineData("streams: { a: { source: [x.mp4] } }", "must be a single value, is a list")]
    [InlineData("streams: { a: { source: x.mp4 } }\nmodels: mini", "must be a list")]
    [InlineData("streams: { a: { source: \"x\\0.mp4\" } }", "NUL")]
    [InlineData("streams: { 'a#': { source: x.mp4 } }", "is no name")]
    [InlineData("streams: { 'a+': { source: x.mp4 } }", "is no name")]
    [InlineData("streams: { \"a\\0\": { source: x.mp4 } }", "is no name")]
    [InlineData("streams: { '..': { source: x.mp4 } }", "is no name")]
    [InlineData("streams: { a: { source: 'rtsp://${NOT_SET_ANYWHERE}@h/' } }", "needs the environment variable NOT_SET_ANYWHERE")]
    [InlineData("streams: { a: { source: 'x${-}.mp4' } }", "no variable")]
    [InlineData("streams: { a: { source: x.mp4, people: { from: somewhere } } }", "service.yaml:1:48 streams.a.people.from: is 'somewhere'; known are auto, frame, segmentation, track, detector, boxes")]
    [InlineData("streams: { a: { source: x.mp4, intrinsics: [1, 2, 3] } }", "service.yaml:1:44 streams.a.intrinsics: must be [fx, fy, cx, cy] in pixels")]
    [InlineData("streams: { a: { source: x.mp4, intrinsics: [0, 1, 2, 3] } }", "fx and fy above 0")]
    [InlineData("streams: { a: { source: x.mp4, focal: 35mm } }", "service.yaml:1:39 streams.a.focal: '35mm' is no focal length; write pixels of the source, 1050, or the horizontal angle of view, 78deg or none")]
    [InlineData("streams: { a: { source: x.mp4, focal: 78 } }", "streams.a.focal: '78' may be pixels or degrees; write 78px or 78deg or none")]
    [InlineData("streams: { a: { source: x.mp4, focal: 78deg, intrinsics: [1, 1, 2, 3] } }", "streams.a.focal: is said by intrinsics, too")]
    [InlineData("streams: { a: { source: x.mp4, intrinsics: [1, .nan, 2, 3] } }", "streams.a.intrinsics[1]: must be a number")]
    [InlineData("streams: { a: { source: x.mp4, people: { from: segmentaton } } }", "did you mean segmentation?")]
    [InlineData("{ modle: mini, streams: { a: { source: x.mp4 } } }", "modle: is not a key here; did you mean models?")]
    [InlineData("streams:\n  a: { source: x.mp4, people: { max: 0 } }", "service.yaml:2:38 streams.a.people.max: must be 1…100, is 0")]
    [InlineData("streams: { a: { source: x.mp4, people: { from: boxes } } }", "boxes needs a file")]
    [InlineData("streams: { a: { source: x.mp4, people: { from: detector, file: nowhere.onnx } } }", "service.yaml:1:64 streams.a.people.file: there is no file 'nowhere.onnx'")]
    [InlineData("streams: { a: { source: x.mp4, people: { from: track, file: x.json } } }", "belongs to detector and boxes")]
    [InlineData("telemetry: { http: nowhere }\nstreams: { a: { source: x.mp4 } }", "HOST:PORT")]
    [InlineData("sinks: [{ kind: mqtt, url: 'http://user:hunter22@h' }]\nstreams: { a: { source: x.mp4 } }", "is not mqtt://")]
    [InlineData("sinks: [{ kind: mqtt, url: 'mqtt://h' }, { kind: mqtt, url: 'mqtt://u:p@H:1883', streams: [a] }]\nstreams: { a: { source: x.mp4 } }", "sinks[1].prefix: is that of sinks[0] at the same broker")]
    [InlineData("execution: { device: gpu }\nstreams: { a: { source: x.mp4 } }", "service.yaml:1:22 execution.device: is 'gpu'; write auto, cpu, cuda or cuda:N")]
    [InlineData("models: []\nstreams: { a: { source: x.mp4 } }", "service.yaml:1:1 models: names none")]
    [InlineData("node: A\nstreams: { a: { source: x.mp4 } }", "must be 1 to 48")]
    [InlineData("node: a", "is missing")]
    [InlineData("streams: {}", "there is none")]
    [InlineData("", "is missing")]
    public void WhatIsWrongIsSaid(string yaml, string said)
    {
        var mistakes = Mistakes(yaml);
        Assert.Contains(mistakes, m => m.Contains(said, StringComparison.Ordinal));
        Assert.DoesNotContain(mistakes, m => m.Contains("hunter22", StringComparison.Ordinal) || m.Any(char.IsControl));
    }

    [Fact]
    public void BombsAndMonstersAreRefusedQuickly()
    {
        var lol = "a: &a [x,x,x,x,x,x,x,x,x]\n" + string.Concat("bcdefghijk".Zip("abcdefghij", (name, below) => $"{name}: &{name} [{string.Join(',', Enumerable.Repeat($"*{below}", 9))}]\n"));
        string[] monsters =
        [
            lol,
            string.Concat(Enumerable.Repeat("[", 200_000)),
            string.Concat(Enumerable.Repeat("{a: ", 100_000)),
            string.Concat(Enumerable.Range(0, 20_000).Select(n => $"{new string(' ', Math.Min(n, 400))}a:\n")),
            $"streams: {{ {new string('x', 65_536)}: {{ source: a }} }}",
            $"node: {new string('x', 900_000)}",
            new string('#', 3_000_000),
            "a: &a [*a]",
            "? [a, b]\n: c",
            "--- a\n--- b",
            "streams: *nothing",
            "\t- broken: [",
            "streams:\n" + string.Concat(Enumerable.Range(0, 9000).Select(n => $"  s{n}: {{ source: a }}\n")),
            "!!python/object/apply:os.system ['true']",
        ];
        var clock = System.Diagnostics.Stopwatch.StartNew();
        foreach (var monster in monsters)
        {
            var e = Assert.ThrowsAny<MetaPromptsException>(() => Read(monster));
            Assert.Equal(2, e.ExitCode);
            Assert.True(e.Message.Length < 2000, e.Message);
        }

        Assert.True(clock.Elapsed.TotalSeconds < 20, $"{clock.Elapsed}");
    }

    [Fact]
    public void RandomChangesNeverCrashTheReader()
    {
        var random = new Random(20261123);
        const string Letters = "{}[]:,&*!|>'\"#%@`-? \n\t0e9ax$";
        for (var n = 0; n < 1500; n++)
        {
            var text = Contract.ToCharArray().ToList();
            for (var k = random.Next(1, 6); k > 0; k--)
            {
                var at = random.Next(text.Count);
                if (random.Next(2) == 0) text[at] = Letters[random.Next(Letters.Length)];
                else text.RemoveRange(at, Math.Min(random.Next(1, 30), text.Count - at));
            }

            try
            {
                SettingsPrinter.Print(Read(string.Concat(text)));
            }
            catch (MetaPromptsException e)
            {
                Assert.Equal(2, e.ExitCode);
            }
        }
    }

    [Fact]
    public void OverridesGoBeforeTheFileAndSetBeforeTheEnvironment()
    {
        var settings = Read(Contract, ["batching.maxBatch=2", "sinks.0.url=mqtt://other", "sinks.0.tls.ca=null", "streams.front.maxRate=3Hz", "streams.new.source=b.mp4"],
            new(Camera) { ["METAPROMPTS__batching__maxBatch"] = "8", ["METAPROMPTS__shutdown__drain"] = "1s", ["METAPROMPTS_MODELS"] = "/m" });
        Assert.Equal((2, TimeSpan.FromSeconds(1), "mqtt://other", 3d), (settings.Batching.MaxBatch, settings.Shutdown.Drain, ((MqttSinkSettings)settings.Sinks[0]).Url, settings.Streams["front"].MaxRate!.Value.Hertz));
        Assert.Equal("b.mp4", settings.Streams["new"].Source);
        var mistake = Assert.Single(Mistakes(Contract, ["batching.maxBatsh=2"]));
        Assert.Equal("--set batching.maxBatsh: is not a key here; did you mean maxBatch?", mistake);
        Assert.Contains("leads nowhere", Assert.Single(Mistakes(Contract, ["node.x=2"])), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsShownHasNoSecretsAndReadsBackTheSame()
    {
        var settings = Read(Contract);
        var shown = SettingsPrinter.Print(settings);
        foreach (var secret in new[] { "secret77", "p@ss", "p%40ss", "viewer" }) Assert.DoesNotContain(secret, shown, StringComparison.Ordinal);
        Assert.Contains("'rtsp://***@10.0.0.21/stream1'", shown, StringComparison.Ordinal);
        Assert.Contains("stallTimeout: auto", shown, StringComparison.Ordinal);
        Assert.Equal(shown, SettingsPrinter.Print(Read(shown)));
    }

    [Fact]
    public void TheSchemaKnowsEveryKeyThatIsShown()
    {
        var schema = SettingsSchema.Of(typeof(ServiceSettings));
        Assert.Equal("https://json-schema.org/draft/2020-12/schema", schema["$schema"]!.GetValue<string>());
        var text = schema.ToJsonString();
        Assert.Contains("\"streams\"", JsonSerializer.Serialize(schema["required"]), StringComparison.Ordinal);
        foreach (var line in SettingsPrinter.Print(Read(Contract)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var key = line.TrimStart(' ', '-').Split(':')[0];
            if (key is "front" or "door" or "archive") continue;
            Assert.Contains($"\"{key}\":", text, StringComparison.Ordinal);
        }

        Assert.Equal(3, schema["properties"]!["sinks"]!["items"]!["oneOf"]!.AsArray().Count);
    }

    [Fact]
    public void EveryExampleInTheRepositoryIsRight()
    {
        var environment = new Dictionary<string, string> { ["CAM_USER"] = "u", ["CAM_PASS"] = "p", ["MQTT_USER"] = "u", ["MQTT_PASS"] = "p" };
        var examples = Directory.EnumerateFiles(Path.Combine(Repository.Root, "configs"), "*.yaml").Concat(Directory.EnumerateFiles(Path.Combine(Repository.Root, "docker"), "*.yaml").Where(f => !f.EndsWith("compose.yaml", StringComparison.Ordinal))).ToList();
        Assert.NotEmpty(examples);
        foreach (var example in examples) ServiceFile.Read(example, [], environment);
    }

    [Fact]
    public void TheReferencePageIsWhatTheClassesSay() =>
        Assert.Equal(SettingsReference.Markdown(), File.ReadAllText(Path.Combine(Repository.Root, "docs", "6-reference", "configuration.md")));

    [Fact]
    public void TheFullExampleNamesEveryKey()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "configs", "full.yaml"));
        var keys = SettingsReference.Markdown().Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('`')[1].Split('.')[^1]);
        Assert.All(keys, key => Assert.Matches($@"\b{key}:", text));
    }

    private ServiceSettings Read(string yaml, string[]? set = null, Dictionary<string, string>? environment = null)
    {
        var path = _workspace["service.yaml"];
        File.WriteAllText(path, yaml);
        return ServiceFile.Read(path, set ?? [], environment ?? Camera);
    }

    private List<string> Mistakes(string yaml, string[]? set = null) => [.. Assert.Throws<ConfigurationMistakes>(() => Read(yaml, set)).All.Select(m => m.ToString())];
}
