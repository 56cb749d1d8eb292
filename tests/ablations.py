"""The table of tests/ablations.sh from the reports in its folder."""
import datetime
import json
import platform
import sys

folder, steps, size, scenes, width = sys.argv[1:6]
ROWS = [
    ("learned", "prompts learnt"),
    ("adamw", "as the first, learnt by AdamW instead of Muon"),
    ("frozen", "prompts as drawn (orthogonal), never learnt"),
    ("none", "no prompts: heads read the features themselves"),
    ("one-step", "prompts learnt, only one refine step ever practised"),
    ("from-autoencoder", "as the first, begun with a trained autoencoder"),
    ("from-denoising", "as the first, begun with autoencoder and denoising UNet"),
]
METRICS = [("abs_rel.aligned", "abs_rel aligned"), ("d1.aligned", "delta1 aligned"), ("mIoU", "mIoU"), ("IoU.person", "person IoU"), ("PCK@0.2", "PCK@0.2")]

print(f"{steps} steps of training at {size}, modelChannels {width}, {scenes} validation scenes, one seed, {datetime.date.today()}, {platform.machine()}; each cell: 1 / 2 / 3 refine steps\n")
print("| network | " + " | ".join(title for _, title in METRICS) + " |")
print("|---|" + "--:|" * len(METRICS))
for name, title in ROWS:
    reports = [json.load(open(f"{folder}/{name}/{refine}.json"))["metrics"] for refine in (1, 2, 3)]
    print(f"| {title} | " + " | ".join(" / ".join(f"{report[metric]:.3f}" for report in reports) for metric, _ in METRICS) + " |")
