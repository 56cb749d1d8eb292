#!/usr/bin/env bash
# The three networks at their published size, every stored stage, plain and as served: about 8 GB of memory and ten minutes on two cores.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
program=tests/MetaPrompts.Model.Tests/bin/Release/net10.0/MetaPrompts.Model.Tests.dll
[ -f "$program" ] || dotnet build tests/MetaPrompts.Model.Tests -c Release -v q -nologo >&2
OMP_WAIT_POLICY=passive dotnet exec "$program" -noLogo -noColor -showLiveOutput -explicit only -class "*FullSizeTests"
