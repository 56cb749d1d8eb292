#!/usr/bin/env bash
# What a live service costs and how old its results are, measured with the real program, a broker, a subscriber and RTSP cameras: prints one object of JSON with machine, date and load.
# SECONDS (40) is the length of each case; seven cases, so about eight times as long in all. Needs what ./test.sh installs, and a Release build.
#   tests/figures.sh [SECONDS] [FOLDER [loads|cameras]]
# How soon an outage is noticed and over:  python3 tests/outages.py . ROUNDS FOLDER        A soak:  tests/soak.sh [MINUTES] [FOLDER]
set -euo pipefail

ROOT="$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
LENGTH="${1:-40}"
FOLDER="${2:-$(mktemp -d)}"
mkdir -p "$FOLDER"
exec /usr/bin/python3 "$ROOT/tests/figures.py" "$ROOT" "$LENGTH" "$FOLDER" "${@:3}"
