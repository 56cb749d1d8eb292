#!/usr/bin/env python3
"""The mean of two sets of weights of one network, which often does better than either where it was trained last and before (Wortsman et al. 2022).

    eng/mean_weights.py A.json B.json OUT        manifests of two models of one recipe, the second begun with the first (train --from)

OUT gets the second's manifest and weights. Floats are averaged in double precision and rounded once; whole numbers are the second's. Needs nothing but Python.
"""
import hashlib
import json
import pathlib
import struct
import sys

KINDS = {"F16": "e", "F32": "f", "F64": "d"}


def read(manifest):
    """Manifest, header as it stands, entries, data."""
    try:
        described = json.loads(manifest.read_text())
        content = (manifest.parent / described["weights"]).read_bytes()
        (size,) = struct.unpack_from("<Q", content)
        return described, content[: 8 + size], json.loads(content[8 : 8 + size]), content[8 + size :]
    except OSError as error:
        sys.exit(f"mean_weights: error: {error.filename}: cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError, struct.error) as error:
        sys.exit(f"mean_weights: error: {manifest}: is no model's manifest, or its weights are damaged: {error}")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    first, second, out = map(pathlib.Path, sys.argv[1:])
    _, _, before, old = read(first)
    manifest, header, entries, new = read(second)
    if {key: value["shape"] for key, value in before.items() if key != "__metadata__"} != {key: value["shape"] for key, value in entries.items() if key != "__metadata__"}:
        sys.exit("mean_weights: error: the two are not of one network: names or shapes differ")
    mixed = bytearray(new)
    for key, entry in entries.items():
        if entry.get("dtype") not in KINDS:
            continue
        if before[key]["dtype"] != entry["dtype"]:
            sys.exit(f"mean_weights: error: {key} is {before[key]['dtype']} in one and {entry['dtype']} in the other")
        (start, end), (from_, to) = entry["data_offsets"], before[key]["data_offsets"]
        form = f"<{(end - start) // struct.calcsize(KINDS[entry['dtype']])}{KINDS[entry['dtype']]}"
        try:
            values = zip(struct.unpack(form, old[from_:to]), struct.unpack(form, new[start:end]))
        except struct.error:
            sys.exit(f"mean_weights: error: {key} is cut off: copy the weights again")
        mixed[start:end] = struct.pack(form, *((a + b) / 2 for a, b in values))
    out.mkdir(parents=True, exist_ok=True)
    content = header + bytes(mixed)
    (out / pathlib.Path(manifest["weights"]).name).write_bytes(content)
    manifest["sha256"] = hashlib.sha256(content).hexdigest()
    (out / second.name).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    print(f"{out / second.name}")


if __name__ == "__main__":
    main()
