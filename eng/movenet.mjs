// What MoveNet Lightning finds of a COCO folder's people, by the same PCK@0.2 as `metaprompts eval`: a yardstick for mini's pose. Nothing of it is part of the program or of what it was trained on.
//
//     npm install --prefix .metaprompts/yardstick @vladmandic/human@3.3.6 @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 jpeg-js@0.4.4
//     node eng/movenet.mjs FOLDER          FOLDER: annotations.json and images/*.jpg, as for `eval --dataset coco-keypoints:FOLDER`
//
// MoveNet (Apache-2.0, inside the npm package) says one pose a picture, of 192×192 places. It is asked twice: for the whole picture, whose one pose goes to the person it fits best, and for a square around each person's labelled box.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

function fail(message) {
  console.error(`movenet: error: ${message}`);
  process.exit(2);
}

const [folder] = process.argv.slice(2);
if (!folder) fail('usage: node eng/movenet.mjs FOLDER');
const labels = path.join(folder, 'annotations.json');
if (!existsSync(labels)) fail(`${labels}: does not exist; give a folder as for eval --dataset coco-keypoints:FOLDER`);
const packages = fileURLToPath(new URL('../.metaprompts/yardstick/node_modules', import.meta.url));
if (!existsSync(packages)) fail('its packages are missing; the first lines of this file say how to install them');
const require = createRequire(path.join(packages, 'package.json'));
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const jpeg = require('jpeg-js');

wasm.setWasmPaths(path.join(packages, '@tensorflow/tfjs-backend-wasm/dist/'));
await tf.setBackend('wasm');
const models = path.join(packages, '@vladmandic/human/models');
const graph = JSON.parse(readFileSync(path.join(models, 'movenet-lightning.json')));
const bytes = readFileSync(path.join(models, 'movenet-lightning.bin'));
const model = await tf.loadGraphModel({
  load: async () => ({
    modelTopology: graph.modelTopology,
    weightSpecs: graph.weightsManifest.flatMap((group) => group.weights),
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    signature: graph.signature,
  }),
});

const SIDE = 192;
// 17 × [x, y] in pixels of the picture, of what a square of it shows; black beyond its edges.
async function poseIn(picture, left, top, side) {
  const data = new Int32Array(SIDE * SIDE * 3);
  for (let v = 0; v < SIDE; v++) {
    for (let u = 0; u < SIDE; u++) {
      const [x, y] = [left + ((u + 0.5) * side) / SIDE - 0.5, top + ((v + 0.5) * side) / SIDE - 0.5];
      if (x < 0 || y < 0 || x > picture.width - 1 || y > picture.height - 1) continue;
      const [x0, y0] = [Math.min(Math.floor(x), picture.width - 2), Math.min(Math.floor(y), picture.height - 2)];
      const [fx, fy] = [x - x0, y - y0];
      for (let c = 0; c < 3; c++) {
        const at = (dx, dy) => picture.data[((y0 + dy) * picture.width + x0 + dx) * 4 + c];
        data[(v * SIDE + u) * 3 + c] = (at(0, 0) * (1 - fx) + at(1, 0) * fx) * (1 - fy) + (at(0, 1) * (1 - fx) + at(1, 1) * fx) * fy;
      }
    }
  }
  const input = tf.tensor4d(data, [1, SIDE, SIDE, 3], 'int32');
  const output = model.execute(input);
  const said = await output.data();
  tf.dispose([input, output]);
  return Array.from({ length: 17 }, (_, j) => [left + said[3 * j + 1] * side, top + said[3 * j] * side]);
}

const away = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const ways = { whole: [0, 0], 'whole, tall': [0, 0], boxes: [0, 0], 'boxes, tall': [0, 0] };
function count(way, person, pose) {
  for (let j = 0; j < 17; j++) {
    if (person.joints[j][2] < 2) continue;
    ways[way][1]++;
    if (pose && away(pose[j], person.joints[j]) <= 0.2 * person.torso) ways[way][0]++;
  }
}

const set = JSON.parse(readFileSync(labels));
let asked = 0;
for (const image of set.images) {
  const people = set.annotations
    .filter((one) => one.image_id === image.id && !one.iscrowd && one.num_keypoints > 0)
    .map((one) => {
      const joints = Array.from({ length: 17 }, (_, j) => one.keypoints.slice(3 * j, 3 * j + 3));
      const torso = Math.max(...[[5, 12], [6, 11]].map(([a, b]) => (joints[a][2] && joints[b][2] ? away(joints[a], joints[b]) : 0)));
      return { joints, torso, box: one.bbox, tall: one.bbox[3] >= image.height / 2 };
    })
    .filter((one) => one.torso > 0);
  if (people.length === 0) continue;
  asked += people.length;
  const picture = jpeg.decode(readFileSync(path.join(folder, 'images', image.file_name)), { useTArray: true });
  const side = Math.max(picture.width, picture.height);
  const one = await poseIn(picture, (picture.width - side) / 2, (picture.height - side) / 2, side);
  const far = (person) => person.joints.reduce((sum, joint, j) => sum + (joint[2] ? away(joint, one[j]) : 0), 0) / (person.torso * person.joints.filter((joint) => joint[2]).length);
  const nearest = people.reduce((best, person) => (far(person) < far(best) ? person : best));
  for (const person of people) {
    const [x, y, w, h] = person.box;
    const around = 1.25 * Math.max(w, h);
    const pose = await poseIn(picture, x + w / 2 - around / 2, y + h / 2 - around / 2, around);
    for (const tall of person.tall ? ['', ', tall'] : ['']) {
      count(`whole${tall}`, person, person === nearest ? one : null);
      count(`boxes${tall}`, person, pose);
    }
  }
}
console.log(`MoveNet Lightning, ${asked} people with a labelled torso, PCK@0.2:`);
for (const [way, [right, all]] of Object.entries(ways)) console.log(`  ${way.padEnd(12)} ${(right / all).toFixed(3)} of ${all} joints`);
