#!/usr/bin/env python3
"""What gpu-check.sh left in a folder, as one page."""
import glob
import json
import os
import sys


def load(path):
    with open(path) as file:
        return json.load(file)


def main(folder):
    print("# What was measured\n")
    for path in sorted(glob.glob(f"{folder}/verify-*.json")):
        report = load(path)
        worst = max(report["rungs"], key=lambda rung: rung["max_rel"] / rung["tolerance"])
        print(f"- {os.path.basename(path)[:-5]}: {report['passed']} rungs pass, {report['failed']} fail; nearest to its tolerance: {worst['task']} {worst['case']} {worst['rung']}, {worst['max_rel']:.1e} of {worst['tolerance']:.1e} allowed")
    print("\n| network | precision | batch | default ms | plain ms | PyTorch eager ms | torch.compile ms | default fps |\n|---|---|--:|--:|--:|--:|--:|--:|")
    others = load(f"{folder}/pytorch.json") if os.path.exists(f"{folder}/pytorch.json") else {"rows": []}
    methods = set()
    for path in sorted(glob.glob(f"{folder}/bench-*.json")):
        bench = load(path)
        batch = bench["input"]["batch"]
        methods.add(f"{bench['machine']}; {bench['device']}; {', '.join(f'{k} {v}' for k, v in bench['versions'].items())}; {bench['method']}")
        calls = {part["variant"]: part["median_ms"] for part in bench["parts"] if part["part"] == "call"}
        there = {row["way"]: row["median_ms"] for row in others["rows"] if row["precision"] == bench["precision"] and row["batch"] == batch}

        def number(value):
            return "–" if value is None else f"{value:.2f}"

        print(f"| {bench['model']} | {bench['precision']} | {batch} | {number(calls.get('default'))} | {number(calls.get('plain'))} | {number(there.get('eager'))} | {number(there.get('compile'))} | {number(bench['frame']['default']['fps'])} |")
    print("\nOurs: `call` of a decoded frame to results in main memory, pre- and postprocessing included. PyTorch: the forward of a tensor that is on the device already.\n")
    for method in sorted(methods):
        print(f"- {method}")
    if others["rows"]:
        print(f"- PyTorch {others['torch']} on {others['device']}, channels last: {others['channels_last']}; {others['method']}")


if __name__ == "__main__":
    main(sys.argv[1])
