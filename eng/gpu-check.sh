#!/usr/bin/env bash
# Everything there is to check on a machine with a GPU, in one go of at most ten minutes.
#
#   eng/gpu-check.sh pack DIR       here, where packages can be had: what the other machine needs, without libtorch (about 200 MB; DIR must not exist)
#   DIR/eng/gpu-check.sh run OUT    there, with PyTorch 2.11 (CUDA 13) and nothing else: symbols, doctor, parity in fp32 and bf16, speed against PyTorch eager and torch.compile
#
# Of `run`: DEVICE=cuda|cpu (cuda), SIZE=512 (side of the pictures), BATCHES="1 4 8", PRECISIONS="fp32 bf16", PYTHON=python3, ROUNDS=3, FRAMES=32.
# DEVICE=cpu SIZE=64 BATCHES=1 PRECISIONS=fp32 FRAMES=4 ROUNDS=1 tries the script itself where there is no GPU; TORCH_LIB=folder then names a libtorch, should Python have another.
# OUT gets a JSON file for each step, summary.md, and log. What fails is said and counted; the rest goes on. Ends with 0 only where all of it worked.
set -uo pipefail
HERE="$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"

pack() {
    set -e
    local to dotnet
    [ ! -e "$1" ] || { echo "gpu-check: $1 exists; name a new folder" >&2; exit 2; }
    mkdir -p "$1/eng" "$1/tests" && to="$(cd "$1" && pwd)"
    for project in src/MetaPrompts.Cli tests/MetaPrompts.Benchmarks; do
        dotnet publish "$HERE/$project" -c Release -r linux-x64 --self-contained false -p:Flavor=external -p:UseAppHost=false -o "$to/$(basename "$project")" -v q -nologo
    done
    # The runtime itself: the other machine has none.
    dotnet="$(dirname "$(readlink -f "$(command -v dotnet)")")"
    mkdir -p "$to/dotnet/shared"
    cp -r "$dotnet/dotnet" "$dotnet/host" "$to/dotnet/"
    for framework in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
        mkdir -p "$to/dotnet/shared/$framework"
        cp -r "$(ls -d "$dotnet/shared/$framework"/10.* | sort -V | tail -1)" "$to/dotnet/shared/$framework/"
    done
    cp "$HERE/eng/gpu-check.sh" "$HERE/eng/pytorch_bench.py" "$HERE/eng/gpu_summary.py" "$to/eng/"
    cp -r "$HERE/tests/Fixtures" "$to/tests/"
    du -sh "$to"
}

FAILED=0
STARTED=$SECONDS
LIMIT=590

# step NAME SECONDS COMMAND…: output to OUT/log, cut off where it or the whole takes too long.
step() {
    local name="$1" most="$2" left=$((LIMIT - (SECONDS - STARTED))) began=$SECONDS
    shift 2
    [ "$left" -gt 5 ] || { echo "gpu-check: $name: left out, the ten minutes are over" | tee -a "$OUT/log"; FAILED=$((FAILED + 1)); return 1; }
    [ "$most" -lt "$left" ] || most=$left
    echo "== $name: $*" >> "$OUT/log"
    if timeout "$most" "$@" >> "$OUT/log" 2>&1; then
        echo "gpu-check: $name: ok, $((SECONDS - began)) s" | tee -a "$OUT/log"
    else
        echo "gpu-check: $name: FAILED ($?) after $((SECONDS - began)) s; see log" | tee -a "$OUT/log"
        FAILED=$((FAILED + 1))
        return 1
    fi
}

# to FILE COMMAND…: the command's standard output into a file of OUT.
to() { local file="$1"; shift; "$@" > "$OUT/$file"; }

metaprompts() { "$DOTNET" exec "$HERE/MetaPrompts.Cli/metaprompts.dll" "$@"; }

benchmarks() { "$DOTNET" exec "$HERE/MetaPrompts.Benchmarks/MetaPrompts.Benchmarks.dll" "$@"; }

# Every symbol the binding needs must be in this libtorch: one that is missing would end the program when it is first called.
symbols() {
    command -v nm > /dev/null || { echo "no nm here (binutils): symbols not compared"; return 0; }
    local binding missing
    binding="$(find -L "$HERE/MetaPrompts.Cli" -name libLibTorchSharp.so | head -1)"
    [ -n "$binding" ] || { echo "no libLibTorchSharp.so in $HERE/MetaPrompts.Cli"; return 1; }
    missing="$(comm -23 <(nm -D --undefined-only "$binding" | awk '$(NF-1) == "U" {print $NF}' | grep -E 'at[0-9]|c10|torch' | sed 's/@.*//' | sort -u) \
        <(for library in "$LIBS"/libtorch_cpu.so "$LIBS"/libc10.so "$LIBS"/libtorch.so "$LIBS"/libtorch_cuda.so "$LIBS"/libc10_cuda.so; do [ -e "$library" ] && nm -D --defined-only "$library"; done | awk '{print $NF}' | sed 's/@.*//' | sort -u))"
    # Weak ones, initialisers of threads' variables, are missing from the matching libtorch, too.
    missing="$(grep . <<< "$missing" || true)"
    echo "missing symbols: $(grep -c . <<< "$missing")"
    [ -z "$missing" ] || { echo "$missing"; return 1; }
}

environment() {
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv 2>&1 || true
    "$PYTHON" -c 'import sys, torch; print("python", sys.version.split()[0], "torch", torch.__version__, "cuda", torch.version.cuda, torch.cuda.is_available())'
    "$DOTNET" --list-runtimes
}

run() {
    OUT="$1"
    mkdir -p "$OUT" && OUT="$(cd "$OUT" && pwd)" && : > "$OUT/log"
    PYTHON="${PYTHON:-python3}"
    local device="${DEVICE:-cuda}" size="${SIZE:-512}" batches="${BATCHES:-1 4 8}" precisions="${PRECISIONS:-fp32 bf16}" rounds="${ROUNDS:-3}" frames="${FRAMES:-32}"
    export OUT PYTHON
    LIBS="${TORCH_LIB:-$("$PYTHON" -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')}" || { echo "gpu-check: error: $PYTHON has no torch; set PYTHON" >&2; exit 2; }
    DOTNET="$HERE/dotnet/dotnet"
    [ -x "$DOTNET" ] || { echo "gpu-check: error: $HERE holds no runtime; make it with eng/gpu-check.sh pack DIR" >&2; exit 2; }
    export LIBS DOTNET_ROOT="$HERE/dotnet" LD_LIBRARY_PATH="$LIBS${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" OMP_WAIT_POLICY=passive

    step environment 60 "$0" -step environment
    step symbols 60 "$0" -step symbols
    step doctor 60 "$0" -step to doctor.json metaprompts doctor --json
    local precision batch
    for precision in $precisions; do
        step "verify $precision" 180 "$0" -step to "verify-$precision.json" metaprompts model verify --device "$device" --precision "$precision" --fixtures "$HERE/tests/Fixtures" --json
    done
    step "golden in PyTorch" 60 "$PYTHON" "$HERE/eng/pytorch_bench.py" --golden "$HERE/tests/Fixtures/segmentation"
    if step "full-size weights" 150 "$0" -step benchmarks full-size segmentation-ade20k "$OUT/full" "$size" "$size"; then
        for precision in $precisions; do
            for batch in $batches; do
                step "bench $precision batch $batch" 120 "$0" -step to "bench-$precision-$batch.json" metaprompts bench "synthetic:${size}x$size?frames=$frames" --model "$OUT/full/segmentation-ade20k.json" --device "$device" --precision "$precision" \
                    --plain --batch "$batch" --frames "$frames" --rounds "$rounds" --model-only --json
            done
        done
        local compile=--compile
        [ "$device" = cuda ] || compile=
        # shellcheck disable=SC2086
        step "PyTorch" 300 "$PYTHON" "$HERE/eng/pytorch_bench.py" --weights "$OUT/full/segmentation-ade20k.safetensors" --size "$size" "$size" --device "$device" --precision $precisions --batch $batches $compile --channels-last --json "$OUT/pytorch.json"
        rm -rf "$OUT/full"
    fi
    "$PYTHON" "$HERE/eng/gpu_summary.py" "$OUT" > "$OUT/summary.md" 2>> "$OUT/log" && cat "$OUT/summary.md" || FAILED=$((FAILED + 1))
    echo "gpu-check: $FAILED steps failed, $((SECONDS - STARTED)) s"
    [ "$FAILED" = 0 ]
}

case "${1:-}" in
    pack) [ $# = 2 ] || { echo "usage: eng/gpu-check.sh pack DIR" >&2; exit 2; }; pack "$2" ;;
    run) [ $# = 2 ] || { echo "usage: eng/gpu-check.sh run OUT" >&2; exit 2; }; run "$2" ;;
    # Steps, each in a process of its own so that it can be cut off.
    -step) shift; DOTNET="$HERE/dotnet/dotnet"; "$@" ;;
    *) sed -n '2,9p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'; exit 2 ;;
esac
