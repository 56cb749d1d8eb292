using System.Text.RegularExpressions;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Checkpoints;

namespace MetaPrompts.Model.Conversion;

/// <summary>What the names and shapes of a published file tell about its network; the rest is in <see cref="Inference.PublishedModels"/>.</summary>
internal sealed partial class NetworkOfFile
{
    private const string Unet = "unet.unet.diffusion_model.";
    private readonly string _file, _prefix;
    private readonly Dictionary<string, IReadOnlyList<long>> _shapes;

    /// <param name="file">For messages.</param>
    /// <exception cref="CheckpointFormatException">It is the file of no network known here.</exception>
    public NetworkOfFile(ICheckpointReader reader, string file)
    {
        _file = file;
        _shapes = [];
        // With and without the prefix it is one tensor; whether both hold the same, the loader finds out.
        foreach (var entry in reader.Entries) _shapes.TryAdd(DistributedPrefix().Replace(entry.Name, ""), entry.Shape);
        (Task, _prefix) = _shapes.Keys switch
        {
            var names when names.Contains("encoder." + Unet + "out.0.weight") && names.Contains("last_layer_depth.0.weight") => (PerceptionTask.Depth, "encoder."),
            var names when names.Contains("backbone." + Unet + "out.0.weight") && names.Contains("keypoint_head.final_layer.weight") => (PerceptionTask.Pose, "backbone."),
            var names when names.Contains(Unet + "out.0.weight") && names.Contains("decode_head.conv_seg.weight") => (PerceptionTask.Segmentation, ""),
            var names when names.Any(name => name.StartsWith("model.diffusion_model.", StringComparison.Ordinal) || name.StartsWith("unet.down_blocks.", StringComparison.Ordinal)) =>
                throw Refuse("is Stable Diffusion itself, which a training begins from; it has no task to serve"),
            _ => throw Refuse($"holds no network known here (its first tensors are {string.Join(", ", _shapes.Keys.Take(3).Select(Limits.Short))})"),
        };
    }

    public PerceptionTask Task { get; }

    /// <summary>Refine steps the weights know.</summary>
    public int RefineSteps => _shapes.Keys.Count(name => StepName().IsMatch(name) && name.StartsWith(_prefix, StringComparison.Ordinal));

    public int Prompts => Dim(Task == PerceptionTask.Segmentation ? "meta_prompts" : _prefix + "meta_prompts1", 0);

    /// <summary>Classes or joints; 1 for depth.</summary>
    public int Outputs => Task switch
    {
        PerceptionTask.Segmentation => Dim("decode_head.conv_seg.weight", 0),
        PerceptionTask.Pose => Dim("keypoint_head.final_layer.weight", 0),
        _ => 1,
    };

    /// <summary>All widths. Attention heads and groups of norms leave no trace in shapes: the first is the caller's, the second Stable Diffusion's.</summary>
    public NetworkShape Shape(int numHeads, int resizeScale)
    {
        var (channels, widths, blocks, attention) = UNet();
        var (vaeCh, vaeWidths, vaeBlocks) = Autoencoder();
        var context = Dim(Task == PerceptionTask.Segmentation ? "meta_prompts" : _prefix + "meta_prompts1", 1);
        var shape = new NetworkShape
        {
            Kind = Task.ToString().ToLowerInvariant(),
            ModelChannels = channels,
            ChannelMult = [.. widths.Select(width => width / channels)],
            NumResBlocks = blocks,
            AttentionResolutions = [.. attention.Order().Reverse()],
            NumHeads = numHeads,
            ContextDim = context,
            EmbedDim = context,
            InChannels = Dim(_prefix + Unet + "input_blocks.0.0.weight", 1),
            VaeCh = vaeCh,
            VaeChMult = [.. vaeWidths.Select(width => width / vaeCh)],
            VaeNumResBlocks = vaeBlocks,
            ZChannels = Dim(_prefix + "encoder_vq.quant_conv.weight", 0) / 2,
            ResizeScale = resizeScale,
        };
        return Task switch
        {
            PerceptionTask.Depth => shape with
            {
                Filters = Dim("decoder.deconv_layers.0.weight", 1), DecoderChannels = Dim("decoder.conv_layers.0.weight", 0), FuseFilters = Dim(_prefix + "layer2.deconv_layers.0.weight", 1),
            },
            PerceptionTask.Pose => shape with { Filters = Dim("keypoint_head.deconv_layers.0.weight", 1), FuseFilters = Dim(_prefix + "layer2.deconv_layers.0.weight", 1) },
            _ => shape with { HeadChannels = Dim("decode_head.bottleneck.conv.weight", 0) },
        };
    }

    /// <summary>Walks the blocks downwards: residual blocks have a width, a downsampler ends a level.</summary>
    private (int Channels, List<int> Widths, int Blocks, List<int> Attention) UNet()
    {
        var input = _prefix + Unet + "input_blocks.";
        var (widths, attention, width, blocks, most) = (new List<int>(), new List<int>(), 0, 0, 0);
        for (var i = 1; ; i++)
        {
            if (_shapes.ContainsKey($"{input}{i}.0.out_layers.3.weight"))
            {
                (width, most) = (Dim($"{input}{i}.0.out_layers.3.weight", 0), Math.Max(most, ++blocks));
                if (_shapes.ContainsKey($"{input}{i}.1.norm.weight") && !attention.Contains(1 << widths.Count)) attention.Add(1 << widths.Count);
                continue;
            }
            widths.Add(width);
            blocks = 0;
            if (!_shapes.ContainsKey($"{input}{i}.0.op.weight")) break;
        }
        return (Dim(input + "0.0.weight", 0), widths, most, attention);
    }

    private (int Channels, List<int> Widths, int Blocks) Autoencoder()
    {
        var down = _prefix + "encoder_vq.encoder.";
        var widths = new List<int>();
        while (_shapes.ContainsKey($"{down}down.{widths.Count}.block.0.conv1.weight")) widths.Add(Dim($"{down}down.{widths.Count}.block.0.conv1.weight", 0));
        var blocks = 0;
        while (_shapes.ContainsKey($"{down}down.0.block.{blocks}.conv1.weight")) blocks++;
        return (Dim(down + "conv_in.weight", 0), widths, blocks);
    }

    private int Dim(string name, int at) => _shapes.TryGetValue(name, out var shape) && shape.Count > at && shape[at] is > 0 and <= 1 << 20
        ? (int)shape[at]
        : throw Refuse($"lacks {name}, or it has no sensible shape");

    private CheckpointFormatException Refuse(string problem) => new(_file, problem);

    [GeneratedRegex(@"^module\.")]
    private static partial Regex DistributedPrefix();

    [GeneratedRegex(@"^(encoder\.|backbone\.)?t[0-9]+$")]
    private static partial Regex StepName();
}
