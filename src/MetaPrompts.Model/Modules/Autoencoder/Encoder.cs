using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Fast;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>Image to twice the latent's channels: mean and logarithm of the variance (ldm diffusionmodules.model.Encoder).</summary>
public sealed class Encoder : Module<Tensor, Tensor>, ICheckpointed
{
    private readonly Conv2d conv_in, conv_out;
    private readonly ModuleList<Level> down;
    private readonly Middle mid;
    private readonly GroupNorm norm_out;
    private Prepared? _prepared;

    public Encoder(NetworkShape shape) : base(nameof(Encoder))
    {
        ArgumentNullException.ThrowIfNull(shape);
        conv_in = Conv2d(3, shape.VaeCh, 3, stride: shape.VaeInStride, padding: 1);
        down = [];
        long channels = shape.VaeCh;
        for (var i = 0; i < shape.VaeChMult.Count; i++)
        {
            long width = shape.VaeCh * shape.VaeChMult[i];
            down.Add(new Level(channels, width, shape.VaeNumResBlocks, i < shape.VaeChMult.Count - 1, shape.NormGroups));
            channels = width;
        }
        mid = new Middle(channels, shape.NormGroups);
        norm_out = Norms.Ldm(shape.NormGroups, channels);
        conv_out = Conv2d(channels, 2 * shape.ZChannels, 3, padding: 1);
        RegisterComponents();
    }

    /// <param name="x">[B, 3, H, W].</param>
    /// <returns>[B, 2·Z, h, w], the caller's; once prepared [B, Z, h, w] of the mean, or [B, 2·Z, h, w], after the convolution that follows.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (_prepared is not null)
        {
            var fast = _prepared.In(x);
            foreach (var level in down) fast = level.forward(fast);
            return _prepared.Out(mid.forward(fast)).MoveToOuterDisposeScope();
        }
        var h = conv_in.forward(x);
        foreach (var level in down) h = Through(level, h);
        h = Through(mid, h);
        return conv_out.forward(functional.silu(norm_out.forward(h))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public GradientCheckpoints? Checkpoints { get; set; }

    private Tensor Through(Module<Tensor, Tensor> part, Tensor h) => Checkpoints is null ? part.forward(h) : Checkpoints.Run(given => part.forward(given[0]), h);

    /// <summary>From now on the latent itself comes out: <paramref name="after"/> is part of the last convolution.</summary>
    /// <param name="after">1×1, of twice the latent's channels, of which the first half is the mean.</param>
    internal void Prepare(FastPlan plan, Conv2d after) => _prepared ??= new Prepared(plan, this, after);

    internal bool IsPrepared => _prepared is not null;

    protected override void Dispose(bool disposing)
    {
        if (disposing) _prepared?.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>First and last convolution; what lies between prepares itself.</summary>
    private sealed class Prepared : IDisposable
    {
        private readonly FastPlan _plan;
        private readonly FastConvolution _in, _out;
        private readonly FastNorm _norm;

        public Prepared(FastPlan plan, Encoder encoder, Conv2d after)
        {
            using var none = no_grad();
            using var scope = NewDisposeScope();
            _plan = plan;
            _in = FastConvolution.Of(plan, encoder.conv_in);
            _norm = FastNorm.Of(plan, encoder.norm_out);
            var last = encoder.conv_out;
            var kept = plan.Has(Speedups.LatentMean) ? after.weight!.size(0) / 2 : after.weight!.size(0);
            // One linear map after another is one linear map; in float64, because these are weights now.
            var mix = after.weight.to(ScalarType.Float64).narrow(0, 0, kept).flatten(1);                        // [Z, 2Z]
            var weight = mix.matmul(last.weight!.to(ScalarType.Float64).flatten(1)).reshape(kept, -1, 3, 3);
            var bias = mix.matmul(last.bias!.to(ScalarType.Float64)) + after.bias!.to(ScalarType.Float64).narrow(0, 0, kept);
            _out = new FastConvolution(plan, weight.to(last.weight!.dtype), bias.to(last.weight.dtype), 1, 1);
            plan.Choose(Speedups.LatentMean, plan.Has(Speedups.LatentMean) ? "the last two convolutions of the autoencoder are one, of the mean" : "the last two convolutions of the autoencoder are one");
        }

        public Tensor In(Tensor x)
        {
            using var last = _plan.Has(Speedups.ChannelsLast) ? ChannelsLast.Of(x) : x.alias();
            return _in.Run(last);
        }

        public Tensor Out(Tensor h)
        {
            return _out.Run(h, _norm, null);
        }

        public void Dispose()
        {
            _in.Dispose();
            _out.Dispose();
        }
    }

    /// <summary>Residual blocks at one resolution, then the step to the next.</summary>
    private sealed class Level : Module<Tensor, Tensor>
    {
        private readonly ModuleList<ResnetBlock> block;
        private readonly Downsample? downsample;

        public Level(long channels, long outChannels, int blocks, bool steps, int groups) : base(nameof(Level))
        {
            block = [];
            for (var j = 0; j < blocks; j++) block.Add(new ResnetBlock(j == 0 ? channels : outChannels, outChannels, groups));
            if (steps) downsample = new Downsample(outChannels);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            foreach (var one in block) x = one.forward(x);
            return (downsample is null ? x : downsample.forward(x)).MoveToOuterDisposeScope();
        }
    }

    private sealed class Middle : Module<Tensor, Tensor>
    {
        private readonly ResnetBlock block_1, block_2;
        private readonly AttnBlock attn_1;

        public Middle(long channels, int groups) : base(nameof(Middle))
        {
            block_1 = new ResnetBlock(channels, channels, groups);
            attn_1 = new AttnBlock(channels, groups);
            block_2 = new ResnetBlock(channels, channels, groups);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            using var scope = NewDisposeScope();
            return block_2.forward(attn_1.forward(block_1.forward(x))).MoveToOuterDisposeScope();
        }
    }

    private sealed class Downsample : Module<Tensor, Tensor>, IPreparable
    {
        private readonly Conv2d conv;
        private FastConvolution? _prepared;

        public Downsample(long channels) : base(nameof(Downsample))
        {
            conv = Conv2d(channels, channels, 3, stride: 2);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            // The reference pads right and bottom only; trained weights rely on it.
            using var padded = functional.pad(x, [0, 1, 0, 1]);
            return _prepared is null ? conv.forward(padded) : _prepared.Run(padded);
        }

        void IPreparable.Prepare(FastPlan plan) => _prepared ??= FastConvolution.Of(plan, conv);

        protected override void Dispose(bool disposing)
        {
            if (disposing) _prepared?.Dispose();
            base.Dispose(disposing);
        }
    }
}
