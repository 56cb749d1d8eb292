using MetaPrompts.Core.Perception;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules.Autoencoder;

/// <summary>Image to twice the latent's channels: mean and logarithm of the variance (ldm diffusionmodules.model.Encoder).</summary>
public sealed class Encoder : Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in, conv_out;
    private readonly ModuleList<Level> down;
    private readonly Middle mid;
    private readonly GroupNorm norm_out;

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
    /// <returns>[B, 2·Z, h, w], the caller's.</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = conv_in.forward(x);
        foreach (var level in down) h = level.forward(h);
        h = mid.forward(h);
        return conv_out.forward(functional.silu(norm_out.forward(h))).MoveToOuterDisposeScope();
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

    private sealed class Downsample : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv;

        public Downsample(long channels) : base(nameof(Downsample))
        {
            conv = Conv2d(channels, channels, 3, stride: 2);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            // The reference pads right and bottom only; trained weights rely on it.
            using var padded = functional.pad(x, [0, 1, 0, 1]);
            return conv.forward(padded);
        }
    }
}
