// Answers of a teacher: asked once for every image in order, a network as any black box; wrong lengths refused.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { buildModel } from '../../../lib/models/index.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import { teacherLogits } from '../../../lib/train/teacher.js';
import { QUARTERS_NORMALIZATION, quarters, quartersBatch } from '../../support/quarters.js';

describe('answers of a teacher', () => {
  const set = quarters(10, 3);

  it('of a network are its logits in full precision', async () => {
    const graph = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });
    const { count, classes, logits } = await teacherLogits(graph, set, QUARTERS_NORMALIZATION, { batchSize: 4 });
    assert.deepEqual([count, classes], [10, 4]);
    assert.deepEqual(logits, (await fullPrecision(graph, quartersBatch(10, 3))).logits);
  });

  it('of a function are what it says, image by image', async () => {
    const asked: number[] = [];
    const progress: [number, number][] = [];
    const brightness = (inputs: Float32Array, count: number) => {
      asked.push(count);
      return Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? (inputs[(i / 2) * 64] as number) : 0));
    };
    const { logits } = await teacherLogits(brightness, set, QUARTERS_NORMALIZATION, {
      batchSize: 4,
      onProgress: (done, total) => progress.push([done, total]),
    });
    const { inputs } = quartersBatch(10, 3);
    assert.deepEqual(
      [...logits].filter((_, i) => i % 2 === 0),
      Array.from({ length: 10 }, (_, i) => inputs[64 * i]),
    );
    assert.deepEqual(asked, [4, 4, 2]);
    assert.deepEqual(progress.at(-1), [10, 10]);
  });

  it('of a wrong length are refused', async () => {
    const refused = (answer: (count: number) => number) =>
      assert.rejects(
        teacherLogits((_, count) => new Float32Array(answer(count)), set, QUARTERS_NORMALIZATION, { batchSize: 4 }),
        InvalidArgumentError,
      );
    await refused((count) => count);
    await refused((count) => 2 * count + 1);
    // Another number of classes in a later batch.
    await refused((count) => (count === 4 ? 12 : 4));
  });
});
