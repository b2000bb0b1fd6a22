// Limits: what an error says, and that the environment raises them.
import assert from 'node:assert/strict';
import { LimitError, limitOf, requireWithin } from '../../../lib/core/limits.js';

describe('limits', () => {
  afterEach(() => {
    delete process.env.FAULTLINE_MAX_CLASSES;
  });

  it('names what was exceeded and the variable that raises it', () => {
    requireWithin('classes', 'labels.npy', limitOf('classes'));
    for (const received of [limitOf('classes') + 1, Number.NaN, Infinity]) {
      assert.throws(
        () => requireWithin('classes', 'labels.npy', received),
        (error: unknown) =>
          error instanceof LimitError &&
          error.message ===
            `labels.npy: expected at most 1048576 classes (FAULTLINE_MAX_CLASSES raises it), received ${received}`,
      );
    }
  });

  it('takes a variable that is a positive integer', () => {
    for (const [text, expected] of [
      ['5', 5],
      ['0', 2 ** 20],
      ['many', 2 ** 20],
    ] as const) {
      process.env.FAULTLINE_MAX_CLASSES = text;
      assert.equal(limitOf('classes'), expected);
    }
  });
});
