// 64-bit integers of messages, exactly.
import assert from 'node:assert/strict';
import { decodeModel, encodeModel } from '../../../../lib/graph/onnx/codec.js';
import { fromBigInt, toBigInt, toSafeInteger } from '../../../../lib/graph/onnx/messages.js';

describe('integers of messages', () => {
  it('pass through a file exactly', () => {
    for (const value of [0n, -1n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n]) {
      const model = decodeModel(encodeModel({ graph: {}, modelVersion: fromBigInt(value) }));
      assert.equal(toBigInt(model.modelVersion ?? 0), value);
    }
  });

  it('are read from words, signed or not', () => {
    assert.equal(toBigInt({ low: -1, high: -1, unsigned: false }), -1n);
    assert.equal(toBigInt({ low: -1, high: -1, unsigned: true }), 2n ** 64n - 1n);
    assert.equal(toBigInt({ low: 5, high: 1, unsigned: false }), 2n ** 32n + 5n);
  });

  it('are numbers up to 2^53, and none beyond', () => {
    assert.equal(toSafeInteger(fromBigInt(2n ** 53n - 1n)), 2 ** 53 - 1);
    assert.equal(toSafeInteger(fromBigInt(-(2n ** 53n) + 1n)), -(2 ** 53) + 1);
    assert.equal(toSafeInteger(fromBigInt(2n ** 53n)), undefined);
  });
});
