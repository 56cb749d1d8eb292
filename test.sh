#!/usr/bin/env bash
# Runs every test. The last line is "N passed, N failed, N skipped"; the exit code says the same.
#   ./test.sh [--no-build] [options of the test programs, for example: -class "*Launcher*"]
set -uo pipefail

ROOT="$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
. "$ROOT/build/setup.sh"
cd "$ROOT" || exit 1

build=1
if [ "${1:-}" = --no-build ]; then
    build=0
    shift
fi

need_system_packages
need_test_packages
need_sdk
if [ $build = 1 ]; then
    mkdir -p "$STATE"
    exec 9> "$STATE/build.lock"
    flock 9
    if ! stamped dotnet_build "$ROOT/MetaPrompts.Stream.sln"; then
        say "the build failed; its messages are above"
        echo "0 passed, 1 failed, 0 skipped"
        exit 1
    fi
    exec 9>&-
fi

export OMP_WAIT_POLICY=passive
export DOTNET_NOLOGO=1
# Many small tensors: a second OpenMP thread only waits for the first (measured: minutes instead of seconds).
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
results="$(mktemp -d)"
trap 'kill $(jobs -p) 2> /dev/null; rm -rf "$results"' EXIT

# One attribute of the <assembly> element, 0 where it is missing.
count() {
    local found
    found="$(grep -o "<assembly [^>]*" "$1" 2> /dev/null | head -1 | grep -o " $2=\"[0-9]*\"" | grep -o '[0-9]*')"
    echo "${found:-0}"
}

passed=0 failed=0 skipped=0

# PROJECT ARGUMENTS…: runs its tests; how they end goes into $results.
start() {
    local name="$1" started=$SECONDS
    shift
    "$DOTNET" exec "$ROOT/tests/$name/bin/$CONFIGURATION/net10.0/$name.dll" -noLogo -noColor -result-xml "$results/$name.xml" "$@"
    echo "$? $((SECONDS - started))" > "$results/$name.end"
}

# PROJECT: tells what became of it.
tell() {
    local name="$1" status took p f s
    read -r status took < "$results/$name.end"
    p=$(count "$results/$name.xml" passed) f=$(($(count "$results/$name.xml" failed) + $(count "$results/$name.xml" errors))) s=$(count "$results/$name.xml" skipped)
    # A program that broke off has no report, or one that does not tell.
    if [ "$status" != 0 ] && [ $f = 0 ]; then
        echo "$name ended with exit code $status" >&2
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    echo "== $name: $p passed, $f failed, $s skipped, $took s"
}

# The two that only compute, one thread each, share the cores; what listens to clocks, cameras and brokers has them alone.
echo "== MetaPrompts.Training.Tests and, said after it, MetaPrompts.Model.Tests"
start MetaPrompts.Model.Tests "$@" > "$results/model.log" 2>&1 &
start MetaPrompts.Training.Tests "$@"
wait
cat "$results/model.log"
tell MetaPrompts.Model.Tests
tell MetaPrompts.Training.Tests
for name in MetaPrompts.Core.Tests MetaPrompts.Io.Tests MetaPrompts.EndToEnd.Tests; do
    echo "== $name"
    start "$name" "$@"
    tell "$name"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
