#!/usr/bin/env bash
# What loading a published network costs, at its full size: peak memory beside the weights, time beside reading the file. Needs 4 GB of disk (TMPDIR) and 6 GB of memory.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
program=tests/MetaPrompts.Model.Tests/bin/Release/net10.0/MetaPrompts.Model.Tests.dll
[ -f "$program" ] || dotnet build tests/MetaPrompts.Model.Tests -c Release -v q -nologo >&2
METAPROMPTS_LOADING=full OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY=passive dotnet exec "$program" -noLogo -noColor -showLiveOutput -class "*LoadingCostTests" | grep -E "peak|FAIL|Total:|Actual"
