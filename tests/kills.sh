#!/usr/bin/env bash
# `process` is killed (-9) N times (default 100) at random moments and resumed each time: every frame must be in the records, the maps and the video exactly once. Prints what became of each job.
#   tests/kills.sh [N]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
program=tests/MetaPrompts.EndToEnd.Tests/bin/Release/net10.0/MetaPrompts.EndToEnd.Tests.dll
[ -f "$program" ] || dotnet build tests/MetaPrompts.EndToEnd.Tests -c Release -v q -nologo >&2
METAPROMPTS_KILLS="${1:-100}" dotnet exec "$program" -noLogo -noColor -showLiveOutput -class "*KillTests" | grep -E "whole|kills,|FAIL|Total:|Failure|Expected|Actual"
