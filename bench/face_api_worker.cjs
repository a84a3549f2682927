// SPDX-License-Identifier: Apache-2.0
// Time face-api in Node; run by bench/peers.py and answering as peer_worker.py does.
//
// It runs on WebAssembly: the native backend of TensorFlow.js is no npm package but a download.

'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');
// The build of face-api for Node uses this instance of TensorFlow.js.
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

const CLASSES = ['neutral', 'happy', 'surprised', 'sad', 'angry', 'disgusted', 'fearful'];

function folderOf(name) {
  return path.dirname(require.resolve(`${name}/package.json`));
}

// Milliseconds by the clock and of the processor since the stopwatch was made.
function stopwatch() {
  const start = performance.now(), before = process.cpuUsage();
  return () => {
    const used = process.cpuUsage(before);
    return { ms: performance.now() - start, cpu_ms: (used.user + used.system) / 1e3 };
  };
}

// An array of bytes saved by NumPy: {shape, data}.
function readArray(file) {
  const bytes = fs.readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const shape = /'shape': \(([^)]*)\)/.exec(header)[1];
  return {
    shape: shape.split(',').filter((side) => side.trim()).map(Number),
    data: bytes.subarray(start),
  };
}

function best(expressions) {
  const scores = CLASSES.map((name) => expressions[name]);
  return scores.indexOf(Math.max(...scores));
}

async function detect(file, options) {
  const { shape, data } = readArray(file);
  const elapsed = stopwatch();
  const image = tf.tensor3d(data, shape, 'int32');
  const found = await faceapi.detectAllFaces(image, options).withFaceExpressions();
  image.dispose();
  const times = elapsed();
  const boxes = found.map(({ detection: { box } }) => [box.x, box.y, box.width, box.height]);
  return { ...times, boxes };
}

// Grey pictures, N x height x width, one at a time.
async function classify(file) {
  const { shape: [count, height, width], data } = readArray(file);
  const labels = [], times = [];
  for (let i = 0; i < count; ++i) {
    const grey = data.subarray(i * height * width, (i + 1) * height * width);
    const elapsed = stopwatch();
    const image = tf.tidy(() =>
      tf.tile(tf.tensor3d(grey, [height, width, 1], 'int32'), [1, 1, 3]));
    const expressions = await faceapi.nets.faceExpressionNet.predictExpressions(image);
    image.dispose();
    labels.push(best(expressions));
    times.push(elapsed());
  }
  return { labels, ms: times.map((t) => t.ms), cpu_ms: times.map((t) => t.cpu_ms) };
}

async function main() {
  // Its threads start from a blob, which Node's workers refuse.
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  wasm.setWasmPaths(`${folderOf('@tensorflow/tfjs-backend-wasm')}/dist/`);
  await tf.setBackend('wasm');
  await tf.ready();
  const models = `${folderOf('@vladmandic/face-api')}/model`;
  await faceapi.nets.ssdMobilenetv1.loadFromDisk(models);
  await faceapi.nets.faceExpressionNet.loadFromDisk(models);
  const options = new faceapi.SsdMobilenetv1Options({ minConfidence: 0.5, maxResults: 100 });
  const version = faceapi.version.faceapi || faceapi.version;
  console.log(`ready ${JSON.stringify(`face-api ${version} (WebAssembly)`)}`);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const answer = request.image
      ? await detect(request.image, options)
      : await classify(request.crops);
    console.log(`answer ${JSON.stringify(answer)}`);
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
