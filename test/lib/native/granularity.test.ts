// Granularities as numbers of the addon: which elements share parameters, by walking a view as C++ documents it.
import assert from 'node:assert/strict';
import {
  type Granularity,
  perChannel,
  perGroup,
  perOutputChannel,
  perSample,
  perTensor,
  perToken,
} from '../../../lib/format/granularity.js';
import { SCALE_PER_CHANNEL, SCALE_PER_TENSOR } from '../../../lib/native/codes.js';
import { layOut, sharesRange, weightBlock } from '../../../lib/native/granularity.js';
import { chooseQParams } from '../../../lib/native/quantize.js';
import { Random } from '../../../lib/tensor/random.js';

describe('granularity: native views', () => {
  it('find the elements that share a scale', () => {
    const shape = [2, 3, 4];
    const random = new Random(3);
    const x = Float32Array.from({ length: 24 }, () => random.uniform(0, 1));
    /** The place of an element's scale. */
    const owners: [Granularity, number, (n: number, c: number, i: number) => number][] = [
      [perTensor, 1, () => 0],
      [perSample, 2, (n) => n],
      [perChannel(1), 3, (_, c) => c],
      [perChannel(-1), 4, (_, __, i) => i],
      [perToken, 6, (n, c) => n * 3 + c],
      [perGroup(3), 12, (n, c, i) => (n * 3 + c) * 2 + (i < 3 ? 0 : 1)],
    ];
    for (const [granularity, count, owner] of owners) {
      const most = new Float32Array(count);
      x.forEach((value, at) => {
        const own = owner(Math.floor(at / 12), Math.floor(at / 4) % 3, at % 4);
        most[own] = Math.max(most[own] as number, value);
      });
      const { scale } = chooseQParams(x, shape, { granularity });
      // Ranges begin at the included zero: scale = largest / 255.
      assert.deepEqual(
        scale,
        most.map((value) => value / 255),
        granularity.kind,
      );
      assert.equal(
        layOut('f', shape, granularity).scaleShape.reduce((p, d) => p * d, 1),
        count,
      );
    }
  });

  it('are numbers for weights, and refused for what weights cannot have', () => {
    assert.equal(weightBlock('f', perTensor), SCALE_PER_TENSOR);
    assert.equal(weightBlock('f', perOutputChannel), SCALE_PER_CHANNEL);
    assert.equal(weightBlock('f', perGroup(64)), 64);
    for (const other of [perChannel(1), perToken, undefined as unknown as Granularity]) {
      assert.throws(() => weightBlock('f', other), /^InvalidArgumentError: f: granularity: expected perChannel\(0\)/);
    }
  });

  it('share a range of activations or not', () => {
    assert.equal(sharesRange('f', perTensor, 'row'), true);
    assert.equal(sharesRange('f', perSample, 'sample'), false);
    assert.equal(sharesRange('f', perToken, 'row'), false);
    assert.throws(() => sharesRange('f', perToken, 'sample'), /range of activations: expected perSample or perTensor/);
    assert.throws(() => sharesRange('f', perGroup(4), 'row'), /range of activations/);
  });
});
