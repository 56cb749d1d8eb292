#!/usr/bin/env bash
# What the parts of the method are worth at half the width of mini (set WIDTH=64 for all of it): the same network, seed and number of steps each time, one thing changed; scored on rendered validation scenes. Prints a table (Markdown) and leaves
# every run in FOLDER, from where it goes on when it is called again. Needs a Release build and python3.
#   tests/ablations.sh [STEPS (1000)] [HEIGHTxWIDTH (64x128)] [FOLDER (runs/ablations)] [SCENES (200)]
set -euo pipefail

ROOT="$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
STEPS="${1:-1000}"
SIZE="${2:-64x128}"
FOLDER="${3:-$ROOT/runs/ablations}"
SCENES="${4:-200}"
WIDTH="${WIDTH:-32}"
METAPROMPTS="${METAPROMPTS:-$ROOT/metaprompts}"
mkdir -p "$FOLDER"

# NAME STEPS FROM VALUES…: trains, or goes on, or finds it done.
train() {
  local name="$1" steps="$2" from="$3"; shift 3
  local out="$FOLDER/$name" values=("training.phases=[{ size: $SIZE, steps: $steps }]" "workingSize=$SIZE" "figures=" "props=" "photos=" "training.holdUntil=0.7" "training.warmupSteps=50" "network.modelChannels=$WIDTH" "network.vaeCh=$((WIDTH / 4))" "$@") set=()
  [ -e "$out/done" ] && return
  for value in "${values[@]}"; do set+=(--set "$value"); done
  if [ -e "$out/state.safetensors" ]; then set+=(--resume); elif [ -n "$from" ]; then set+=(--from "$FOLDER/$from/mini.safetensors"); fi
  "$METAPROMPTS" train -c "$ROOT/configs/train/mini.yaml" --out "$out" "${set[@]}" >&2
  touch "$out/done"
}

score() {
  for refine in 1 2 3; do
    [ -e "$FOLDER/$1/$refine.json" ] || "$METAPROMPTS" eval --model "$FOLDER/$1/mini.json" --dataset "synthetic:$SCENES?size=192x128" --refine-steps "$refine" --json "$FOLDER/$1/$refine.json" >&2
  done
}

train learned "$STEPS" ""
train adamw "$STEPS" "" "training.optimiser=adamW"
train frozen "$STEPS" "" "training.freezePrompts=true"
train none "$STEPS" "" "metaPrompts={ depth: 0, segmentation: 0, pose: 0 }"
train one-step "$STEPS" "" "training.refineChances=[1, 0, 0]"
train autoencoder $((STEPS / 4)) "" "training.stage=autoencoder"
train from-autoencoder "$STEPS" autoencoder
train denoising $((STEPS / 2)) autoencoder "training.stage=denoising"
train from-denoising "$STEPS" denoising
for name in learned adamw frozen none one-step from-autoencoder from-denoising; do score "$name"; done
exec python3 "$ROOT/tests/ablations.py" "$FOLDER" "$STEPS" "$SIZE" "$SCENES" "$WIDTH"
