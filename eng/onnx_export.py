#!/usr/bin/env python3
"""A model's network as ONNX files, so that ONNX Runtime can be timed on the same weights. Needs torch and onnx (Debian: python3-torch, python3-onnx).

    onnx_export.py src/MetaPrompts.Model/Assets/mini.json mini.onnx --size 128 192
    dotnet run -c Release --project tests/MetaPrompts.Benchmarks -- onnx mini mini.onnx

Writes the whole network (a normalised picture in, what the heads say out), and beside it NAME.latent.onnx, NAME.step1.onnx and NAME.head.onnx, the same three parts that `bench` times. Weights lie beside each file in
NAME.onnx.data. All sizes are constants, which is what ONNX Runtime folds and plans best with. Two operations are written as what ONNX Runtime does faster, both the same in real arithmetic: the scalar products with the
prompts as 1×1 convolutions, pooling to a grid that does not divide the map as products with constant matrices (the exporter has no other way to say it).
"""
import argparse
import json
import math
import os
import tempfile

import onnx
import torch
import torch.nn.functional as F
from torch import nn

import pytorch_bench as plain

JOINTS = 17
LIMBS = 8


class Multi(plain.Encoder):
    """Several tasks from one pass: each has prompts and a head of its own, each refine step an adapter for the prompts."""

    def __init__(self, shape):
        super().__init__(shape)
        self.prompts, self.depth = shape["prompts_of"], shape["depth"]
        for i in range(1, self.steps + 1):
            self.register_parameter(f"meta_prompts{i}", nn.Parameter(torch.empty(sum(self.prompts.values()), shape["context"])))
            adapter = nn.Module()
            adapter.fc = nn.Sequential(nn.Linear(shape["context"], shape["context"]), nn.GELU(), nn.Linear(shape["context"], shape["context"]))
            self.add_module(f"text_adapter{i}", adapter)
        outputs = {"depth": 1, "segmentation": shape["classes"], "pose": JOINTS + 1 + 2 * JOINTS + 2 * LIMBS}
        for task, count in self.prompts.items():
            self.add_module(f"{task}_head", plain.UPerHead(count, shape["pose_head"] if task == "pose" else shape["head"], outputs[task]))
        self.eval()

    def context(self, i, batch):
        return getattr(self, f"text_adapter{i}").fc(getattr(self, f"meta_prompts{i}")).unsqueeze(0).expand(batch, -1, -1)

    def read(self, feats, size):
        """Features of the last step -> metres, logits of the classes, pose maps, all at 1/4."""
        levels, prompts, answers, start = self.fused(feats), self.context(self.steps, 1)[0], [], 0
        for task, count in self.prompts.items():
            own = prompts[start:start + count]
            start += count
            said = getattr(self, f"{task}_head")([torch.einsum("bchw,nc->bnhw", level, own) for level in levels])
            least, most = self.depth
            answers.append(torch.exp(torch.sigmoid(said) * (most - least) + least) if task == "depth" else said)
        return tuple(answers)

    forward = plain.Segmentation.forward


class Latent(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        return self.model.encoder_vq(image)


class FirstStep(Latent):
    def forward(self, z):
        return tuple(self.model.step(1, z, self.model.context(1, 1)))


class Head(Latent):
    def __init__(self, model, size):
        super().__init__(model)
        self.size = size

    def forward(self, a, b, c, d):
        return self.model.read([a, b, c, d], self.size)


class Pool(nn.Module):
    """Adaptive average pooling of maps of one size: each axis a product with the matrix of its means."""

    def __init__(self, out, height, width):
        super().__init__()
        self.register_buffer("rows", self.means(out, height))
        self.register_buffer("columns", self.means(out, width).t().contiguous())

    @staticmethod
    def means(out, size):
        return F.adaptive_avg_pool1d(torch.eye(size).unsqueeze(0), out)[0].t().contiguous()

    def forward(self, x):
        return self.rows @ (x @ self.columns)


def scalar_products(equation, maps, prompts):
    assert equation == "bchw,nc->bnhw"
    return F.conv2d(maps, prompts[:, :, None, None])


def network(manifest, weights, steps):
    """The manifest's network with its weights, and the names of its answers."""
    net, kind = manifest["network"], manifest["network"]["kind"]
    shape = {
        "steps": steps, "context": net["contextDim"], "heads": net["numHeads"], "z": net["zChannels"], "ch": net["modelChannels"], "mult": net["channelMult"], "blocks": net["numResBlocks"],
        "attention": net["attentionResolutions"], "groups": net["normGroups"], "fuse_groups": net["fuseGroups"], "vae_ch": net["vaeCh"], "vae_mult": net["vaeChMult"], "vae_blocks": net["vaeNumResBlocks"],
        "vae_stride": net["vaeInStride"], "head": net["headChannels"], "pose_head": net.get("poseHeadChannels") or net["headChannels"], "classes": len(manifest["classes"]),
    }
    if kind == "multi":
        shape["prompts_of"] = {task: manifest["metaPrompts"][task] for task in manifest["tasks"]}
        shape["depth"] = (math.log(manifest.get("minDepth", 0.25)), math.log(manifest.get("maxDepth", 80)))
        return Multi(shape).fill(weights), manifest["tasks"]
    if kind == "segmentation":
        shape["prompts"] = manifest["metaPrompts"]["segmentation"]
        return plain.Segmentation(shape).fill(weights), ["segmentation"]
    raise SystemExit(f"no exporter for a network of kind {kind}; multi and segmentation have one")


def export(module, inputs, names, outputs, path):
    """The exporter puts weights of more than 2 GB into many files; here they become one."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
        raw = os.path.join(folder, "raw.onnx")
        torch.onnx.export(module, inputs, raw, opset_version=17, do_constant_folding=True, input_names=names, output_names=outputs)
        model = onnx.load(raw)
    data = os.path.basename(path) + ".data"
    if os.path.exists(os.path.join(os.path.dirname(path), data)):
        os.remove(os.path.join(os.path.dirname(path), data))
    onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location=data, size_threshold=1024)
    print(f"{path}: {len(model.graph.node)} nodes", flush=True)


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("manifest", help="MODEL.json; its weights lie beside it")
    ask.add_argument("onnx", help="file to write")
    ask.add_argument("--size", type=int, nargs=2, required=True, metavar=("H", "W"), help="of the picture the network sees, multiples of 64")
    ask.add_argument("--steps", type=int, default=1, help="refine steps (1); parts are written for one step only")
    args = ask.parse_args()
    with open(args.manifest) as file:
        manifest = json.load(file)
    weights, _ = plain.read_safetensors(os.path.join(os.path.dirname(args.manifest), manifest["weights"]))
    model, answers = network(manifest, weights, args.steps)
    del weights
    model.requires_grad_(False)
    image = torch.rand(1, 3, *args.size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        z = model.encoder_vq(image)
        feats = FirstStep(model)(z)
        # Pooling as products, then the operations as ONNX Runtime likes them: nothing may change.
        before = model(image)
        height, width = 2 * feats[3].shape[2], 2 * feats[3].shape[3]
        for module in model.modules():
            if isinstance(module, plain.UPerHead):
                for branch in module.psp_modules:
                    branch[0] = Pool(branch[0].output_size, height, width)
        torch.einsum = scalar_products
        for one, other in zip(*((said,) if torch.is_tensor(said) else said for said in (before, model(image)))):
            worst = ((one - other).abs().max() / one.abs().max()).item()
            if worst > 1e-5:
                raise SystemExit(f"the exporter's own forms change the result by {worst:.1e} of the largest")
        export(model, image, ["image"], answers, args.onnx)
        if args.steps == 1:
            stem, levels = os.path.splitext(args.onnx)[0], [f"level{k}" for k in range(4)]
            export(Latent(model), image, ["image"], ["latent"], stem + ".latent.onnx")
            export(FirstStep(model), z, ["latent"], levels, stem + ".step1.onnx")
            export(Head(model, image.shape[2:]), feats, levels, answers, stem + ".head.onnx")


if __name__ == "__main__":
    main()
