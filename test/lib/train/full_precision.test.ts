// Full precision: logits of plain loops, whatever the batches; accuracy against labels; data that do not fit refused.
import assert from 'node:assert/strict';
import type { SampleBatch } from '../../../lib/assess/samples.js';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import { CLASSES, HIDDEN, INPUTS, twoProducts, vectors } from '../../support/product_network.js';

const COUNT = 7;
/** Float32 products of eight terms. */
const FLOAT32 = 1e-5;

describe('full precision', () => {
  const graph = twoProducts();
  const [batch] = [...vectors(graph, COUNT).batches(COUNT)] as [SampleBatch];
  const weights = (name: string) => graph.initializers.get(name)?.data as Float32Array;

  it('logits and classes are those of plain loops', async () => {
    const { logits, answers } = await fullPrecision(graph, batch);
    const classes = answers as Int32Array;
    for (let i = 0; i < COUNT; i++) {
      const hidden = Array.from({ length: HIDDEN }, (_, h) => {
        let sum = 0;
        for (let k = 0; k < INPUTS; k++)
          sum += (batch.inputs[i * INPUTS + k] as number) * (weights('w1')[k * HIDDEN + h] as number);
        return Math.max(0, sum);
      });
      const expected = Array.from({ length: CLASSES }, (_, c) =>
        hidden.reduce((sum, value, h) => sum + value * (weights('w2')[h * CLASSES + c] as number), 0),
      );
      expected.forEach((value, c) => {
        assert.ok(Math.abs((logits[i * CLASSES + c] as number) - value) < FLOAT32 * 10);
      });
      assert.equal(classes[i], expected.indexOf(Math.max(...expected)));
    }
  });

  it('do not depend on the batch size', async () => {
    const whole = await fullPrecision(graph, batch);
    const progress: number[] = [];
    const parts = await fullPrecision(graph, batch, { batchSize: 3, onProgress: (done) => progress.push(done) });
    assert.deepEqual(parts, whole);
    assert.deepEqual(progress, [3, 6, 7]);
  });

  it('accuracy is the share of labels met, none without labels', async () => {
    const classes = (await fullPrecision(graph, batch)).answers as Int32Array;
    const labels = classes.map((own, i) => (i < 2 ? (own + 1) % CLASSES : own));
    assert.equal((await fullPrecision(graph, { ...batch, labels })).accuracy, 5 / 7);
    assert.equal((await fullPrecision(graph, { ...batch, labels: undefined })).accuracy, undefined);
  });

  it('refuses inputs of another length, and stops when called off', async () => {
    const short = { ...batch, inputs: batch.inputs.subarray(1) };
    await assert.rejects(fullPrecision(graph, short), InvalidArgumentError);
    await assert.rejects(fullPrecision(graph, { ...batch, dims: [0, INPUTS], inputs: new Float32Array() }), /> 0/);
    await assert.rejects(fullPrecision(graph, batch, { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  });
});
