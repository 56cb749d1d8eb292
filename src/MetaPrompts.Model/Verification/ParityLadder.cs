using MetaPrompts.Core.Errors;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Inference.Protocols;
using MetaPrompts.Model.Modules.MetaPrompts;
using MetaPrompts.Model.Steps;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Verification;

/// <summary>
/// The published networks against golden tensors, stage by stage from the picture to the answer: the first rung that breaks is where the fault is. Forward passes, then the published test protocols.
/// </summary>
/// <param name="root">Folder with a folder per task (<see cref="GoldenModel"/>).</param>
/// <param name="path">How the network computes.</param>
public sealed class ParityLadder(string root, Device device, ScalarType type, ServingPath path = ServingPath.Plain)
{
    private static readonly string[] _tasks = ["depth", "segmentation", "pose"];

    /// <summary>
    /// Share of a stage's largest absolute value. The files hold the exact answer rounded to float32: in float64 that rounding is all that may remain. In float32 the published modules themselves
    /// are up to 1e-4 away; in bfloat16, eight bits of mantissa through layers of random weights, a stage is far from the exact one even where everything is right: there the ladder only finds what is broken.
    /// </summary>
    public static double Tolerance(ScalarType type) => type switch
    {
        ScalarType.Float64 => 2e-6,
        ScalarType.Float32 => 3e-4,
        _ => 0.5,
    };

    /// <summary>Tasks that have a folder, in order.</summary>
    public static IReadOnlyList<string> TasksIn(string root) => [.. _tasks.Where(task => Directory.Exists(Path.Combine(root, task)))];

    /// <param name="task"><c>depth</c>, <c>segmentation</c> or <c>pose</c>.</param>
    /// <exception cref="ConfigurationException">There are no golden files of it.</exception>
    public IEnumerable<Rung> Run(string task)
    {
        var model = new GoldenModel(Path.Combine(root, task));
        var rungs = model.Files("case").SelectMany(file => Case(model, file))
            .Concat(model.Files("protocol").SelectMany(file => Protocol(model, file)))
            .Concat(model.Files("slide").SelectMany(file => Slide(model, file)));
        return rungs.Select(rung => rung with { Path = path });
    }

    /// <summary>A forward pass, every stage that the file names.</summary>
    private List<Rung> Case(GoldenModel model, string file)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var golden = new GoldenCase(file);
        using var network = Network(model, golden);
        using var steps = new StepCache(network.Prepare);
        var rungs = new List<Rung>();
        void Tap(string name, Tensor value)
        {
            if (!golden.Names.Contains(name)) return;
            using var expected = golden.Expected(name);
            // Ours keeps one context for the whole batch; the reference repeats it.
            using var actual = name.EndsWith("context", StringComparison.Ordinal) ? value.expand(expected.shape) : value.alias();
            rungs.Add(Rung.Compare(model.Task, golden.Name, name, expected, actual, Tolerance(type)));
        }

        var prepared = steps.First(model.RefineSteps);
        Tap("context", prepared[0].MetaPrompts);
        var image = golden.Image(type, device);
        var answer = network.Forward(image, prepared, Tap);
        if (model.Task == "pose" && golden.Names.Contains("heatmaps_flip_average"))
        {
            var (flipped, mean) = FlippedPose.Run(image, picture => network.Forward(picture, prepared, null), answer);
            Tap("heatmaps_flipped_back", flipped);
            Tap("heatmaps_flip_average", mean);
        }
        // Nearly equal logits may fall either way in less than float64.
        if (golden.Names.Contains("argmax") && type == ScalarType.Float64) Tap("argmax", answer.argmax(1).to(ScalarType.Byte));
        if (answer.shape[0] == 1) rungs.Add(CachedIsFresh(model, golden, network, image, answer));
        return Complete(rungs, model, golden, "argmax");
    }

    /// <summary>One answer more, with the step's features prepared afresh instead of taken from the cache: equal to the bit.</summary>
    private static Rung CachedIsFresh(GoldenModel model, GoldenCase golden, ServedGolden network, Tensor image, Tensor answer)
    {
        using var scope = NewDisposeScope();
        var fresh = Enumerable.Range(1, model.RefineSteps).Select(network.Prepare).ToList();
        return Rung.Compare(model.Task, golden.Name, "cached = prepared afresh", answer, network.Forward(image, fresh, null), 0);
    }

    /// <summary>Flip and windows of the published depth evaluation.</summary>
    private List<Rung> Protocol(GoldenModel model, string file)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var golden = new GoldenCase(file);
        using var network = Network(model, golden);
        using var steps = new StepCache(network.Prepare);
        var image = golden.Image(type, device);
        var rungs = new List<Rung>();
        foreach (var (name, windows, flip) in ((string, int, bool)[])[("plain", 1, false), ("flip_only", 1, true), ("windows_shift_only", golden.Windows, false), ("windows_flip_shift", golden.Windows, true)])
        {
            if (!golden.Names.Contains(name)) continue;
            using var expected = golden.Expected(name);
            using var actual = ShiftedDepth.Run(image, picture => network.Forward(picture, steps.First(model.RefineSteps), null), windows, flip);
            // Columns no window covers are not a number, in the reference as here: they are compared as 0.
            rungs.Add(Rung.Compare(model.Task, golden.Name, name, expected.nan_to_num(0), Uncovered(expected, actual), Tolerance(type)));
        }
        return Complete(rungs, model, golden);
    }

    /// <summary>0 where both are not a number, untouched elsewhere: a NaN in one of them alone stays one.</summary>
    private static Tensor Uncovered(Tensor expected, Tensor actual)
    {
        using var both = expected.isnan() & actual.cpu().isnan();
        return actual.cpu().masked_fill(both, 0);
    }

    /// <summary>Windows and flip of the published segmentation evaluation.</summary>
    private List<Rung> Slide(GoldenModel model, string file)
    {
        using var scope = NewDisposeScope();
        using var none = no_grad();
        using var golden = new GoldenCase(file);
        using var network = Network(model, golden);
        using var steps = new StepCache(network.Prepare);
        var image = golden.Image(type, device);
        var slide = new SlidingWindows(golden.Crop.Height, golden.Crop.Width, golden.Stride.Height, golden.Stride.Width);
        Tensor Forward(Tensor picture) => network.Forward(picture, steps.First(model.RefineSteps), null);
        var rungs = new List<Rung>();
        void Compare(string name, Func<Tensor> actual)
        {
            if (!golden.Names.Contains(name)) return;
            using var expected = golden.Expected(name);
            rungs.Add(Rung.Compare(model.Task, golden.Name, name, expected, actual(), name.StartsWith("windows", StringComparison.Ordinal) || name is "count" ? 0 : Tolerance(type)));
        }

        var (height, width) = (image.shape[2], image.shape[3]);
        Compare("windows_y1x1y2x2", () => tensor(slide.Over(height, width).SelectMany(w => (long[])[w.Top, w.Left, w.Bottom, w.Right]).ToArray()).reshape(-1, 4));
        Compare("count", () => slide.Coverage(height, width).to(ScalarType.Byte));
        var logits = slide.Run(image, Forward);
        Compare("logits", () => logits);
        if (golden.Names.FirstOrDefault(name => name is "argmax" or "prob_flip_average") is { } sized)
        {
            using var like = golden.Expected(sized);
            var (outHeight, outWidth) = (like.shape[^2], like.shape[^1]);
            var plain = SlidingWindows.Probabilities(logits, outHeight, outWidth);
            using var mirrored = image.flip(3);
            var both = (plain + SlidingWindows.Probabilities(slide.Run(mirrored, Forward), outHeight, outWidth).flip(3)) / 2;
            Compare("prob_flip_average", () => both);
            if (type == ScalarType.Float64)
            {
                Compare("argmax", () => plain.argmax(1).to(ScalarType.Byte));
                Compare("argmax_flip", () => both.argmax(1).to(ScalarType.Byte));
            }
        }
        return Complete(rungs, model, golden, "argmax", "argmax_flip");
    }

    /// <summary>Every stage that the file names was met; else it is a rung that fails.</summary>
    private List<Rung> Complete(List<Rung> rungs, GoldenModel model, GoldenCase golden, params string[] onlyInFloat64)
    {
        foreach (var name in golden.Names.Where(name => name != "image_u8" && rungs.All(rung => rung.Name != name)))
        {
            if (type != ScalarType.Float64 && onlyInFloat64.Contains(name)) continue;
            rungs.Add(Rung.Missed(model.Task, golden.Name, name, Tolerance(type)));
        }
        return rungs;
    }

    private ServedGolden Network(GoldenModel model, GoldenCase golden)
    {
        var network = ServedGolden.Of(model.Task, model.Manifest(golden.ResizeScale, golden.MaxDepth));
        Precisions.Apply(network.Module, type, device);
        model.Load(network.Module);
        network.Module.to(device);
        Preparation.Apply(network.Module, path.Speedups(), device, type);
        return network;
    }
}
