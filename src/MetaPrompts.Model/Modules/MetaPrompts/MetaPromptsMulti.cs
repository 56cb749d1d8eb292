using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Inference;
using MetaPrompts.Model.Modules.Autoencoder;
using MetaPrompts.Model.Modules.Heads;
using MetaPrompts.Model.Modules.Ldm;
using MetaPrompts.Model.Steps;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.MetaPrompts;

/// <summary>What one refine step says about a batch; null where a task was not asked for.</summary>
/// <param name="Depth">[B, 1, H/4, W/4], metres of a camera with the manifest's canonical focal length.</param>
/// <param name="ClassLogits">[B, K, H/4, W/4].</param>
/// <param name="PoseMaps">[B, 17 + 1 + 34 + 16, H/4, W/4]: logits of the joints' heatmaps, logit of the person-centre heatmap, per joint (dx, dy) from a centre's cell to the joint, and per limb (dx, dy) from the cell of the joint it begins at to the one it ends at; both in cells / 8.</param>
public sealed record MultiOutput(Tensor? Depth, Tensor? ClassLogits, Tensor? PoseMaps);

/// <summary>
/// All tasks from one latent and one UNet pass: the context is the meta prompts of every task, and each task re-arranges the features with its own
/// prompts and feeds its own UPerHead (the published segmentation read-out, MetaPromptsSeg.forward, once per task). Nothing but what its prompts
/// re-arranged reaches a head. With no prompts at all (metaPrompts 0 for every task: the ablation) the context is one zero and the heads read the fused features themselves.
/// </summary>
public sealed class MetaPromptsMulti : Module, IPreparable
{
    /// <summary>What arms and legs consist of: from the joint that is nearer to the trunk to the next.</summary>
    public static readonly IReadOnlyList<(int From, int To)> Limbs = [(5, 7), (6, 8), (7, 9), (8, 10), (11, 13), (12, 14), (13, 15), (14, 16)];

    /// <summary>Channels of <see cref="MultiOutput.PoseMaps"/>.</summary>
    public static readonly int PoseChannels = Joints + 1 + 2 * Joints + 2 * Limbs.Count;

    /// <summary>Cells of the 1/4 grid per unit of an offset.</summary>
    public const float OffsetUnit = 8;

    public const int Joints = 17;

    private readonly AutoencoderKL encoder_vq;
    private readonly UNetWrapper unet;
    private readonly Sequential[] upconv = new Sequential[4];
    private readonly Dictionary<PerceptionTask, UPerHead> heads = [];
    private readonly Dictionary<PerceptionTask, (int Start, int Count)> promptsOf = [];
    private readonly TextAdapterDepth[] adapters;
    private readonly double logMin, logMax;
    private readonly bool hasPrompts;
    private readonly long context;
    private FastStack[]? _prepared;
    private FastPlan? _plan;

    /// <summary>Ends of the range of depth, metres; of a manifest that does not say them, mini's.</summary>
    internal static float Nearest(ModelManifest manifest) => manifest.MinDepth ?? 0.25f;

    /// <inheritdoc cref="Nearest"/>
    internal static float Farthest(ModelManifest manifest) => manifest.MaxDepth ?? 80;

    /// <param name="manifest">Shape, tasks, prompts per task, depth range, classes.</param>
    public MetaPromptsMulti(ModelManifest manifest) : base(nameof(MetaPromptsMulti))
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var shape = manifest.Network;
        if (shape.EmbedDim != shape.ContextDim)
            throw new Core.Errors.ModelRefusedException(manifest.Name, $"embedDim {shape.EmbedDim} must equal contextDim {shape.ContextDim}: prompts re-arrange fused features by a scalar product");
        logMin = Math.Log(Nearest(manifest));
        logMax = Math.Log(Farthest(manifest));
        context = shape.ContextDim;

        encoder_vq = new AutoencoderKL(shape);
        unet = new UNetWrapper(shape);
        register_module(nameof(encoder_vq), encoder_vq);
        register_module(nameof(unet), unet);
        Initialisation.Residuals(unet);

        var count = 0;
        foreach (var task in manifest.Tasks)
        {
            promptsOf[task] = (count, manifest.MetaPrompts[task]);
            count += manifest.MetaPrompts[task];
        }
        hasPrompts = count > 0;
        adapters = new TextAdapterDepth[hasPrompts ? manifest.RefineSteps : 0];
        for (var i = 1; i <= manifest.RefineSteps; i++)
        {
            register_parameter($"t{i}", new Parameter(randn(1, 4 * shape.ModelChannels)));
            if (!hasPrompts) continue;
            // Orthogonal rows: prompts that start out alike stay alike (docs/decisions).
            var prompts = new Parameter(init.orthogonal_(zeros(count, shape.ContextDim), Math.Sqrt(shape.ContextDim)));
            var adapter = new TextAdapterDepth(shape);
            register_parameter($"meta_prompts{i}", prompts);
            register_module($"text_adapter{i}", adapter);
            adapters[i - 1] = adapter;
        }

        for (var k = 0; k < 4; k++)
        {
            upconv[k] = Sequential(
                ("0", Conv2d(Width(shape, k), shape.EmbedDim, 3, padding: 1)),
                ("1", Norms.Fuse(shape.FuseGroups, shape.EmbedDim)));
            register_module($"upconv{k + 1}", upconv[k]);
        }
        foreach (var task in manifest.Tasks)
        {
            var outputs = task switch
            {
                PerceptionTask.Depth => 1,
                PerceptionTask.Segmentation => manifest.Classes.Count,
                _ => PoseChannels,
            };
            var width = task == PerceptionTask.Pose && shape.PoseHeadChannels > 0 ? shape.PoseHeadChannels : shape.HeadChannels;
            var head = new UPerHead([.. Enumerable.Repeat(hasPrompts ? promptsOf[task].Count : shape.EmbedDim, 4)], width, outputs);
            // Joints and centres are rare: starting from "nowhere" spares the first thousand steps.
            using (no_grad())
            {
                if (task == PerceptionTask.Pose) head.Prior.narrow(0, 0, Joints + 1).fill_(-3.5f);
            }
            register_module(task.ToString().ToLowerInvariant() + "_head", head);
            heads[task] = head;
        }
    }

    /// <summary>Image to latent.</summary>
    public AutoencoderKL Autoencoder => encoder_vq;

    public UNetModel Diffusion => unet.unet.diffusion_model;

    /// <summary>Everything of one refine step that no frame can change.</summary>
    /// <param name="step">1-based.</param>
    /// <returns>The caller's.</returns>
    public StepFeatures PrepareStep(int step)
    {
        using var context = Context(step);
        // By name: a module's conversion to another type or device replaces its parameters.
        return Diffusion.PrepareStep(get_parameter($"t{step}")!, context);
    }

    /// <summary>The adapted prompts of a refine step.</summary>
    /// <param name="step">1-based.</param>
    /// <returns>[1, N, D], the caller's.</returns>
    public Tensor Context(int step)
    {
        if (hasPrompts) return adapters[step - 1].forward(get_parameter($"meta_prompts{step}")!);
        var t = get_parameter($"t{step}")!;
        return zeros([1, 1, context], dtype: t.dtype, device: t.device);
    }

    /// <param name="image">[B, 3, H, W] in [-1, 1], borrowed.</param>
    /// <param name="stepFeatures">One per refine step to run, in order; borrowed.</param>
    /// <param name="tasks">Heads to run.</param>
    /// <param name="everyStep">True: what each step says, first step first. False: the last step only, one element.</param>
    /// <returns>The caller's.</returns>
    public IReadOnlyList<MultiOutput> forward(Tensor image, IReadOnlyList<StepFeatures> stepFeatures, IReadOnlyCollection<PerceptionTask> tasks, bool everyStep = false)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(stepFeatures);
        using var scope = NewDisposeScope();
        var fused = new List<(Tensor[] Levels, StepFeatures Step)>();
        var z = encoder_vq.forward(image);                                                     // [B, Z, H/8, W/8]
        PartClock.Done("latent");
        for (var i = 0; i < stepFeatures.Count; i++)
        {
            var feats = unet.unet.diffusion_model.forward(z, stepFeatures[i]);
            var last = i == stepFeatures.Count - 1;
            if (!last) z = unet.unet.diffusion_model.Out(feats[0]);
            PartClock.Done($"step{i + 1}");
            if (everyStep || last) fused.Add((Fuse(feats), stepFeatures[i]));
        }

        var said = new Dictionary<PerceptionTask, Tensor[]>();
        foreach (var task in tasks)
        {
            // The steps share a head and its batch statistics, so they go through it together.
            var levels = Enumerable.Range(0, 4).Select(_ => new List<Tensor>()).ToArray();
            foreach (var one in fused) AddLevels(levels, one.Levels, one.Step, task);
            var together = Array.ConvertAll(levels, steps => steps.Count == 1 ? steps[0] : cat(steps, 0));
            var logits = heads[task].forward(together);
            said[task] = fused.Count == 1 ? [logits] : logits.chunk(fused.Count, 0);
        }
        var outputs = new List<MultiOutput>();
        for (var i = 0; i < fused.Count; i++)
        {
            outputs.Add(new MultiOutput(
                said.TryGetValue(PerceptionTask.Depth, out var depth) ? Metres(depth[i]).MoveToOuterDisposeScope() : null,
                said.TryGetValue(PerceptionTask.Segmentation, out var classes) ? classes[i].MoveToOuterDisposeScope() : null,
                said.TryGetValue(PerceptionTask.Pose, out var pose) ? pose[i].MoveToOuterDisposeScope() : null));
        }
        return outputs;
    }

    /// <summary>Every level at twice its size and EmbedDim wide: 1/4, 1/8, 1/16, 1/32 (reference: MetaPromptsSeg, upconv).</summary>
    private Tensor[] Fuse(IReadOnlyList<Tensor> feats)
    {
        var levels = new Tensor[feats.Count];
        for (var k = 0; k < levels.Length; k++)
        {
            var feat = feats[k];
            levels[k] = _prepared is not null
                ? _prepared[k].Run(feat)
                : functional.relu(upconv[k].forward(functional.interpolate(feat, size: [feat.size(2) * 2, feat.size(3) * 2], mode: InterpolationMode.Bilinear, align_corners: false)));
        }
        return levels;
    }

    private void AddLevels(List<Tensor>[] to, Tensor[] levels, StepFeatures step, PerceptionTask task)
    {
        var (start, count) = promptsOf[task];
        for (var k = 0; k < levels.Length; k++) to[k].Add(hasPrompts ? step.Rearranged(_plan, levels[k], start, count) : levels[k]);
    }

    /// <summary>The head speaks in the logarithm of depth: an error of one grey step means the same share of the distance near and far.</summary>
    private Tensor Metres(Tensor logit) => (logit.to(ScalarType.Float32).sigmoid() * (logMax - logMin) + logMin).exp();

    private static int Width(NetworkShape shape, int level) => shape.ModelChannels * shape.ChannelMult[level];

    void IPreparable.Prepare(FastPlan plan)
    {
        _plan ??= plan;
        _prepared ??= [.. upconv.Select(layers => FastStack.Of(plan, layers, thenRelu: true, doubles: true))];
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
