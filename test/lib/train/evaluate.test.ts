// Full-precision evaluation against the reference forward, whatever the batch size.
import assert from 'node:assert/strict';
import { runReference } from '../../../lib/graph/reference.js';
import { buildModel } from '../../../lib/models/index.js';
import { floats, type HostTensor } from '../../../lib/tensor/host_tensor.js';
import { Random } from '../../../lib/tensor/random.js';
import { evaluate } from '../../../lib/train/evaluate.js';

const COUNT = 10;
const SIDE = 8;
const CLASSES = 4;
const PLAIN = { mean: [0.5], std: [0.25] };

/** Float32 sums through three layers in another order. */
const TOLERANCE = 1e-5;

describe('evaluate', () => {
  const random = new Random(9);
  const graph = buildModel('convnet2', { input: [1, SIDE, SIDE], classes: CLASSES, seed: 2 });
  const pixels = Uint8Array.from({ length: COUNT * SIDE * SIDE }, () => random.integer(256));
  const labels = Int32Array.from({ length: COUNT }, () => random.integer(CLASSES));
  const set = { count: COUNT, height: SIDE, width: SIDE, channels: 1, pixels, labels };

  it('counts what the reference gets right, and takes its mean loss', async () => {
    const input = Float32Array.from(pixels, (pixel) => (pixel / 255 - 0.5) / 0.25);
    const logits = runReference(graph, { input: floats([COUNT, 1, SIDE, SIDE], input) }).get('logits') as HostTensor;
    let [correct, loss] = [0, 0];
    for (let i = 0; i < COUNT; i++) {
      const row = [...(logits.data as Float32Array).subarray(i * CLASSES, (i + 1) * CLASSES)];
      const label = labels[i] as number;
      if (row.indexOf(Math.max(...row)) === label) correct += 1;
      loss += Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0)) - (row[label] as number);
    }
    for (const batchSize of [1, 4, 100]) {
      const found = await evaluate(graph, set, PLAIN, { batchSize });
      assert.deepEqual([found.images, found.correct, found.accuracy], [COUNT, correct, correct / COUNT]);
      assert.ok(
        Math.abs((found.loss ?? NaN) - loss / COUNT) < TOLERANCE,
        `expected ${loss / COUNT}, received ${found.loss}`,
      );
    }
  });

  it('reports every batch, and stops after the one in which it is called off', async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const onProgress = (done: number) => {
      seen.push(done);
      if (done === 6) abort.abort(new Error('enough'));
    };
    await assert.rejects(evaluate(graph, set, PLAIN, { batchSize: 3, signal: abort.signal, onProgress }), /enough/);
    assert.deepEqual(seen, [3, 6]);
  });

  it('refuses images without labels and of another shape', async () => {
    const { labels: _, ...unlabelled } = set;
    await assert.rejects(
      evaluate(graph, unlabelled, PLAIN),
      /set: expected images with labels, received images without/,
    );
    const narrow = { ...set, width: 4, count: 2 * COUNT, labels: new Int32Array(2 * COUNT) };
    await assert.rejects(evaluate(graph, narrow, PLAIN), /images: expected shape .*8, ?8.*, received .*8, ?4/);
  });
});
