#!/usr/bin/env python3
"""The published segmentation network in plain PyTorch, for comparison on one machine: eager and torch.compile.

Written from the description of the network, with the names its checkpoints have. Checks itself against golden tensors, reads the weights the product reads, times a forward.

    pytorch_bench.py --golden tests/Fixtures/segmentation                        # is this the network?
    pytorch_bench.py --weights full.safetensors --size 512 512 --device cuda --precision bf16 --compile --json out.json
"""
import argparse
import json
import statistics
import struct
import time

import torch
import torch.nn.functional as F
from torch import nn

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "U8": torch.uint8, "I32": torch.int32}


def read_safetensors(path):
    """Name -> tensor, and the strings of the header. One tensor at a time passes through memory."""
    tensors = {}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        metadata = header.pop("__metadata__", {})
        for name, entry in sorted(header.items(), key=lambda one: one[1]["data_offsets"][0]):
            start, end = entry["data_offsets"]
            file.seek(8 + length + start)
            kind = TYPES[entry["dtype"]]
            raw = bytearray(file.read(end - start))
            tensors[name] = (torch.frombuffer(raw, dtype=kind) if raw else torch.empty(0, dtype=kind)).reshape(entry["shape"])
    return tensors, metadata


def bilinear(x, size):
    return x if tuple(x.shape[2:]) == tuple(size) else F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def attend(q, k, v, heads):
    def apart(x):
        return x.reshape(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)

    q, k, v = apart(q), apart(k), apart(v)
    if hasattr(F, "scaled_dot_product_attention"):
        a = F.scaled_dot_product_attention(q, k, v)
    else:
        a = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1) @ v
    return a.transpose(1, 2).flatten(2)


class GroupNorm(nn.GroupNorm):
    def forward(self, x):
        return super().forward(x.to(self.weight.dtype)).to(x.dtype)


class LayerNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.to(self.weight.dtype)).to(x.dtype)


class BatchNorm(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x.to(self.weight.dtype)).to(x.dtype)


class VaeBlock(nn.Module):
    def __init__(self, cin, cout, groups):
        super().__init__()
        self.norm1, self.norm2 = GroupNorm(groups, cin, eps=1e-6), GroupNorm(groups, cout, eps=1e-6)
        self.conv1, self.conv2 = nn.Conv2d(cin, cout, 3, padding=1), nn.Conv2d(cout, cout, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.nin_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class VaeAttention(nn.Module):
    def __init__(self, c, groups):
        super().__init__()
        self.norm = GroupNorm(groups, c, eps=1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(c, c, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        a = attend(*(conv(h).flatten(2).transpose(1, 2) for conv in (self.q, self.k, self.v)), 1)
        return x + self.proj_out(a.transpose(1, 2).reshape(x.shape))


class VaeDown(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, c, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class VaeEncoder(nn.Module):
    def __init__(self, ch, mult, blocks, z, groups, stride):
        super().__init__()
        self.conv_in = nn.Conv2d(3, ch, 3, stride=stride, padding=1)
        self.down, c = nn.ModuleList(), ch
        for i, m in enumerate(mult):
            level = nn.Module()
            level.block = nn.ModuleList()
            for _ in range(blocks):
                level.block.append(VaeBlock(c, ch * m, groups))
                c = ch * m
            if i < len(mult) - 1:
                level.downsample = VaeDown(c)
            self.down.append(level)
        self.mid = nn.Module()
        self.mid.block_1, self.mid.attn_1, self.mid.block_2 = VaeBlock(c, c, groups), VaeAttention(c, groups), VaeBlock(c, c, groups)
        self.norm_out, self.conv_out = GroupNorm(groups, c, eps=1e-6), nn.Conv2d(c, 2 * z, 3, padding=1)

    def forward(self, x):
        h = self.conv_in(x)
        for level in self.down:
            for block in level.block:
                h = block(h)
            if hasattr(level, "downsample"):
                h = level.downsample(h)
        h = self.mid.block_2(self.mid.attn_1(self.mid.block_1(h)))
        return self.conv_out(F.silu(self.norm_out(h)))


class Vae(nn.Module):
    def __init__(self, ch, mult, blocks, z, groups, stride):
        super().__init__()
        self.encoder, self.quant_conv = VaeEncoder(ch, mult, blocks, z, groups, stride), nn.Conv2d(2 * z, 2 * z, 1)

    def forward(self, x):
        return self.quant_conv(self.encoder(x)).chunk(2, 1)[0]


class ResBlock(nn.Module):
    def __init__(self, cin, cout, emb, groups):
        super().__init__()
        self.in_layers = nn.Sequential(GroupNorm(groups, cin, eps=1e-5), nn.SiLU(), nn.Conv2d(cin, cout, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb, cout))
        self.out_layers = nn.Sequential(GroupNorm(groups, cout, eps=1e-5), nn.SiLU(), nn.Dropout(0), nn.Conv2d(cout, cout, 3, padding=1))
        self.skip_connection = nn.Conv2d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x, emb):
        h = self.in_layers(x) + self.emb_layers(emb)[..., None, None]
        return self.skip_connection(x) + self.out_layers(h)


class Attention(nn.Module):
    def __init__(self, c, context, heads):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v = nn.Linear(c, c, bias=False), nn.Linear(context, c, bias=False), nn.Linear(context, c, bias=False)
        self.to_out = nn.Sequential(nn.Linear(c, c), nn.Dropout(0))

    def forward(self, x, context):
        return self.to_out(attend(self.to_q(x), self.to_k(context), self.to_v(context), self.heads))


class Gated(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.proj = nn.Linear(c, 8 * c)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.net = nn.Sequential(Gated(c), nn.Dropout(0), nn.Linear(4 * c, c))

    def forward(self, x):
        return self.net(x)


class TransformerBlock(nn.Module):
    def __init__(self, c, context, heads):
        super().__init__()
        self.attn1, self.attn2, self.ff = Attention(c, c, heads), Attention(c, context, heads), FeedForward(c)
        self.norm1, self.norm2, self.norm3 = LayerNorm(c), LayerNorm(c), LayerNorm(c)

    def forward(self, x, context):
        h = self.norm1(x)
        x = self.attn1(h, h) + x
        x = self.attn2(self.norm2(x), context) + x
        return self.ff(self.norm3(x)) + x


class SpatialTransformer(nn.Module):
    def __init__(self, c, context, heads, groups):
        super().__init__()
        self.norm, self.proj_in, self.proj_out = GroupNorm(groups, c, eps=1e-6), nn.Conv2d(c, c, 1), nn.Conv2d(c, c, 1)
        self.transformer_blocks = nn.ModuleList([TransformerBlock(c, context, heads)])

    def forward(self, x, context):
        h = self.proj_in(self.norm(x)).flatten(2).transpose(1, 2)
        h = self.transformer_blocks[0](h, context)
        return x + self.proj_out(h.transpose(1, 2).reshape(x.shape))


class Down(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.op = nn.Conv2d(c, c, 3, stride=2, padding=1)

    def forward(self, x):
        return self.op(x)


class Up(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class UNet(nn.Module):
    def __init__(self, ch, mult, context, heads, z, groups, blocks, attention):
        super().__init__()
        emb, levels = 4 * ch, len(mult)
        self.features = set()

        def block(cin, cout, level):
            made = nn.ModuleList([ResBlock(cin, cout, emb, groups)])
            if 2 ** level in attention:
                made.append(SpatialTransformer(cout, context, heads, groups))
            return made

        self.input_blocks, skips, c = nn.ModuleList([nn.ModuleList([nn.Conv2d(z, ch, 3, padding=1)])]), [ch], ch
        for level, m in enumerate(mult):
            for _ in range(blocks):
                self.input_blocks.append(block(c, ch * m, level))
                c = ch * m
                skips.append(c)
            if level < levels - 1:
                self.input_blocks.append(nn.ModuleList([Down(c)]))
                skips.append(c)
        self.middle_block = nn.ModuleList([ResBlock(c, c, emb, groups), SpatialTransformer(c, context, heads, groups), ResBlock(c, c, emb, groups)])
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(levels)):
            for i in range(blocks + 1):
                made = block(c + skips.pop(), ch * mult[level], level)
                c = ch * mult[level]
                if level > 0 and i == blocks:
                    made.append(Up(c))
                if i == (blocks if level == 0 else blocks - 1):
                    self.features.add(len(self.output_blocks))
                self.output_blocks.append(made)
        self.out = nn.Sequential(GroupNorm(groups, c, eps=1e-5), nn.SiLU(), nn.Conv2d(c, z, 3, padding=1))

    @staticmethod
    def run(block, h, emb, context):
        for module in block:
            if isinstance(module, ResBlock):
                h = module(h, emb)
            elif isinstance(module, SpatialTransformer):
                h = module(h, context)
            else:
                h = module(h)
        return h

    def forward(self, h, emb, context):
        skips, feats = [], []
        for block in self.input_blocks:
            h = self.run(block, h, emb, context)
            skips.append(h)
        h = self.run(self.middle_block, h, emb, context)
        for i, block in enumerate(self.output_blocks):
            h = self.run(block, torch.cat([h, bilinear(skips.pop(), h.shape[2:])], 1), emb, context)
            if i in self.features:
                feats.append(h)
        return feats[::-1]


class ConvModule(nn.Module):
    def __init__(self, cin, cout, kernel):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(cin, cout, kernel, padding=kernel // 2, bias=False), BatchNorm(cout)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class UPerHead(nn.Module):
    def __init__(self, cin, c, classes):
        super().__init__()
        self.psp_modules = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(k), ConvModule(cin, c, 1)) for k in (1, 2, 3, 6))
        self.bottleneck = ConvModule(cin + 4 * c, c, 3)
        self.lateral_convs = nn.ModuleList(ConvModule(cin, c, 1) for _ in range(3))
        self.fpn_convs = nn.ModuleList(ConvModule(c, c, 3) for _ in range(3))
        self.fpn_bottleneck, self.conv_seg = ConvModule(4 * c, c, 3), nn.Conv2d(c, classes, 1)

    def forward(self, levels):
        top = levels[3]
        pooled = [bilinear(psp(top), top.shape[2:]) for psp in self.psp_modules]
        sides = [conv(level) for conv, level in zip(self.lateral_convs, levels)] + [self.bottleneck(torch.cat([top, *pooled], 1))]
        for i in (3, 2, 1):
            sides[i - 1] = sides[i - 1] + bilinear(sides[i], sides[i - 1].shape[2:])
        outs = [conv(side) for conv, side in zip(self.fpn_convs, sides)] + [sides[3]]
        return self.conv_seg(self.fpn_bottleneck(torch.cat([bilinear(out, outs[0].shape[2:]) for out in outs], 1)))


def shape_of(weights, heads):
    """What a network's weights tell of its shape; heads of the attention are not in them."""
    def of(name):
        return weights[name].shape

    unet, vae = "unet.unet.diffusion_model.", "encoder_vq.encoder."
    prompts, context = of("meta_prompts")
    ch, z = of(unet + "input_blocks.0.0.weight")[:2]
    vae_ch = of(vae + "conv_in.weight")[0]
    levels = sum(1 for i in range(8) if vae + f"down.{i}.block.0.conv1.weight" in weights)
    return {
        "steps": sum(1 for name in weights if name[0] == "t" and name[1:].isdigit()), "prompts": prompts, "context": context, "heads": heads, "z": z,
        "ch": ch, "mult": [of(unet + f"input_blocks.{i}.0.in_layers.2.weight")[0] // ch for i in (1, 4, 7, 10)],
        "vae_ch": vae_ch, "vae_mult": [of(vae + f"down.{i}.block.0.conv1.weight")[0] // vae_ch for i in range(levels)],
        "vae_blocks": sum(1 for j in range(8) if vae + f"down.0.block.{j}.conv1.weight" in weights),
        "head": of("decode_head.bottleneck.conv.weight")[0], "classes": of("decode_head.conv_seg.weight")[0],
    }


class Encoder(nn.Module):
    """What the networks of all tasks have in common: autoencoder, UNet, and its features brought to one width. What a shape does not tell is as published."""

    def __init__(self, shape):
        super().__init__()
        ch, mult, context, groups = shape["ch"], shape["mult"], shape["context"], shape.get("groups", 32)
        self.steps = shape["steps"]
        for i in range(1, self.steps + 1):
            self.register_parameter(f"t{i}", nn.Parameter(torch.empty(1, 4 * ch)))
        self.encoder_vq = Vae(shape["vae_ch"], shape["vae_mult"], shape["vae_blocks"], shape["z"], groups, shape.get("vae_stride", 1))
        self.unet = nn.Module()
        self.unet.unet = nn.Module()
        self.unet.unet.diffusion_model = UNet(ch, mult, context, shape["heads"], shape["z"], groups, shape.get("blocks", 2), shape.get("attention", (4, 2, 1)))
        for k in range(4):
            self.add_module(f"upconv{k + 1}", nn.Sequential(nn.Conv2d(ch * mult[k], context, 3, padding=1), GroupNorm(shape.get("fuse_groups", 16), context, eps=1e-5), nn.ReLU()))

    def fill(self, weights):
        missing, _ = self.load_state_dict({name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}, strict=False)
        if missing:
            raise SystemExit(f"the weights lack {missing[:3]}, {len(missing)} in all")
        return self

    def step(self, i, z, context):
        """Refine step i, from 1: [B, Z, h, w] and [B, N, D] -> four maps of features, finest first."""
        return self.unet.unet.diffusion_model(z, getattr(self, f"t{i}"), context)

    def fused(self, feats):
        """Every level at twice its size and as wide as a prompt."""
        return [getattr(self, f"upconv{k + 1}")(bilinear(feat, (2 * feat.shape[2], 2 * feat.shape[3]))) for k, feat in enumerate(feats)]


class Segmentation(Encoder):
    """MetaPrompts for segmentation, as published."""

    def __init__(self, shape):
        super().__init__(shape)
        self.meta_prompts = nn.Parameter(torch.empty(shape["prompts"], shape["context"]))
        self.decode_head = UPerHead(shape["prompts"], shape["head"], shape["classes"])
        self.eval()

    def context(self, i, batch):
        return self.meta_prompts.unsqueeze(0).expand(batch, -1, -1)

    def read(self, feats, size):
        """Features of the last step -> [B, classes, H, W]."""
        levels = [torch.einsum("bchw,nc->bnhw", up, self.meta_prompts) for up in self.fused(feats)]
        return bilinear(self.decode_head(levels), size)

    def forward(self, image):
        """[B, 3, H, W] in [-1, 1] -> [B, classes, H, W]."""
        z = self.encoder_vq(image)
        for i in range(1, self.steps + 1):
            feats = self.step(i, z, self.context(i, image.shape[0]))
            if i < self.steps:
                z = self.unet.unet.diffusion_model.out(feats[0])
        return self.read(feats, image.shape[2:])


def to_type(model, kind):
    """Norms keep float32, as in the product."""
    model.to(kind)
    for module in model.modules():
        if isinstance(module, (GroupNorm, LayerNorm, BatchNorm)):
            module.float()
    return model


def formula(name, tensor, seed):
    """The values that the golden files' description gives a tensor of this name."""
    import numpy

    if name.endswith("num_batches_tracked"):
        return torch.zeros_like(tensor)
    hash64, mask = 0xCBF29CE484222325, (1 << 64) - 1
    for byte in name.encode():
        hash64 = (hash64 ^ byte) * 0x100000001B3 & mask
    step = 0x9E3779B97F4A7C15
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(hash64 + seed * step & mask) + (numpy.arange(tensor.numel(), dtype=numpy.uint64) + numpy.uint64(1)) * numpy.uint64(step)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    u = (z >> numpy.uint64(40)).astype(numpy.float32) * numpy.float32(2.0 ** -23) - numpy.float32(1)
    last, scale, offset = name.split(".")[-1], 0.05, 0.0
    if (last[0] == "t" and last[1:].isdigit()) or (last.startswith("meta_prompts") and last[12:].isdigit() | (last == "meta_prompts")):
        scale = 1.7320508
    elif last == "running_var":
        scale, offset = 0.25, 1.0
    elif last == "running_mean":
        scale = 0.1
    elif tensor.dim() <= 1:
        scale, offset = (0.1, 1.0) if name.endswith("weight") else (0.05, 0.0)
    else:
        scale = 1.5 / (tensor.numel() / tensor.shape[0]) ** 0.5
    return torch.from_numpy(u * numpy.float32(scale) + numpy.float32(offset)).half().float().reshape(tensor.shape)


def golden(folder):
    """Float64 logits of the tiny network with the weights of the description, against the golden file."""
    with open(f"{folder}/config.json") as file:
        config = json.load(file)
    sd = config["sd"]
    model = Segmentation({
        "steps": int(config["refine_step"]), "prompts": int(config["num_prompt"]), "context": sd["context_dim"], "heads": sd["num_heads"], "z": sd["z_channels"], "ch": sd["model_channels"],
        "mult": sd["channel_mult"], "vae_ch": sd["vae_ch"], "vae_mult": sd["vae_ch_mult"], "vae_blocks": sd["vae_num_res_blocks"], "head": int(config["head_channels"]), "classes": int(config["classes"]),
    })
    model.fill({name: formula(name, tensor, int(config["seed"])) for name, tensor in model.state_dict().items()}).double()
    case, _ = read_safetensors(f"{folder}/case0.safetensors")
    pixels = (case["image_u8"].permute(0, 3, 1, 2).float() - 127.5) * torch.tensor(1 / 127.5, dtype=torch.float32)
    with torch.no_grad():
        logits = model(pixels.double())
    want = case["logits"].double()
    worst = ((logits - want).abs().max() / want.abs().max()).item()
    print(f"golden segmentation logits: {worst:.2e} of the largest, {'ok' if worst < 1e-6 else 'NOT THE NETWORK'}")
    return worst < 1e-6


def measure(call, device, rounds, warm):
    """Milliseconds of each call."""
    times = []
    for i in range(warm + rounds):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        if i >= warm:
            times.append(1000 * (time.perf_counter() - start))
    return times


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--golden", help="folder with config.json and case0.safetensors")
    ask.add_argument("--weights", help=".safetensors of a segmentation model")
    ask.add_argument("--heads", type=int, default=8)
    ask.add_argument("--size", type=int, nargs=2, default=(512, 512), metavar=("H", "W"))
    ask.add_argument("--batch", type=int, nargs="+", default=[1])
    ask.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    ask.add_argument("--precision", nargs="+", default=["fp32"], choices=("fp32", "bf16", "fp16"))
    ask.add_argument("--compile", action="store_true", help="torch.compile as well")
    ask.add_argument("--channels-last", action="store_true")
    ask.add_argument("--rounds", type=int, default=10)
    ask.add_argument("--json")
    args = ask.parse_args()
    if args.golden and not golden(args.golden):
        raise SystemExit(1)
    if not args.weights:
        return
    rows, weights = [], read_safetensors(args.weights)[0]
    for precision in args.precision:
        kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
        model = to_type(Segmentation(shape_of(weights, args.heads)).fill(weights), kind).to(args.device)
        if args.channels_last:
            model = model.to(memory_format=torch.channels_last)
        ways = {"eager": model}
        if args.compile:
            ways["compile"] = torch.compile(model)
        for batch in args.batch:
            torch.manual_seed(1)
            image = (torch.rand(batch, 3, *args.size) * 2 - 1).to(args.device, kind)
            if args.channels_last:
                image = image.to(memory_format=torch.channels_last)
            for way, run in ways.items():
                with torch.inference_mode():
                    times = measure(lambda: run(image), args.device, args.rounds, 3)
                row = {"way": way, "precision": precision, "batch": batch, "size": list(args.size), "median_ms": round(statistics.median(times), 3),
                       "least_ms": round(min(times), 3), "most_ms": round(max(times), 3), "fps": round(1000 * batch / statistics.median(times), 3)}
                rows.append(row)
                print(json.dumps(row), flush=True)
        del model, ways
    name = torch.cuda.get_device_name() if args.device == "cuda" else "cpu"
    result = {"torch": torch.__version__, "device": name, "channels_last": args.channels_last, "method": f"3 calls of warm-up, medians of {args.rounds}, synchronised around each call", "rows": rows}
    if args.json:
        with open(args.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
