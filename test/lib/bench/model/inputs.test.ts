// Inputs of `bench model`: the batches that a file declares, and images in each library's order.
import assert from 'node:assert/strict';
import { batchShape, imagesToChannelsLast } from '../../../../lib/bench/model/inputs.js';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { buildModel } from '../../../../lib/models/index.js';

const graph = buildModel('convnet2', { input: [1, 12, 12], classes: 10, seed: 1 });

describe('bench model: inputs', () => {
  it('refuses a batch that the file does not declare, before anything runs', () => {
    const fixed = graph.with({ inputs: graph.inputs.map((input) => ({ ...input, dims: [2, 1, 12, 12] })) });
    assert.throws(() => batchShape(fixed, 3, 0), InvalidArgumentError);
    assert.deepEqual(batchShape(fixed, 2, 0).dims, [2, 1, 12, 12]);
  });

  it('images are turned to channels-last', () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i);
    assert.deepEqual([...imagesToChannelsLast(values, [1, 2, 2, 3])], [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
  });
});
