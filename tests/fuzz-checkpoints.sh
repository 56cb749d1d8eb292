#!/usr/bin/env bash
# Damaged weight files, N for each reader (default 10,000): safetensors, zip, pickle, legacy stream, index of shards. Prints what became of them.
#   tests/fuzz-checkpoints.sh [N]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
program=tests/MetaPrompts.Model.Tests/bin/Release/net10.0/MetaPrompts.Model.Tests.dll
[ -f "$program" ] || dotnet build tests/MetaPrompts.Model.Tests -c Release -v q -nologo >&2
METAPROMPTS_FUZZ="${1:-10000}" OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive dotnet exec "$program" -noLogo -noColor -showLiveOutput -class "*FuzzTests" | grep -E "files,|FAIL|Total:|: took|allocated"
