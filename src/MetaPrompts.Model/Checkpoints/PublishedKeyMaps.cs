using System.Globalization;
using System.Text.RegularExpressions;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Model.Checkpoints;

/// <summary>All key layouts that can be read. The path of a tensor in a published file is the path of the field in our code; what that cannot cover is a line here, and only here.</summary>
public static class PublishedKeyMaps
{
    /// <summary>Names of the layouts whose UNet and autoencoder begin a training, without a task's own tensors.</summary>
    public const string StableDiffusion = "stable-diffusion-1", Diffusers = "diffusers-1";

    private static readonly KeyRule _distributed = new(@"^module\.", "", "saved from DistributedDataParallel");
    private static readonly KeyRule _postQuant = new(@"(^|\.)encoder_vq\.post_quant_conv\.", "", "left over from the removed autoencoder decoder");
    private static readonly KeyRule _timeEmbed = new(@"(^|\.)unet\.unet\.diffusion_model\.time_embed\.", "", "unused: the timestep is learned");

    public static IReadOnlyDictionary<string, KeyMap> All { get; } = new KeyMap[]
    {
        new("mini", [], []),
        new("depth-2024", [_distributed], [_postQuant]),
        new("segmentation-2024", [_distributed],
        [
            _postQuant,
            _timeEmbed,
            new(@"^sd_model\.", "", "noise schedule buffers the reference keeps but never reads"),
        ]),
        new("pose", [_distributed], [_postQuant]),
        new(StableDiffusion,
        [
            new(@"^model\.diffusion_model\.", "unet.unet.diffusion_model.", "the reference wraps Stable Diffusion's UNet twice"),
            new(@"^first_stage_model\.(encoder|quant_conv|post_quant_conv)\.", "encoder_vq.$1.", "the reference calls the autoencoder encoder_vq"),
        ],
        [
            _postQuant,
            _timeEmbed,
            new(@"^first_stage_model\.(decoder|loss)\.", "", "the autoencoder's decoder paints; nothing here does"),
            new(@"^cond_stage_model\.", "", "the text encoder; meta prompts stand in its place"),
            new(@"^model_ema\.", "", "the averaged copy for generation; the reference starts from the plain weights"),
            new(@"^(betas|alphas_cumprod(_prev)?|sqrt_(one_minus_)?alphas_cumprod|log_one_minus_alphas_cumprod|sqrt_recip(m1)?_alphas_cumprod|posterior_(variance|log_variance_clipped|mean_coef[12])|logvar|lvlb_weights|scale_factor)$", "", "noise schedule; nothing here is denoised"),
        ]),
        new(Diffusers,
        [
            new(@"^unet\.time_embedding\.linear_([12])\.", m => $"unet.time_embed.{2 * Number(m, 1) - 2}.", "diffusers names what ldm numbers"),
            new(@"^unet\.conv_in\.", "unet.input_blocks.0.0.", "ldm counts the first convolution as a block"),
            new(@"^unet\.conv_norm_out\.", "unet.out.0.", "ldm numbers the layers of the output head"),
            new(@"^unet\.conv_out\.", "unet.out.2.", "ldm numbers the layers of the output head"),
            new(@"^(unet\..+\.resnets\.[0-9]\.)norm1\.", "$1in_layers.0.", "ldm numbers the layers of a residual block"),
            new(@"^(unet\..+\.resnets\.[0-9]\.)conv1\.", "$1in_layers.2.", "ldm numbers the layers of a residual block"),
            new(@"^(unet\..+\.resnets\.[0-9]\.)time_emb_proj\.", "$1emb_layers.1.", "ldm numbers the layers of a residual block"),
            new(@"^(unet\..+\.resnets\.[0-9]\.)norm2\.", "$1out_layers.0.", "ldm numbers the layers of a residual block"),
            new(@"^(unet\..+\.resnets\.[0-9]\.)conv2\.", "$1out_layers.3.", "ldm numbers the layers of a residual block"),
            new(@"^(unet\..+\.resnets\.[0-9]\.)conv_shortcut\.", "$1skip_connection.", "another word for the same convolution"),
            new(@"^unet\.down_blocks\.([0-9])\.resnets\.([0-9])\.", m => $"unet.input_blocks.{3 * Number(m, 1) + Number(m, 2) + 1}.0.", "ldm counts blocks through all levels"),
            new(@"^unet\.down_blocks\.([0-9])\.attentions\.([0-9])\.", m => $"unet.input_blocks.{3 * Number(m, 1) + Number(m, 2) + 1}.1.", "ldm counts blocks through all levels"),
            new(@"^unet\.down_blocks\.([0-9])\.downsamplers\.0\.conv\.", m => $"unet.input_blocks.{3 * Number(m, 1) + 3}.0.op.", "ldm counts a downsampler as a block"),
            new(@"^unet\.mid_block\.resnets\.([0-9])\.", m => $"unet.middle_block.{2 * Number(m, 1)}.", "ldm numbers the middle in order of computation"),
            new(@"^unet\.mid_block\.attentions\.0\.", "unet.middle_block.1.", "ldm numbers the middle in order of computation"),
            new(@"^unet\.up_blocks\.([0-9])\.resnets\.([0-9])\.", m => $"unet.output_blocks.{3 * Number(m, 1) + Number(m, 2)}.0.", "ldm counts blocks through all levels"),
            new(@"^unet\.up_blocks\.([0-9])\.attentions\.([0-9])\.", m => $"unet.output_blocks.{3 * Number(m, 1) + Number(m, 2)}.1.", "ldm counts blocks through all levels"),
            new(@"^unet\.up_blocks\.0\.upsamplers\.0\.conv\.", "unet.output_blocks.2.1.conv.", "ldm puts an upsampler behind the last block; the coarsest level has no transformer before it"),
            new(@"^unet\.up_blocks\.([0-9])\.upsamplers\.0\.conv\.", m => $"unet.output_blocks.{3 * Number(m, 1) + 2}.2.conv.", "ldm puts an upsampler behind the last block"),
            new(@"^unet\.", "unet.unet.diffusion_model.", "the reference wraps Stable Diffusion's UNet twice"),

            new(@"^vae\.encoder\.conv_norm_out\.", "vae.encoder.norm_out.", "another word for the same norm"),
            new(@"^(vae\.encoder\..+\.)conv_shortcut\.", "$1nin_shortcut.", "another word for the same convolution"),
            new(@"^vae\.encoder\.down_blocks\.([0-9])\.resnets\.([0-9])\.", "vae.encoder.down.$1.block.$2.", "another word for the same blocks"),
            new(@"^vae\.encoder\.down_blocks\.([0-9])\.downsamplers\.0\.", "vae.encoder.down.$1.downsample.", "a level has one downsampler"),
            new(@"^vae\.encoder\.mid_block\.resnets\.([0-9])\.", m => $"vae.encoder.mid.block_{Number(m, 1) + 1}.", "ldm counts these two from 1"),
            new(@"^vae\.encoder\.mid_block\.attentions\.0\.group_norm\.", "vae.encoder.mid.attn_1.norm.", "another word for the same norm"),
            new(@"^vae\.encoder\.mid_block\.attentions\.0\.(?:to_q|query)\.", "vae.encoder.mid.attn_1.q.", "query, by its name since 2023 or before"),
            new(@"^vae\.encoder\.mid_block\.attentions\.0\.(?:to_k|key)\.", "vae.encoder.mid.attn_1.k.", "key, by its name since 2023 or before"),
            new(@"^vae\.encoder\.mid_block\.attentions\.0\.(?:to_v|value)\.", "vae.encoder.mid.attn_1.v.", "value, by its name since 2023 or before"),
            new(@"^vae\.encoder\.mid_block\.attentions\.0\.(?:to_out\.0|proj_attn)\.", "vae.encoder.mid.attn_1.proj_out.", "projection, by its name since 2023 or before"),
            new(@"^vae\.(encoder|quant_conv|post_quant_conv)\.", "encoder_vq.$1.", "the reference calls the autoencoder encoder_vq"),
        ],
        [
            _postQuant,
            _timeEmbed,
            new(@"^vae\.decoder\.", "", "the autoencoder's decoder paints; nothing here does"),
        ])
        {
            Matrices = new(@"^encoder_vq\.encoder\.mid\.attn_1\.(q|k|v|proj_out)\.weight$", "", "diffusers has linear layers where ldm has 1×1 convolutions"),
        },
    }.ToDictionary(map => map.Name);

    /// <exception cref="ModelRefusedException">No such layout.</exception>
    public static KeyMap Named(string name) => All.TryGetValue(name, out var map)
        ? map
        : throw new ModelRefusedException($"key layout {name}", $"is not known; known are {string.Join(", ", All.Keys)}");

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
}
