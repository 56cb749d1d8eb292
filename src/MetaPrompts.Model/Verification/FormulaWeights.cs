using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using MetaPrompts.Model.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Model.Verification;

/// <summary>The deterministic weights of the fixtures: a tensor's values follow from its published name and a seed.</summary>
public static partial class FormulaWeights
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>A whole network. A tensor with several names is generated under the one that is not an alias.</summary>
    public static void Fill(nn.Module network, ulong seed, bool half, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        foreach (var (name, tensor) in network.state_dict())
        {
            stop.ThrowIfCancellationRequested();
            if (name.Contains("cross_unet_conv", StringComparison.Ordinal)) continue;
            UnfilledNetwork.GiveMemory(tensor);
            Fill(name, tensor, seed, half);
        }
    }

    /// <param name="half">Round through float16, as the tiny fixtures are.</param>
    public static void Fill(string name, Tensor destination, ulong seed, bool half)
    {
        using var none = no_grad();
        if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
        {
            destination.zero_();
            return;
        }
        var (scale, offset) = Affine(name, destination.shape);
        var values = new float[destination.numel()];
        var state = State(name, seed);
        // A full-size network has 0.9 billion of them.
        Parallel.ForEach(Partitioner.Create(0, Math.Max(1, values.Length), 1 << 20), range =>
        {
            for (var i = range.Item1; i < Math.Min(range.Item2, values.Length); i++)
            {
                var value = Uniform(state, (ulong)i) * scale + offset;
                values[i] = half ? (float)(Half)value : value;
            }
        });
        using var tensor = from_array(values).reshape(destination.shape);
        destination.copy_(tensor);
    }

    /// <summary>In [-1, 1), exact in float32.</summary>
    public static float Uniform(ulong state, ulong index) => (Draw(state, index) >> 40) * (1f / (1 << 23)) - 1f;

    /// <summary>64 random bits (SplitMix64).</summary>
    public static ulong Draw(ulong state, ulong index)
    {
        var z = state + (index + 1) * Golden;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Where the numbers of a name begin.</summary>
    public static ulong State(string name, ulong seed) => Fnv1a(name) + seed * Golden;

    public static ulong Fnv1a(string name)
    {
        var hash = 0xcbf29ce484222325;
        foreach (var one in Encoding.UTF8.GetBytes(name)) hash = (hash ^ one) * 0x100000001b3;
        return hash;
    }

    private static (float Scale, float Offset) Affine(string name, long[] shape)
    {
        if (StepParameter().IsMatch(name)) return (1.7320508f, 0);
        if (name.EndsWith("running_var", StringComparison.Ordinal)) return (0.25f, 1);
        if (name.EndsWith("running_mean", StringComparison.Ordinal)) return (0.1f, 0);
        if (shape.Length <= 1) return name.EndsWith("weight", StringComparison.Ordinal) ? (0.1f, 1) : (0.05f, 0);
        double fan = shape.Skip(1).Aggregate(1L, (product, dim) => product * dim);
        if (shape.Length == 4 && name.Contains("deconv_layers", StringComparison.Ordinal)) fan = shape[0] * shape[2] * shape[3] / 4.0;
        var gain = name.Contains("last_layer_depth", StringComparison.Ordinal) ? 4.0 : 1.5;
        return ((float)(gain / Math.Sqrt(fan)), 0);
    }

    [GeneratedRegex(@"(^|\.)(t\d+|meta_prompts\d*)$")]
    private static partial Regex StepParameter();
}
