using MetaPrompts.Core.Perception;
using MetaPrompts.Model.Modules;
using MetaPrompts.Model.Modules.Autoencoder;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Training.Tasks;

/// <summary>Latent to picture: the autoencoder's other half (ldm diffusionmodules.model.Decoder without its attention), which serving never needs.</summary>
internal sealed class LatentDecoder : Module<Tensor, Tensor>, ICheckpointed
{
    private readonly Conv2d conv_in, conv_out;
    private readonly ModuleList<ResnetBlock> up;

    public LatentDecoder(NetworkShape shape) : base(nameof(LatentDecoder))
    {
        var widths = shape.VaeChMult.Select(m => (long)shape.VaeCh * m).Reverse().ToList();
        // One level per halving of the encoder; where it starts at stride 2, the last two levels are equally wide.
        if (shape.VaeInStride == 2) widths.Add(widths[^1]);
        conv_in = Conv2d(shape.ZChannels, widths[0], 3, padding: 1);
        up = [];
        for (var i = 0; i < widths.Count; i++) up.Add(new ResnetBlock(widths[Math.Max(0, i - 1)], widths[i], shape.NormGroups));
        conv_out = Conv2d(widths[^1], 3, 3, padding: 1);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public GradientCheckpoints? Checkpoints { get; set; }

    /// <param name="z">[B, Z, h, w].</param>
    /// <returns>[B, 3, 8h, 8w], the caller's.</returns>
    public override Tensor forward(Tensor z)
    {
        using var scope = NewDisposeScope();
        var h = conv_in.forward(z);
        for (var i = 0; i < up.Count; i++)
        {
            var block = up[i];
            h = Checkpoints is null ? block.forward(h) : Checkpoints.Run(given => block.forward(given[0]), h);
            if (i < up.Count - 1) h = functional.interpolate(h, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
        }
        return conv_out.forward(h).MoveToOuterDisposeScope();
    }
}
