#!/usr/bin/env bash
# Runs a service for MINUTES (20) with cameras and a broker that are killed and frozen at random, and prints one line of JSON: what became of the frames, and how memory, open files, children and tensors
# grew from the second third to the last. Needs what ./test.sh installs. Exit code 1 where something leaked, was lost unreported, or did not end well.
#   tests/soak.sh [MINUTES] [FOLDER]      SOAK_RATE=5Hz: frames a second of each camera that are looked at; SOAK_SEED=1: which faults come when
set -euo pipefail

ROOT="$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
MINUTES="${1:-20}"
FOLDER="${2:-$(mktemp -d)}"
mkdir -p "$FOLDER"
exec /usr/bin/python3 "$ROOT/tests/soak.py" "$ROOT" "$MINUTES" "$FOLDER"
