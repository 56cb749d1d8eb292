using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Perception;

/// <summary>What a checkpoint is, beside its weights: <c>name.json</c> next to <c>name.safetensors</c> (contract §7). The model card is printed from it.</summary>
public sealed record ModelManifest
{
    public required string Name { get; init; }

    public required IReadOnlyList<PerceptionTask> Tasks { get; init; }

    /// <summary>File name of the weights, beside the manifest.</summary>
    public required string Weights { get; init; }

    /// <summary>Of the weights file, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>How the file names its tensors: an entry of PublishedKeyMaps.</summary>
    public required string KeyMap { get; init; }

    public required NetworkShape Network { get; init; }

    /// <summary>Most refine steps the weights know.</summary>
    public required int RefineSteps { get; init; }

    /// <summary>Steps used when nobody asks for another number; null means all.</summary>
    public int? DefaultRefineSteps { get; init; }

    /// <summary>Meta prompts per task.</summary>
    public required IReadOnlyDictionary<PerceptionTask, int> MetaPrompts { get; init; }

    /// <summary>Meta prompts of one task.</summary>
    /// <exception cref="ModelRefusedException">The model has none for it.</exception>
    public int PromptsOf(PerceptionTask task) =>
        MetaPrompts.TryGetValue(task, out var count) ? count : throw new ModelRefusedException(Name, $"has no meta prompts for {task.ToString().ToLowerInvariant()}");

    /// <summary>Value of <see cref="Protocol"/>: one forward of the whole frame.</summary>
    public const string Stream = "stream";

    /// <summary>Value of <see cref="Protocol"/>: as <see cref="Paper"/> says.</summary>
    public const string Published = "paper";

    /// <summary>How a frame is run: <see cref="Stream"/> or <see cref="Published"/>.</summary>
    public string Protocol { get; init; } = Stream;

    /// <summary>The published test protocol; null where nobody published one.</summary>
    public PaperProtocol? Paper { get; init; }

    /// <summary>About what size live frames are resized to, aspect kept; null keeps the source's size.</summary>
    public ImageSize? WorkingSize { get; init; }

    /// <summary>Metres.</summary>
    public float? MaxDepth { get; init; }

    /// <summary>Metres; null where the head's range starts at 0.</summary>
    public float? MinDepth { get; init; }

    /// <summary>The depth head is trained for a camera whose focal length is this many image widths; null where depth is metric for the training camera.</summary>
    public float? CanonicalFocal { get; init; }

    /// <summary>What this model's depth is to be multiplied by to be that of a camera.</summary>
    /// <param name="focalLength">In image widths; null where unknown: depth stays as it is.</param>
    public double DepthScale(double? focalLength) => CanonicalFocal is { } canonical && focalLength is { } focal ? focal / canonical : 1;

    public IReadOnlyList<ClassInfo> Classes { get; init; } = [];

    public IReadOnlyList<string> Keypoints { get; init; } = [];

    /// <summary>Where the weights come from.</summary>
    public required string Source { get; init; }

    public required string Licence { get; init; }

    /// <summary>What the weights scored; the key names metric and protocol (<c>synthetic.mIoU.steps2</c>).</summary>
    public IReadOnlyDictionary<string, double> Scores { get; init; } = new Dictionary<string, double>();
}

/// <param name="Colour">RGB as <c>#rrggbb</c>.</param>
public sealed record ClassInfo(string Name, string Colour);

/// <summary>Sizes of the latent UNet and autoencoder; the defaults are Stable Diffusion 1.5, the mini model overrides them (JSON names as in ldm's configuration, camelCase).</summary>
public sealed record NetworkShape
{
    /// <summary>Which network of Model/Modules/MetaPrompts: <c>depth</c>, <c>segmentation</c>, <c>pose</c>, or <c>multi</c> (all tasks from one pass).</summary>
    public string Kind { get; init; } = "depth";

    public int ModelChannels { get; init; } = 320;

    public IReadOnlyList<int> ChannelMult { get; init; } = [1, 2, 4, 4];

    public int NumResBlocks { get; init; } = 2;

    /// <summary>Downsampling factors at which the UNet has transformers.</summary>
    public IReadOnlyList<int> AttentionResolutions { get; init; } = [4, 2, 1];

    public int NumHeads { get; init; } = 8;

    public int ContextDim { get; init; } = 768;

    /// <summary>Groups of every GroupNorm of UNet and autoencoder.</summary>
    public int NormGroups { get; init; } = 32;

    public int InChannels { get; init; } = 4;

    public int VaeCh { get; init; } = 128;

    public IReadOnlyList<int> VaeChMult { get; init; } = [1, 2, 4, 4];

    public int VaeNumResBlocks { get; init; } = 2;

    public int ZChannels { get; init; } = 4;

    /// <summary>Stride of the autoencoder's first convolution: 1 as published; mini starts at 2 because the full-resolution level would cost the most.</summary>
    public int VaeInStride { get; init; } = 1;

    /// <summary>Width of the fused features that the prompts re-arrange (published: 768; equal to ContextDim, because prompts and features meet in a scalar product).</summary>
    public int EmbedDim { get; init; } = 768;

    /// <summary>Width of UPerHead (published: 512).</summary>
    public int HeadChannels { get; init; } = 512;

    /// <summary>Width of the pose head of a network of several tasks; 0: as <see cref="HeadChannels"/>. What it says has more numbers than a narrow head has channels.</summary>
    public int PoseHeadChannels { get; init; }

    /// <summary>Deconvolution filters of the depth decoder (32) or heatmap head (256).</summary>
    public int Filters { get; init; } = 32;

    /// <summary>Deconvolution filters of the layers that bring coarse features to the finest grid before they are fused (depth and pose).</summary>
    public int FuseFilters { get; init; } = 32;

    /// <summary>Width of the depth decoder's output (published: 192, there called embed_dim).</summary>
    public int DecoderChannels { get; init; } = 192;

    /// <summary>Groups of the fuse layers' GroupNorm (published: 16).</summary>
    public int FuseGroups { get; init; } = 16;

    /// <summary>Depth: blocks of 64 pixels added when resizing (NYU 1, KITTI 2).</summary>
    public int ResizeScale { get; init; } = 1;
}
