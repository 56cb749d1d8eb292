using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.Autoencoder;
using MetaPrompts.Model.Modules.Heads;
using MetaPrompts.Model.Steps;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>The published segmentation network (reference: segmentation/models/meta_prompts_seg.py, MetaPromptsSeg).</summary>
public sealed class MetaPromptsSeg : Module, IPreparable
{
    private const int Levels = 4;
    private readonly Parameter meta_prompts;
    private readonly AutoencoderKL encoder_vq;
    private readonly UNetWrapper unet;
    private readonly UPerHead decode_head;
    private readonly FCNHead auxiliary_head;
    private readonly Sequential[] upconv = new Sequential[Levels];
    private FastStack[]? _prepared;
    private FastPlan? _plan;

    /// <param name="manifest">Shape, prompts, refine steps, classes.</param>
    /// <param name="dropout">Share of channels the heads drop in training (published: 0 ADE20K, 0.1 Cityscapes).</param>
    /// <exception cref="Core.Errors.ModelRefusedException">The manifest is not one of a segmentation model.</exception>
    public MetaPromptsSeg(ModelManifest manifest, double dropout = 0) : base(nameof(MetaPromptsSeg))
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Classes.Count == 0) throw new Core.Errors.ModelRefusedException(manifest.Name, "a segmentation model needs classes");
        var shape = manifest.Network;
        var prompts = manifest.PromptsOf(PerceptionTask.Segmentation);
        meta_prompts = new Parameter(randn(prompts, shape.ContextDim));
        encoder_vq = new AutoencoderKL(shape);
        foreach (var parameter in encoder_vq.parameters()) parameter.requires_grad = false;
        unet = new UNetWrapper(shape);
        decode_head = new UPerHead([.. Enumerable.Repeat(prompts, Levels)], shape.HeadChannels, manifest.Classes.Count, dropout);
        auxiliary_head = new FCNHead(prompts, shape.HeadChannels, manifest.Classes.Count, dropout);
        RegisterComponents();

        for (var i = 1; i <= manifest.RefineSteps; i++)
        {
            register_parameter($"t{i}", new Parameter(randn(1, 4 * shape.ModelChannels)));
            // The reference registers the output head again for every step that starts with it; published files name it each time.
            if (i > 1) register_module($"cross_unet_conv{i}", unet.unet.diffusion_model.OutHead);
        }
        for (var k = 0; k < Levels; k++)
        {
            upconv[k] = Sequential(
                ("0", Conv2d(shape.ModelChannels * shape.ChannelMult[k], shape.ContextDim, 3, padding: 1)),
                ("1", Norms.Fuse(shape.FuseGroups, shape.ContextDim)),
                ("2", ReLU()));
            register_module($"upconv{k + 1}", upconv[k]);
        }
    }

    /// <summary>Everything of one refine step that no frame can change; all steps share one set of prompts.</summary>
    /// <param name="step">1-based.</param>
    /// <returns>The caller's.</returns>
    public StepFeatures PrepareStep(int step)
    {
        // By name: a module's conversion to another type or device replaces its parameters.
        using var context = get_parameter(nameof(meta_prompts))!.unsqueeze(0);                             // [1, N, D]
        return unet.unet.diffusion_model.PrepareStep(get_parameter($"t{step}")!, context);
    }

    /// <param name="image">[B, 3, H, W] RGB in [-1, 1], borrowed.</param>
    /// <param name="steps">One per refine step to run, in order; borrowed.</param>
    /// <returns>[B, classes, H, W] logits, the caller's.</returns>
    public Tensor forward(Tensor image, IReadOnlyList<StepFeatures> steps, Tap? tap = null)
    {
        using var scope = NewDisposeScope();
        return Decode(Rearranged(image, steps, tap), image, tap).MoveToOuterDisposeScope();
    }

    /// <summary>What training compares with the labels: the head's logits and those of the auxiliary head.</summary>
    /// <param name="image">[B, 3, H, W] RGB in [-1, 1], borrowed.</param>
    /// <param name="steps">One per refine step to run, in order; borrowed.</param>
    /// <returns>Each [B, classes, H, W], the caller's.</returns>
    public (Tensor Logits, Tensor Auxiliary) ForwardTraining(Tensor image, IReadOnlyList<StepFeatures> steps, Tap? tap = null)
    {
        using var scope = NewDisposeScope();
        var levels = Rearranged(image, steps, tap);
        var auxiliary = auxiliary_head.forward(levels[2]);
        tap?.Invoke("aux_logits", auxiliary);
        return (Decode(levels, image, tap).MoveToOuterDisposeScope(), Bilinear(auxiliary, image.size(2), image.size(3)).MoveToOuterDisposeScope());
    }

    /// <returns>One map per meta prompt at 1/4, 1/8, 1/16, 1/32: [B, N, h, w] each.</returns>
    private Tensor[] Rearranged(Tensor image, IReadOnlyList<StepFeatures> steps, Tap? tap)
    {
        ArgumentNullException.ThrowIfNull(steps);
        Tensor z;
        using (no_grad()) z = encoder_vq.forward(image);                                       // [B, Z, H/8, W/8]; frozen, as in the reference
        PartClock.Done("latent");
        tap?.Invoke("latent", z);
        var feats = RefineSteps.Run(unet.unet.diffusion_model, z, steps, tap);
        var levels = new Tensor[Levels];
        for (var k = 0; k < Levels; k++)
        {
            var up = _prepared is null ? upconv[k].forward(Bilinear(feats[k], 2 * feats[k].size(2), 2 * feats[k].size(3))) : _prepared[k].Run(feats[k]);
            tap?.Invoke($"upconv{k}", up);                                                     // golden files count levels from 0, the modules' names from 1
            levels[k] = steps[^1].Rearranged(_plan, up, 0, steps[^1].MetaPrompts.size(1));
            tap?.Invoke($"rearranged{k}", levels[k]);
        }
        return levels;
    }

    private Tensor Decode(Tensor[] levels, Tensor image, Tap? tap)
    {
        var head = decode_head.forward(levels);
        tap?.Invoke("head_logits", head);
        var logits = Bilinear(head, image.size(2), image.size(3));
        tap?.Invoke("logits", logits);
        return logits;
    }

    private static Tensor Bilinear(Tensor x, long height, long width) =>
        functional.interpolate(x, size: [height, width], mode: InterpolationMode.Bilinear, align_corners: false);

    void IPreparable.Prepare(FastPlan plan)
    {
        _plan ??= plan;
        _prepared ??= [.. upconv.Select(layers => FastStack.Of(plan, layers, doubles: true))];
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var one in _prepared ?? []) one.Dispose();
        }
        base.Dispose(disposing);
    }
}
