// Shapes of inputs on the command line: several add up, what is no shape is refused.
import assert from 'node:assert/strict';
import { inputShape } from '../../../lib/cli/options.js';
import { InvalidArgumentError } from '../../../lib/core/errors.js';

describe('shapes of inputs', () => {
  it('are numbers, or names of what stays open; one input each time', () => {
    const one = inputShape('x=N,3,48,320');
    assert.deepEqual(one, { x: ['N', 3, 48, 320] });
    assert.deepEqual(inputShape('a=b=2', one), { ...one, 'a=b': [2] });
  });

  it('refuses what is none, naming the option', () => {
    for (const text of ['x', 'x=', '=1', 'x=1,,2', 'x=-1', 'x=1.5', `x=${2 ** 60}`, 'x=a b']) {
      assert.throws(
        () => inputShape(text),
        (error) => error instanceof InvalidArgumentError && error.argument === '--input',
        text,
      );
    }
  });
});
