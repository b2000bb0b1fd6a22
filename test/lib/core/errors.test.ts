// Errors of refused arguments: their one form, and how values are described.
import assert from 'node:assert/strict';
import { describe as describeValue, InvalidArgumentError, requireInteger } from '../../../lib/core/errors.js';

describe('errors', () => {
  it('say operation, argument, what was expected and what was received', () => {
    const error = new InvalidArgumentError('conv2d', 'x', '3 channels', '4');
    assert.equal(error.message, 'conv2d: x: expected 3 channels, received 4');
    assert.equal(error.code, 'ERR_FAULTLINE_INVALID_ARGUMENT');
    assert.ok(error instanceof TypeError);
  });

  it('describe values shortly', () => {
    const cases: [unknown, string][] = [
      [undefined, 'undefined'],
      [null, 'null'],
      [Number.NaN, 'NaN'],
      [true, 'true'],
      [new Int8Array(3), 'Int8Array(3)'],
      ['a"b', '"a\\"b"'],
      ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
      [[1], 'Array'],
      [{}, 'Object'],
      [Object.create(null), 'object'],
      [() => 1, 'function'],
      [1n, 'bigint'],
    ];
    for (const [value, description] of cases) assert.equal(describeValue(value), description);
  });

  it('requireInteger takes both ends and nothing beside them', () => {
    for (const value of [2, 5, 8]) requireInteger('f', 'bits', value, 2, 8);
    for (const value of [1, 9, 2.5, Number.NaN, '4', undefined]) {
      assert.throws(
        () => requireInteger('f', 'bits', value, 2, 8),
        /^InvalidArgumentError: f: bits: expected an integer/,
      );
    }
  });
});
