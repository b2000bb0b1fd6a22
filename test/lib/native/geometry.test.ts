// Lengths of outputs against a count of windows, and the numbers that native operations read.
import assert from 'node:assert/strict';
import { GEOMETRY_FIELD } from '../../../lib/native/codes.js';
import { geometryNumbers, windowOutputs } from '../../../lib/native/geometry.js';

describe('geometry', () => {
  it('has as many outputs as windows fit', () => {
    for (let size = 1; size <= 9; size++) {
      for (const kernel of [1, 2, 3, 5]) {
        for (const stride of [1, 2, 3]) {
          for (const dilation of [1, 2]) {
            for (const pads of [0, 1, 4]) {
              let count = 0;
              for (let at = 0; at + dilation * (kernel - 1) < size + pads; at += stride) count += 1;
              const outputs = windowOutputs(size, kernel, stride, dilation, pads);
              assert.equal(outputs, count, `${size} ${kernel} ${stride} ${dilation} ${pads}`);
            }
          }
        }
      }
    }
  });

  it('puts each number where C++ reads it', () => {
    const geometry = {
      image: [1, 2, 3, 4],
      strides: [5, 6],
      dilations: [7, 8],
      pads: [9, 10, 11, 12],
      kernel: [13, 14],
      outChannels: 15,
      groups: 16,
    } as const;
    const numbers = geometryNumbers(geometry);
    const at = (field: keyof typeof GEOMETRY_FIELD) => numbers[GEOMETRY_FIELD[field]];
    assert.deepEqual([at('n'), at('h'), at('w'), at('c')], [1, 2, 3, 4]);
    assert.deepEqual([at('strideH'), at('strideW'), at('dilationH'), at('dilationW')], [5, 6, 7, 8]);
    assert.deepEqual([at('padTop'), at('padLeft'), at('padBottom'), at('padRight')], [9, 10, 11, 12]);
    assert.deepEqual([at('kernelH'), at('kernelW'), at('outChannels'), at('groups')], [13, 14, 15, 16]);
    assert.equal(numbers.length, 16);
    const pool = geometryNumbers({ ...geometry, output: [17, 18] });
    assert.deepEqual([pool[GEOMETRY_FIELD.outH], pool[GEOMETRY_FIELD.outW]], [17, 18]);
  });
});
