using System.Collections.Concurrent;
using System.Diagnostics;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Testing;

namespace MetaPrompts.Io.Tests.Mqtt;

/// <summary>The subscribers people will copy, run as they are against a real broker.</summary>
public sealed class SubscriberSampleTests
{
    private static readonly string _samples = Path.Combine(Root(), "samples", "subscribers");

    /// <summary>The one that Debian's packages belong to, whatever else is first in the path.</summary>
    private static string Python { get; } = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";

    [Fact]
    public async Task ThePythonSubscriberReadsMapsAndRecords()
    {
        Publisher.NeedMosquitto();
        Assert.SkipUnless(await PythonHasAsync("cv2, paho.mqtt.client"), "python3-opencv and python3-paho-mqtt are not installed; ./test.sh installs them");
        var lines = await HeardByAsync(port => (Python, [Path.Combine(_samples, "python", "subscriber.py"), "127.0.0.1", $"{port}"]));
        Assert.Contains("front 8 map (24, 32) uint16 nearest 1.008 m", lines);
        Assert.Contains("front 8 record ['wall', 'person']", lines);
    }

    [Fact]
    public async Task TheCSharpSubscriberReadsMapsAndRecords()
    {
        Publisher.NeedMosquitto();
        var program = Path.Combine(_samples, "csharp", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0", "Subscriber.dll");
        var lines = await HeardByAsync(port => ("dotnet", ["exec", program, "127.0.0.1", $"{port}"]));
        Assert.Contains("front 8 map 32x24 nearest 1.008 m", lines);
        Assert.Contains("front 8 record, 0 ms", lines);
    }

    [Theory]
    [InlineData("python/subscriber.py")]
    [InlineData("csharp/Program.cs")]
    public void ThePageShowsTheSubscribersThatAreTested(string sample) =>
        Assert.Contains(File.ReadAllText(Path.Combine(_samples, sample)).Trim(), File.ReadAllText(Path.Combine(Root(), "docs", "2-streaming", "mqtt.md")), StringComparison.Ordinal);

    /// <summary>cv2.imdecode(payload, -1) and np.load(io.BytesIO(payload)) are the contract's words: the real ones read every format back to the values that went in.</summary>
    [Fact]
    public async Task OpenCvAndNumPyReadEveryFormatInOneLine()
    {
        Assert.SkipUnless(await PythonHasAsync("cv2, numpy"), "python3-opencv is not installed; ./test.sh installs it");
        using var frame = Publisher.Frame(Publisher.Front, 3, new(5, 7));
        var (depth, classes) = (frame.Result.Perception.Depth!, frame.Result.Perception.Segmentation!);
        var folder = Directory.CreateTempSubdirectory("maps-").FullName;
        File.WriteAllBytes(Path.Combine(folder, "depth.png"), PngMaps.Grey.Encode(depth, 0.001));
        File.WriteAllBytes(Path.Combine(folder, "classes.png"), PngMaps.Grey.Encode(classes, Publisher.Manifest.Classes));
        File.WriteAllBytes(Path.Combine(folder, "depth.npy"), NpyMaps.UInt16.Encode(depth, 0.001));
        File.WriteAllBytes(Path.Combine(folder, "metres.npy"), NpyMaps.Float32.Encode(depth, 0.001));
        File.WriteAllBytes(Path.Combine(folder, "classes.npy"), NpyMaps.UInt16.Encode(classes, Publisher.Manifest.Classes));
        var said = await RunAsync(Python, ["-c", """
            import cv2, io, sys, numpy as np
            for name in ["depth.png", "classes.png", "depth.npy", "metres.npy", "classes.npy"]:
                payload = open(sys.argv[1] + "/" + name, "rb").read()
                a = cv2.imdecode(np.frombuffer(payload, np.uint8), -1) if name.endswith("png") else np.load(io.BytesIO(payload))
                print(name, a.shape, a.dtype, round(float(a[4, 6]), 4), round(float(a[0, 1]), 4))
            """, folder]);
        Assert.Equal(
            """
            depth.png (5, 7) uint16 1009.0 1004.0
            classes.png (5, 7) uint8 0.0 1.0
            depth.npy (5, 7) uint16 1009.0 1004.0
            metres.npy (5, 7) float32 1.009 1.004
            classes.npy (5, 7) uint8 0.0 1.0
            """.ReplaceLineEndings("\n"), said.TrimEnd());
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<IReadOnlyCollection<string>> HeardByAsync(Func<int, (string Program, string[] Arguments)> subscriber)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var sink = Publisher.Start(Publisher.Options(broker.Url));
        var (program, arguments) = subscriber(broker.Port);
        using var process = new Process { StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true } };
        var (lines, errors) = (new ConcurrentQueue<string>(), new ConcurrentQueue<string>());
        process.OutputDataReceived += (_, e) => lines.Enqueue(e.Data ?? "");
        process.ErrorDataReceived += (_, e) => errors.Enqueue(e.Data ?? "");
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            // The first record may be that of a frame whose map was published before anybody had subscribed.
            bool Heard(string what) => lines.Any(line => line.Contains(what, StringComparison.Ordinal));
            for (var end = DateTime.UtcNow.AddSeconds(90); DateTime.UtcNow < end && !process.HasExited && !(Heard(" map ") && Heard(" record")); await Task.Delay(100))
                await sink.WriteAsync(Publisher.Front, 8);
            Assert.False(process.HasExited, string.Join('\n', errors));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
        }

        return lines;
    }

    private static async Task<bool> PythonHasAsync(string modules)
    {
        try
        {
            await RunAsync(Python, ["-c", $"import {modules}"]);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(await error);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "MetaPrompts.Stream.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
