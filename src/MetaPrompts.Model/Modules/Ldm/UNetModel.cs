using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using MetaPrompts.Model.Steps;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Ldm;

/// <summary>
/// Stable Diffusion's UNet as Meta Prompts uses it (ldm openaimodel.UNetModel with the changes of meta_prompts/models.py): the embedding is a learned vector,
/// the context is the prompts, and four feature maps come out instead of noise.
/// </summary>
public sealed class UNetModel : Module, IPreparable, ICheckpointed
{
    private readonly ModuleList<ModuleList<Module>> input_blocks, output_blocks;
    private readonly ModuleList<Module> middle_block;
    private readonly Sequential @out;
    private readonly HashSet<int> _featureBlocks;
    private Prepared? _prepared;

    public UNetModel(NetworkShape shape) : base(nameof(UNetModel))
    {
        ArgumentNullException.ThrowIfNull(shape);
        long channels = shape.ModelChannels, embChannels = 4 * channels;

        input_blocks = [new ModuleList<Module>(Conv2d(shape.InChannels, channels, 3, padding: 1))];
        var skips = new Stack<long>([channels]);
        var levels = shape.ChannelMult.Count;
        var ch = channels;
        for (var level = 0; level < levels; level++)
        {
            for (var block = 0; block < shape.NumResBlocks; block++)
            {
                var width = channels * shape.ChannelMult[level];
                input_blocks.Add(Block(ch, width, embChannels, level, shape));
                skips.Push(ch = width);
            }
            if (level == levels - 1) continue;
            input_blocks.Add(new ModuleList<Module>(new Downsample(ch)));
            skips.Push(ch);
        }

        middle_block = [new ResBlock(ch, embChannels, ch, shape.NormGroups), new SpatialTransformer(ch, shape), new ResBlock(ch, embChannels, ch, shape.NormGroups)];

        output_blocks = [];
        _featureBlocks = [];
        for (var level = levels - 1; level >= 0; level--)
        {
            for (var block = 0; block <= shape.NumResBlocks; block++)
            {
                var width = channels * shape.ChannelMult[level];
                var modules = Block(ch + skips.Pop(), width, embChannels, level, shape);
                ch = width;
                if (level > 0 && block == shape.NumResBlocks) modules.Add(new Upsample(ch));
                // A level's feature map is taken before its Upsample: from the last block at level 0, from the last but one above (published: 1, 4, 7, 11).
                if (block == (level == 0 ? shape.NumResBlocks : shape.NumResBlocks - 1)) _featureBlocks.Add(output_blocks.Count);
                output_blocks.Add(modules);
            }
        }
        @out = Sequential(("0", Norms.UNet(shape.NormGroups, ch)), ("1", SiLU()), ("2", Conv2d(channels, shape.InChannels, 3, padding: 1)));
        RegisterComponents();
    }

    /// <summary>The head that image generation uses; here it turns a step's finest features into the next step's latent. Registered again as <c>cross_unet_conv</c> by the encoders.</summary>
    public Sequential OutHead => @out;

    /// <inheritdoc/>
    public GradientCheckpoints? Checkpoints { get; set; }

    /// <param name="t">[1, 4·model channels] learned timestep.</param>
    /// <param name="context">[1, N, D] meta prompts, adapted where the task has an adapter.</param>
    /// <returns>The caller's.</returns>
    public StepFeatures PrepareStep(Tensor t, Tensor context)
    {
        var features = Features(t, context);
        return Checkpoints is null ? features : features.Over(Checkpoints.Cut);
    }

    private StepFeatures Features(Tensor t, Tensor context)
    {
        using var scope = NewDisposeScope();
        var bias = new List<Tensor>();
        var attention = new List<(Tensor Key, Tensor Value)>();
        foreach (var module in InForwardOrder())
        {
            if (module is ResBlock block) bias.Add(block.BlockBias(t).MoveToOuterDisposeScope());
            if (module is not SpatialTransformer transformer) continue;
            var (key, value) = transformer.KeyValue(context);
            attention.Add((key.MoveToOuterDisposeScope(), value.MoveToOuterDisposeScope()));
        }
        return new StepFeatures(bias, attention, context.alias().MoveToOuterDisposeScope());
    }

    /// <summary>One refine step.</summary>
    /// <param name="z">[B, Z, h, w] latent.</param>
    /// <param name="step">Borrowed.</param>
    /// <returns>Four feature maps, finest first: [B, C0, h, w], [B, C1, h/2, w/2], …; the caller's.</returns>
    public IReadOnlyList<Tensor> forward(Tensor z, StepFeatures step)
    {
        ArgumentNullException.ThrowIfNull(z);
        ArgumentNullException.ThrowIfNull(step);
        using var scope = NewDisposeScope();
        var cursor = new StepCursor(step.BlockBias, step.CrossAttention);
        var skips = new Stack<Tensor>();
        var h = z;
        foreach (var block in input_blocks) skips.Push(h = _prepared is not null && skips.Count == 0 ? _prepared.In(h) : Through(block, h, cursor));
        h = Through(middle_block, h, cursor);
        var features = new List<Tensor>(_featureBlocks.Count);
        for (var i = 0; i < output_blocks.Count; i++)
        {
            var skip = skips.Pop();
            using var joined = Checkpoints is null ? Joined(h, skip) : null;
            if (joined is not null)
            {
                skip.Dispose();
                if (!_featureBlocks.Contains(i - 1)) h.Dispose();
            }
            h = joined is null ? Again(output_blocks[i], cursor, h, skip) : Run(output_blocks[i], joined, cursor);
            if (_featureBlocks.Contains(i)) features.Add(h);
        }
        features.Reverse();
        foreach (var feature in features) feature.MoveToOuterDisposeScope();
        return features;
    }

    /// <param name="feat0">[B, C0, h, w], a step's finest features.</param>
    /// <returns>[B, Z, h, w], the next step's latent; the caller's.</returns>
    public Tensor Out(Tensor feat0) => _prepared is null ? @out.forward(feat0) : _prepared.Out(feat0);

    void IPreparable.Prepare(FastPlan plan) => _prepared ??= new Prepared(plan, this);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }

    private static ModuleList<Module> Block(long channels, long width, long embChannels, int level, NetworkShape shape)
    {
        var block = new ModuleList<Module>(new ResBlock(channels, embChannels, width, shape.NormGroups));
        if (shape.AttentionResolutions.Contains(1 << level)) block.Add(new SpatialTransformer(width, shape));
        return block;
    }

    private IEnumerable<Module> InForwardOrder() => input_blocks.SelectMany(block => block).Concat(middle_block).Concat(output_blocks.SelectMany(block => block));

    private static Tensor Joined(Tensor h, Tensor skip)
    {
        if (skip.size(2) == h.size(2) && skip.size(3) == h.size(3)) return cat([h, skip], 1);
        // The reference resizes the skip, so a 9-high latent leaves 16 high; trained weights rely on it.
        using var resized = functional.interpolate(skip, size: [h.size(2), h.size(3)], mode: InterpolationMode.Bilinear, align_corners: false);
        return cat([h, resized], 1);
    }

    private Tensor Through(ModuleList<Module> block, Tensor h, StepCursor cursor) => Checkpoints is null ? Run(block, h, cursor) : Again(block, cursor, h);

    /// <summary>A block with its inputs put together, computed again for the gradients. The step's features come in as well: what prepared them learns.</summary>
    private Tensor Again(ModuleList<Module> block, StepCursor cursor, params Tensor[] maps) => Checkpoints!.Run(given =>
    {
        var features = StepCursor.Over(block, given.Skip(maps.Length));
        if (maps.Length == 1) return Run(block, given[0], features);
        using var joined = Joined(given[0], given[1]);
        return Run(block, joined, features);
    }, [.. maps, .. cursor.Take(block)]);

    private static Tensor Run(IEnumerable<Module> block, Tensor h, StepCursor cursor)
    {
        // Freed as soon as the next module has read them; what training still needs it holds itself.
        var given = h;
        foreach (var module in block)
        {
            var x = h;
            h = module switch
            {
                ResBlock res => res.forward(h, cursor.NextBias()),
                SpatialTransformer transformer => transformer.forward(h, cursor.NextAttention(out var value), value),
                _ => ((Module<Tensor, Tensor>)module).forward(h),
            };
            if (!ReferenceEquals(x, given)) x.Dispose();
        }
        return h;
    }

    /// <summary>First and last convolution; the blocks between prepare themselves.</summary>
    private sealed class Prepared(FastPlan plan, UNetModel unet) : IDisposable
    {
        private readonly FastConvolution _in = FastConvolution.Of(plan, (Conv2d)unet.input_blocks[0][0]), _out = FastConvolution.Of(plan, (Conv2d)unet.@out[2]);
        private readonly FastNorm _norm = FastNorm.Of(plan, unet.@out[0]);

        public Tensor In(Tensor z)
        {
            using var last = plan.Has(Speedups.ChannelsLast) ? ChannelsLast.Of(z) : z.alias();
            return _in.Run(last);
        }

        public Tensor Out(Tensor feat0)
        {
            return _out.Run(feat0, _norm, null);
        }

        public void Dispose()
        {
            _in.Dispose();
            _out.Dispose();
        }
    }
}
