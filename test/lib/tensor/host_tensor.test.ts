// Tensors on the host: data that fit their type and shape.
import assert from 'node:assert/strict';
import { floats, formatDims, hostTensor, integers, MAX_RANK, zeros } from '../../../lib/tensor/host_tensor.js';

describe('host tensors', () => {
  it('have the array of their type', () => {
    assert.deepEqual(floats([2], [1, 0.1]).data, Float32Array.of(1, 0.1));
    assert.deepEqual(integers([3, -1]), { dtype: 'int64', dims: [2], data: BigInt64Array.of(3n, -1n) });
    assert.deepEqual(zeros('bool', [2, 0, 3]), { dtype: 'bool', dims: [2, 0, 3], data: new Uint8Array(0) });
    assert.deepEqual(zeros('string', [2]).data, ['', '']);
    assert.equal(floats([], [5]).data.length, 1);
    assert.equal(formatDims(['N', 3, 4]), '[N,3,4]');
  });

  it('refuse other lengths, types and shapes', () => {
    assert.throws(() => floats([2, 3], [1, 2]), /data: expected 6 elements for shape \[2,3\], received 2/);
    assert.throws(() => hostTensor('int8', [1], new Uint8Array(1) as never), /data: expected an array of int8/);
    for (const dims of [[-1], [1.5], new Array<number>(MAX_RANK + 1).fill(1)]) {
      assert.throws(() => floats(dims, [1]), /dims: expected at most 64 integers ≥ 0/);
    }
  });
});
