// The number of threads: set, restored, and one where help does not pay.
import assert from 'node:assert/strict';
import { onOneThread, setThreads, threads } from '../../../lib/native/threads.js';

describe('threads', () => {
  it('are as many as set; 0 restores the default', () => {
    const before = threads();
    setThreads(3);
    assert.equal(threads(), 3);
    setThreads(0);
    const usual = threads();
    assert.ok(usual >= 1);
    setThreads(before);
  });

  it('onOneThread has one, and gives the others back, after an error too', () => {
    const before = threads();
    setThreads(2);
    assert.deepEqual([onOneThread(threads), threads()], [1, 2]);
    assert.throws(() =>
      onOneThread(() => {
        throw new Error('stop');
      }),
    );
    assert.equal(threads(), 2);
    setThreads(before);
  });

  it('refuse counts that are none', () => {
    for (const count of [-1, 1.5, Number.NaN, 2 ** 31]) {
      assert.throws(() => setThreads(count), /setThreads: count: expected an integer from 0 to \d+, received/);
    }
  });
});
