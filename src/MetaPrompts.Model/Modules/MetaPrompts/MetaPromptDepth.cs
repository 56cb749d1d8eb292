using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Steps;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>The published depth network (reference: depth/models/meta_prompt_depth.py, MetaPromptDepth).</summary>
public sealed class MetaPromptDepth : Module, IPreparable
{
    private readonly MetaPromptDepthEncoder encoder;
    private readonly Decoder decoder;
    private readonly Sequential last_layer_depth;
    private readonly int resizeScale;
    private readonly double maxDepth;
    private FastStack? _prepared;

    /// <param name="manifest">Shape, prompts, refine steps, greatest depth.</param>
    /// <exception cref="Core.Errors.ModelRefusedException">The manifest is not one of a depth model.</exception>
    public MetaPromptDepth(ModelManifest manifest) : base(nameof(MetaPromptDepth))
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var shape = manifest.Network;
        var prompts = manifest.PromptsOf(PerceptionTask.Depth);
        maxDepth = manifest.MaxDepth ?? throw new Core.Errors.ModelRefusedException(manifest.Name, "a depth model needs maxDepth");
        resizeScale = shape.ResizeScale;
        encoder = new MetaPromptDepthEncoder(shape, prompts, manifest.RefineSteps);
        decoder = new Decoder(prompts, shape.DecoderChannels, [shape.Filters, shape.Filters, shape.Filters], kernel: 2);
        last_layer_depth = Sequential(
            ("0", Conv2d(shape.DecoderChannels, shape.DecoderChannels, 3, padding: 1)),
            ("1", ReLU()),
            ("2", Conv2d(shape.DecoderChannels, 1, 3, padding: 1)));
        Initialisation.Head(decoder);
        Initialisation.Head(last_layer_depth);
        RegisterComponents();
    }

    /// <inheritdoc cref="MetaPromptDepthEncoder.PrepareStep"/>
    public StepFeatures PrepareStep(int step) => encoder.PrepareStep(step);

    /// <param name="image">[B, 3, H, W] RGB in [0, 1], at least 8 pixels a side; borrowed.</param>
    /// <param name="steps">One per refine step to run, in order; borrowed.</param>
    /// <returns>[B, 1, 8·⌊H/8⌋, 8·⌊W/8⌋] metres, the caller's.</returns>
    public Tensor forward(Tensor image, IReadOnlyList<StepFeatures> steps, Tap? tap = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var scope = NewDisposeScope();
        var picture = new ImageSize((int)image.size(2), (int)image.size(3));
        var size = Sees(picture);
        return forward(Bilinear(image * 2 - 1, size.Height, size.Width), picture, steps, tap).MoveToOuterDisposeScope();
    }

    /// <summary>Size that a picture is brought to before the autoencoder. The reference always adds blocks of 64, also to a side that is a multiple already: 512 becomes 576 at scale 1.</summary>
    public ImageSize Sees(ImageSize picture) => new((picture.Height / 64 + resizeScale) * 64, (picture.Width / 64 + resizeScale) * 64);

    /// <param name="image">[B, 3, H', W'] RGB in [-1, 1], already of the size <see cref="Sees"/> tells for the picture; borrowed.</param>
    /// <param name="picture">H and W of the picture it shows.</param>
    /// <inheritdoc cref="forward(Tensor, IReadOnlyList{StepFeatures}, Tap?)"/>
    public Tensor forward(Tensor image, ImageSize picture, IReadOnlyList<StepFeatures> steps, Tap? tap = null)
    {
        using var scope = NewDisposeScope();
        tap?.Invoke("normalised", image);
        var maps = Bilinear(encoder.forward(image, steps, tap), picture.Height / 8, picture.Width / 8);                  // [B, N, ⌊H/8⌋, ⌊W/8⌋]
        tap?.Invoke("resized", maps);
        var decoded = decoder.forward(maps);
        tap?.Invoke("decoder", decoded);
        var logit = _prepared is null ? last_layer_depth.forward(decoded) : _prepared.Run(decoded);
        tap?.Invoke("logit", logit);
        var depth = logit.sigmoid() * maxDepth;
        tap?.Invoke("depth", depth);
        return depth.MoveToOuterDisposeScope();
    }

    private static Tensor Bilinear(Tensor x, long height, long width) =>
        functional.interpolate(x, size: [height, width], mode: InterpolationMode.Bilinear, align_corners: false);

    void IPreparable.Prepare(FastPlan plan) => _prepared ??= FastStack.Of(plan, last_layer_depth);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }
}
