using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.Autoencoder;
using MetaPrompts.Model.Steps;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>Image to one map per meta prompt at 1/8 (reference: meta_prompts/models.py, MetaPromptDepthEncoder). Depth's encoder and pose's backbone.</summary>
public sealed class MetaPromptDepthEncoder : Module, IPreparable
{
    private readonly AutoencoderKL encoder_vq;
    private readonly UNetWrapper unet;
    private readonly Sequential layer1, out_layer;
    private readonly Decoder layer2, layer3, layer4;
    private readonly TextAdapterDepth[] adapters;
    private FastStack? _finest, _together;
    private FastPlan? _plan;

    /// <param name="prompts">Meta prompts per step.</param>
    /// <param name="refineSteps">How many steps have prompts, timestep and adapter of their own.</param>
    public MetaPromptDepthEncoder(NetworkShape shape, int prompts, int refineSteps) : base(nameof(MetaPromptDepthEncoder))
    {
        ArgumentNullException.ThrowIfNull(shape);
        int Width(int level) => shape.ModelChannels * shape.ChannelMult[level];
        Decoder ToFinest(int level) => new(Width(level), Width(level), [.. Enumerable.Repeat(shape.FuseFilters, level)], kernel: 4);

        encoder_vq = new AutoencoderKL(shape);
        foreach (var parameter in encoder_vq.parameters()) parameter.requires_grad = false;
        unet = new UNetWrapper(shape);
        layer1 = Sequential(("0", Conv2d(Width(0), Width(0), 3, padding: 1)), ("1", Norms.Fuse(shape.FuseGroups, Width(0))), ("2", ReLU()));
        layer2 = ToFinest(1);
        layer3 = ToFinest(2);
        layer4 = ToFinest(3);
        out_layer = Sequential(
            ("0", Conv2d(Enumerable.Range(0, 4).Sum(Width), shape.ContextDim, 3, padding: 1)),
            ("1", Norms.Fuse(shape.FuseGroups, shape.ContextDim)),
            ("2", ReLU()));
        foreach (var layer in new Module[] { layer1, layer2, layer3, layer4, out_layer }) Initialisation.Fuse(layer);
        RegisterComponents();

        adapters = [.. Enumerable.Range(0, refineSteps).Select(_ => new TextAdapterDepth(shape))];
        for (var i = 1; i <= refineSteps; i++)
        {
            register_parameter($"t{i}", new Parameter(randn(1, 4 * shape.ModelChannels)));
            register_parameter($"meta_prompts{i}", new Parameter(randn(prompts, shape.ContextDim)));
            register_module($"text_adapter{i}", adapters[i - 1]);
            // The reference registers the output head again for every step that starts with it; published files name it each time.
            if (i > 1) register_module($"cross_unet_conv{i}", unet.unet.diffusion_model.OutHead);
        }
    }

    /// <summary>Everything of one refine step that no frame can change.</summary>
    /// <param name="step">1-based.</param>
    /// <returns>The caller's.</returns>
    public StepFeatures PrepareStep(int step)
    {
        // By name: a module's conversion to another type or device replaces its parameters.
        using var context = adapters[step - 1].forward(get_parameter($"meta_prompts{step}")!);                        // [1, N, D]
        return unet.unet.diffusion_model.PrepareStep(get_parameter($"t{step}")!, context);
    }

    /// <param name="x">[B, 3, H, W] in [-1, 1], borrowed.</param>
    /// <param name="steps">One per refine step to run, in order; borrowed.</param>
    /// <returns>[B, N, h, w], one map per meta prompt on the grid of the finest features; the caller's.</returns>
    public Tensor forward(Tensor x, IReadOnlyList<StepFeatures> steps, Tap? tap = null)
    {
        ArgumentNullException.ThrowIfNull(steps);
        using var scope = NewDisposeScope();
        Tensor z;
        using (no_grad()) z = encoder_vq.forward(x);                                           // [B, Z, H/8, W/8]; frozen, as in the reference
        PartClock.Done("latent");
        tap?.Invoke("latent", z);
        var feats = RefineSteps.Run(unet.unet.diffusion_model, z, steps, tap);

        Tensor[] fused = [_finest is null ? layer1.forward(feats[0]) : _finest.Run(feats[0]), layer2.forward(feats[1]), layer3.forward(feats[2]), layer4.forward(feats[3])];
        for (var k = 0; k < fused.Length; k++) tap?.Invoke($"fused{k}", fused[k]);
        var features = _together is null ? out_layer.forward(cat(fused, 1)) : _together.Run(cat(fused, 1));                                       // [B, D, h, w]
        tap?.Invoke("out_layer", features);
        var rearranged = steps[^1].Rearranged(_plan, features, 0, steps[^1].MetaPrompts.size(1));
        tap?.Invoke("rearranged", rearranged);
        return rearranged.MoveToOuterDisposeScope();
    }

    void IPreparable.Prepare(FastPlan plan)
    {
        _plan ??= plan;
        _finest ??= FastStack.Of(plan, layer1);
        _together ??= FastStack.Of(plan, out_layer);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _finest?.Dispose();
            _together?.Dispose();
        }
        base.Dispose(disposing);
    }
}
