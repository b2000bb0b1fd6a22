// Full precision by the float interpreter: logits and accuracy, whatever the batch.
import assert from 'node:assert/strict';
import { evaluationData } from '../../../lib/data/evaluation_data.js';
import { buildModel } from '../../../lib/models/index.js';
import { runFloat } from '../../../lib/runtime/backends/float.js';
import { Random } from '../../../lib/tensor/random.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';
import { randomTensor } from '../../support/onnxruntime.js';

const SAMPLES = 24;
const graph = buildModel('convnet2', { input: [1, 10, 10], seed: 2 });
const dims = [SAMPLES, 1, 10, 10];
const { data: inputs } = randomTensor(new Random(3), dims);

describe('fullPrecision', () => {
  it('gives the logits of the float interpreter, whatever the batch, and the accuracy of its classes', async () => {
    const tensor = { dtype: 'float32', dims, data: inputs } as const;
    const wanted = runFloat(graph, { input: tensor }).get('logits')?.data as Float32Array;
    const first = await fullPrecision(graph, { dims, inputs });
    assert.deepEqual(first.logits, Float32Array.from(wanted));
    assert.equal(first.accuracy, undefined);
    const labels = first.classes.map((value, i) => (i % 4 === 0 ? (value + 1) % 10 : value));
    const again = await fullPrecision(graph, { dims, inputs, labels }, { batchSize: SAMPLES });
    assert.equal(again.accuracy, 0.75);
    await assert.rejects(fullPrecision(graph, { dims: [25, 1, 10, 10], inputs }), /expected 2500 > 0 elements/);
  });

  it('takes the normalised images of a set', () => {
    const pixels = Uint8Array.of(0, 255, 51, 102);
    const set = { count: 2, height: 1, width: 1, channels: 2, pixels, labels: Int32Array.of(1, 0) };
    const data = evaluationData(set, { mean: [0, 0.2], std: [1, 0.5] });
    assert.deepEqual(data.dims, [2, 2, 1, 1]);
    assert.equal(data.layout, 'channelsLast');
    assert.deepEqual(data.inputs, Float32Array.of(0, 1.6, 0.2, 0.4));
    assert.equal(data.labels, set.labels);
  });
});
