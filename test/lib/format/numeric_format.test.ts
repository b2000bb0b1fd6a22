// Number formats: found by their bits.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { float32, formatOfAtMost, integerFormat, NUMERIC_FORMATS } from '../../../lib/format/numeric_format.js';

describe('number formats', () => {
  it('integers of 2 to 8 bits and float32, which counts 16, each with its bits', () => {
    assert.deepEqual(
      NUMERIC_FORMATS.map(({ name }) => name),
      ['int2', 'int3', 'int4', 'int5', 'int6', 'int7', 'int8', 'float32'],
    );
    assert.equal(new Set(NUMERIC_FORMATS.map(({ bits }) => bits)).size, NUMERIC_FORMATS.length);
    for (const format of NUMERIC_FORMATS.filter(({ kind }) => kind === 'integer')) {
      assert.equal(integerFormat(format.bits), format);
      assert.equal(format.name, `int${format.bits}`);
    }
    for (const bits of [1, 9, 16, 4.5]) assert.throws(() => integerFormat(bits), InvalidArgumentError);
  });

  it('the one of at most so many bits', () => {
    assert.equal(formatOfAtMost(4.9), integerFormat(4));
    assert.equal(formatOfAtMost(12), integerFormat(8));
    assert.equal(formatOfAtMost(16), float32);
    assert.throws(() => formatOfAtMost(1.5), InvalidArgumentError);
  });
});
