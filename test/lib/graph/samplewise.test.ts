// Whether a batch may be computed in parts, and in which.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import type { Dim } from '../../../lib/graph/dims.js';
import { partOf, sampleSize } from '../../../lib/graph/samplewise.js';
import { buildModel } from '../../../lib/models/index.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

const FLOAT = 4;

/** y = f(x, w): one node on an input of this shape. */
function sizeOfOne(operator: string, dims: readonly Dim[], wDims?: readonly number[], attributes = {}) {
  const b = new GraphBuilder('test');
  const inputs = [b.input('x', dims)];
  if (wDims) inputs.push(b.initializer('w', floats(wDims, new Float32Array(wDims.reduce((p, d) => p * d, 1)))));
  b.output(b.node('y', operator, inputs, { attributes }));
  return sampleSize(b.build());
}

describe('samples of a batch', () => {
  it('are alone in a network of images: bytes of the values and weights', () => {
    assert.deepEqual(sizeOfOne('Gemm', ['N', 6], [6, 4]), {
      largest: 6 * FLOAT,
      all: 10 * FLOAT,
      weights: 24 * FLOAT,
    });
    const mlp = sampleSize(buildModel('mlp'));
    assert.equal(mlp?.largest, 784 * FLOAT);
    assert.ok(sampleSize(buildModel('resnet8')));
  });

  it('may see each other where the batch is mixed, fixed or met by a constant', () => {
    assert.equal(sizeOfOne('Softmax', ['N', 6], undefined, { axis: 0 }), undefined);
    assert.equal(sizeOfOne('Relu', [8, 6]), undefined);
    assert.equal(sizeOfOne('Add', ['N', 6], [1, 6]), undefined);
    assert.ok(sizeOfOne('Add', ['N', 6], [6]));
    assert.equal(sizeOfOne('Relu', ['N', 'L']), undefined); // its size is not known
  });

  it('are computed in equal parts that stay in the cache', () => {
    const size = { largest: (2.5 * 2 ** 20) / 10, all: 1e9, weights: 1 };
    assert.equal(partOf(128, size), 8); // ten fit; eight divides
    assert.equal(partOf(7, size), 7);
    assert.equal(partOf(13, size), 1);
    assert.equal(partOf(128, { ...size, largest: 2 ** 30 }), 1);
    assert.equal(partOf(128, { ...size, all: 1, weights: 1e6 }), 128); // weights would be read for every part
  });
});
