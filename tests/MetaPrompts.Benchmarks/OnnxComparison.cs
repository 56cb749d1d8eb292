using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Inference;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Benchmarks;

/// <summary>
/// One network with one set of weights in this project and in ONNX Runtime, call by call in turn in one process: the same normalised picture to the same answers, float32. First both must say the same.
/// </summary>
internal sealed class OnnxComparison : IDisposable
{
    // Two float32 libraries differ by some 1e-6 of the largest value a layer; whatever is wrong differs by far more.
    private const double Tolerance = 1e-4;
    private const int WarmUp = 3;
    private static readonly string[] _parts = ["latent", "step1", "head"];
    private static readonly JsonSerializerOptions _readable = new() { WriteIndented = true };

    private readonly string _file;
    private readonly int _rounds, _threads;
    private readonly NetworkAlone _ours;
    private readonly OnnxNetwork _theirs;
    private readonly float[] _pixels;
    private readonly Tensor _image;
    private readonly OrtValue _input;
    private readonly List<Row> _rows = [];

    /// <param name="file">From eng/onnx_export.py; where its three parts lie beside it, they are timed, too.</param>
    private OnnxComparison(string model, string file, int steps, int rounds, int threads)
    {
        (_file, _rounds, _threads) = (file, rounds, threads);
        _ours = new NetworkAlone(model, steps);
        _theirs = new OnnxNetwork(file, _threads);
        var shape = _theirs.InputShape;
        var random = new Random(1);
        _pixels = [.. Enumerable.Range(0, (int)shape.Aggregate((a, b) => a * b)).Select(_ => 2 * random.NextSingle() - 1)];
        _image = tensor(_pixels, shape);
        _input = OrtValue.CreateTensorValueFromMemory(_pixels, shape);
    }

    private sealed record Row(string What, string Engine, int Threads, int Calls, double MedianMs, double P95Ms, double CpuMs, double? FramesPerSecond);

    /// <param name="args">MODEL FILE.onnx [--steps N] [--rounds N] [--threads N] [--json FILE].</param>
    /// <returns>The exit code.</returns>
    public static int Run(IReadOnlyList<string> args)
    {
        int Number(string name, int otherwise) => Option(args, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        using var comparison = new OnnxComparison(args[0], args[1], Number("--steps", 1), Number("--rounds", 30), Number("--threads", TorchRuntime.Threads));
        return comparison.Run(Option(args, "--json"));
    }

    private static string? Option(IReadOnlyList<string> args, string name) => args.SkipWhile(arg => arg != name).Skip(1).FirstOrDefault();

    private int Run(string? json)
    {
        Console.WriteLine(Timed.Machine());
        Console.WriteLine($"libtorch {TorchRuntime.Version}, ONNX Runtime {OnnxNetwork.Version}, dotnet {Environment.Version}; {_ours.Manifest.Name}, picture {string.Join("×", _theirs.InputShape.Skip(2))}");
        var apart = Differences();
        foreach (var (what, difference) in apart) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: differ by at most {difference:0.0e+0} of the largest value"));
        if (apart.Values.Any(difference => !(difference <= Tolerance)))
        {
            Console.Error.WriteLine("these are not the same network: nothing is timed");
            return 1;
        }

        var method = $"network alone, fp32, {_rounds} calls of each in turn, who is first changes, {WarmUp} calls of warm-up; ONNX Runtime: all graph optimisations, sequential, as many threads as libtorch";
        Console.WriteLine(method);
        var ratios = new Dictionary<string, double>(Together());
        if (_ours.Lanes > 1) ratios["side by side"] = SideBySide();
        Print(ratios);
        if (json is not null)
        {
            File.WriteAllText(json, JsonSerializer.Serialize(new
            {
                machine = Timed.Machine(),
                versions = new { libtorch = TorchRuntime.Version, onnxruntime = OnnxNetwork.Version, dotnet = Environment.Version.ToString() },
                model = _ours.Manifest.Name,
                input = _theirs.InputShape,
                method,
                differences = apart,
                rows = _rows,
                onnxRuntimeByThis = ratios,
            }, _readable));
        }
        return 0;
    }

    /// <returns>For each answer the largest difference, as a share of its largest value.</returns>
    private Dictionary<string, double> Differences()
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var answers = _theirs.Run([_input]);
        var apart = new Dictionary<string, double>();
        _ours.Run(_image, ours =>
        {
            foreach (var (name, mine, theirs) in _theirs.Outputs.Zip(ours, answers))
            {
                var other = tensor(theirs.GetTensorDataAsSpan<float>().ToArray(), theirs.GetTensorTypeAndShape().Shape);
                if (!other.shape.SequenceEqual(mine.shape)) throw new ModelRefusedException(_file, $"{name} is [{string.Join(", ", other.shape)}], and [{string.Join(", ", mine.shape)}] here");
                apart[name] = ((mine - other).abs().max() / mine.abs().max()).ToDouble();
            }
        });
        return apart;
    }

    /// <summary>All threads for one call; the parts, too, where their files are there.</summary>
    /// <returns>How many times longer ONNX Runtime takes.</returns>
    private Dictionary<string, double> Together()
    {
        set_num_threads(_threads);
        var stem = Path.Combine(Path.GetDirectoryName(_file)!, Path.GetFileNameWithoutExtension(_file));
        var files = _parts.Select(part => $"{stem}.{part}.onnx").ToList();
        List<OnnxNetwork> sessions = files.All(File.Exists) ? [.. files.Select(file => new OnnxNetwork(file, _threads))] : [];
        var (ours, theirs) = (new Dictionary<string, Timed>(), new Dictionary<string, Timed>());
        foreach (var what in _parts.Append("network")) (ours[what], theirs[what]) = (new Timed(), new Timed());

        void Ours(bool counts)
        {
            var (wall, cpu, whole) = (0d, 0d, new Timed());
            using (PartClock.Start(static () => Environment.CpuUsage.TotalTime, (part, ms, processors) =>
            {
                (wall, cpu) = (wall + ms, cpu + processors);
                if (counts && ours.TryGetValue(part, out var timed)) timed.Add(ms, processors);
            }))
            {
                whole.Call(() => _ours.Run(_image));
            }
            if (!counts) return;
            ours["network"].Add(whole.MedianMs, whole.CpuMs);
            // Nobody tells when the heads are done: the call is over.
            ours["head"].Add(whole.MedianMs - wall, whole.CpuMs - cpu);
        }

        void Theirs(bool counts)
        {
            var timed = counts ? theirs["network"] : new Timed();
            timed.Call(() => _theirs.Run([_input]).Dispose());
        }

        void Parts(bool counts)
        {
            IDisposableReadOnlyCollection<OrtValue>? last = null;
            foreach (var (what, session) in _parts.Zip(sessions))
            {
                IReadOnlyCollection<OrtValue> inputs = last is null ? [_input] : last;
                IDisposableReadOnlyCollection<OrtValue>? said = null;
                (counts ? theirs[what] : new Timed()).Call(() => said = session.Run(inputs));
                last?.Dispose();
                last = said;
            }
            last?.Dispose();
        }

        for (var round = -WarmUp; round < _rounds; round++)
        {
            Action<bool>[] turns = round % 2 == 0 ? [Ours, Theirs] : [Theirs, Ours];
            foreach (var turn in turns) turn(round >= 0);
            Parts(round >= 0);
        }
        foreach (var session in sessions) session.Dispose();

        var measured = _parts.Append("network").Where(what => theirs[what].Calls > 0).ToList();
        foreach (var what in measured)
        {
            foreach (var (engine, timed) in ((string, Timed)[])[("this", ours[what]), ("ONNX Runtime", theirs[what])])
                _rows.Add(new Row(what, engine, _threads, timed.Calls, timed.MedianMs, timed.P95Ms, timed.CpuMs, null));
        }
        return measured.ToDictionary(what => what, what => ours[what].RatioOf(theirs[what]));
    }

    /// <summary>As a small network is served: as many calls at once as there are threads, one thread each. In rounds, the engines in turn.</summary>
    /// <returns>How many times more frames a second come out here.</returns>
    private double SideBySide()
    {
        // A thread asks for its share when it first computes: these begin afterwards.
        set_num_threads(1);
        using var single = new OnnxNetwork(_file, 1);
        const int Frames = 40;
        (string Engine, Action Call)[] engines = [("this", () => _ours.Run(_image)), ("ONNX Runtime", () => single.Run([_input]).Dispose())];
        var calls = engines.ToDictionary(one => one.Engine, _ => new List<double>());
        var (fps, cpu) = (engines.ToDictionary(one => one.Engine, _ => new List<double>()), engines.ToDictionary(one => one.Engine, _ => new List<double>()));
        using var lanes = new Lanes(TorchRuntime.Threads);
        var rounds = Math.Max(3, _rounds / 10);
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (engine, call) in round % 2 == 0 ? engines : engines.Reverse())
            {
                var (started, before) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                var took = lanes.Run(Frames, call);
                if (round < 0) continue;
                fps[engine].Add(Frames / Stopwatch.GetElapsedTime(started).TotalSeconds);
                cpu[engine].Add((Environment.CpuUsage.TotalTime - before).TotalMilliseconds / Frames);
                calls[engine].AddRange(took);
            }
        }
        foreach (var (engine, _) in engines)
        {
            _rows.Add(new Row("side by side", engine, 1, calls[engine].Count, Timed.Percentile(calls[engine], 0.5), Timed.Percentile(calls[engine], 0.95), Timed.Percentile(cpu[engine], 0.5),
                Timed.Percentile(fps[engine], 0.5)));
        }
        return Timed.Percentile([.. fps["this"].Zip(fps["ONNX Runtime"], (ours, theirs) => ours / theirs)], 0.5);
    }

    private void Print(Dictionary<string, double> ratios)
    {
        Console.WriteLine("| what | threads a call | this, ms (p95) | ONNX Runtime, ms (p95) | ONNX Runtime ÷ this | CPU-ms, this | CPU-ms, ONNX Runtime | frames/s, this | frames/s, ONNX Runtime |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|");
        foreach (var pair in _rows.Chunk(2))
        {
            var (mine, other) = (pair[0], pair[1]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {mine.What} | {mine.Threads} | {mine.MedianMs:0.0} ({mine.P95Ms:0.0}) | {other.MedianMs:0.0} ({other.P95Ms:0.0}) | {ratios[mine.What]:0.00} | {mine.CpuMs:0.0} | {other.CpuMs:0.0} | {mine.FramesPerSecond?.ToString("0.0", CultureInfo.InvariantCulture) ?? "–"} | {other.FramesPerSecond?.ToString("0.0", CultureInfo.InvariantCulture) ?? "–"} |"));
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        _image.Dispose();
        _theirs.Dispose();
        _ours.Dispose();
    }
}
