// The number of threads: set, restored, and one where help does not pay.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
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

  it('are few where OMP_NUM_THREADS is absurd, and the usual where it is no number', () => {
    const script = `import { inspect } from '${new URL('../../../lib/native/inspect.js', import.meta.url)}';
      const { used, affinity } = inspect().threads; console.log(JSON.stringify([used, affinity]));`;
    for (const value of ['1000000000', '99999999999999999999', 'garbage', '-5', '']) {
      const env = { ...process.env, OMP_NUM_THREADS: value };
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
      const [used, affinity] = JSON.parse(stdout) as [number, number];
      assert.ok(used >= 1 && used <= Math.max(64, 2 * cpus().length), `${value}: ${used}`);
      if (!/^\d+$/.test(value)) assert.ok(used <= affinity, `${value}: ${used}`);
    }
  });

  it('refuse counts that are none', () => {
    for (const count of [-1, 1.5, Number.NaN, 2 ** 31]) {
      assert.throws(() => setThreads(count), /setThreads: count: expected an integer from 0 to \d+, received/);
    }
  });
});
