// The batch rules of matrix products: shapes as numpy.matmul has them, and which matrices meet.
import assert from 'node:assert/strict';
import { columnValues, matrixShape, planMatmul, rowValues } from '../../../lib/native/onnx_matmul_plan.js';
import { onnxTensor } from '../../../lib/native/onnx_tensor.js';

const plan = (a: number[], b: number[]) => planMatmul('matMulInteger', ['A', 'B'], a, b);

describe('matrix products of batches', () => {
  it('have the shapes of numpy.matmul', () => {
    const cases: [number[], number[], number[]][] = [
      [
        [2, 3],
        [3, 4],
        [2, 4],
      ],
      [[3], [3, 4], [4]],
      [[2, 3], [3], [2]],
      [[3], [3], []],
      [
        [5, 2, 3],
        [3, 4],
        [5, 2, 4],
      ],
      [
        [5, 1, 2, 3],
        [6, 3, 4],
        [5, 6, 2, 4],
      ],
      [
        [0, 2, 3],
        [3, 4],
        [0, 2, 4],
      ],
    ];
    for (const [a, b, dims] of cases) assert.deepEqual(plan(a, b).dims, dims, `${a} by ${b}`);
  });

  it('take a batch of A by a single B as one tall A', () => {
    const { aBatches, m, k, n, bBatches } = plan([5, 2, 3], [3, 4]);
    assert.deepEqual([aBatches, m, k, n, bBatches], [1, 10, 3, 4, 1]);
  });

  it('name the matrices that meet, those with the same B together', () => {
    const { products } = plan([2, 1, 1, 3], [3, 3, 4]); // output batch [2, 3]
    const triples = Array.from({ length: 6 }, (_, i) => [...products.subarray(3 * i, 3 * i + 3)]);
    const expected = [0, 1, 2].flatMap((b) => [0, 1].map((a) => [a * 3 + b, a, b]));
    assert.deepEqual(triples, expected);
  });

  it('spread parameters of rows and columns over the batch', () => {
    const shape = matrixShape([2, 3, 4], 'row');
    const int8 = (dims: number[], values: number[]) => onnxTensor('int8', dims, Int8Array.from(values));
    assert.deepEqual(rowValues('f', 'z', int8([3], [1, 2, 3]), shape), [1, 2, 3, 1, 2, 3]);
    assert.deepEqual([...(columnValues('f', 'z', int8([], [7]), shape) as Int8Array)], [7]);
    assert.deepEqual(columnValues('f', 'z', int8([4], [1, 2, 3, 4]), shape), [1, 2, 3, 4, 1, 2, 3, 4]);
    assert.throws(
      () => rowValues('f', 'z', int8([4], [1, 2, 3, 4]), shape),
      /f: z: expected a scalar, \[3\] or \[2,3,1\]/,
    );
  });

  it('are refused where they do not fit', () => {
    assert.throws(() => plan([2, 3], [4, 3]), /B: expected K = 3 rows, the columns of A \[2,3\], received \[4,3\]/);
    assert.throws(() => plan([2, 0], [0, 3]), /B: expected K of at least 1/);
    assert.throws(() => plan([2, 2, 3], [3, 3, 4]), /a batch that broadcasts with A \[2,2,3\]/);
    assert.throws(() => plan([], [3]), /A: expected at least one dimension, received a scalar/);
  });
});
