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
trap 'rm -rf "$results"' EXIT

# One attribute of the <assembly> element, 0 where it is missing.
count() {
    local found
    found="$(grep -o "<assembly [^>]*" "$1" 2> /dev/null | head -1 | grep -o " $2=\"[0-9]*\"" | grep -o '[0-9]*')"
    echo "${found:-0}"
}

passed=0 failed=0 skipped=0
for project in "$ROOT"/tests/*.Tests; do
    name="$(basename "$project")"
    report="$results/$name.xml"
    started=$SECONDS
    echo "== $name"
    "$DOTNET" exec "$project/bin/$CONFIGURATION/net10.0/$name.dll" -noLogo -noColor -result-xml "$report" "$@"
    status=$?
    p=$(count "$report" passed) f=$(($(count "$report" failed) + $(count "$report" errors))) s=$(count "$report" skipped)
    # A program that broke off has no report, or one that does not tell.
    if [ $status != 0 ] && [ $f = 0 ]; then
        echo "$name ended with exit code $status" >&2
        f=1
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    echo "== $name: $p passed, $f failed, $s skipped, $((SECONDS - started)) s"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
