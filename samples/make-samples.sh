#!/usr/bin/env bash
# Makes the clips of this folder again. Needs ffmpeg and Debian's package opencv-doc.
set -euo pipefail
cd "$(dirname "$0")"
vtest=/usr/share/doc/opencv-doc/examples/data/vtest.avi
[ -f "$vtest" ] || { echo "make-samples: needs $vtest: apt-get install opencv-doc" >&2; exit 1; }

# Ten seconds with people near and far; the picture itself is not changed but for the new encoding.
ffmpeg -v error -y -ss 18 -t 10 -i "$vtest" -an -c:v libx264 -preset veryslow -crf 27 -pix_fmt yuv420p -map_metadata -1 -movflags +faststart pedestrians.mp4

# Six seconds of a scene the project renders, with its exact truth beside it.
rm -rf rendered-truth
../metaprompts scenes --seed 13 --seconds 6 --fps 10 --size 384x256 --out rendered-truth
mv rendered-truth/frames.mp4 rendered.mp4
