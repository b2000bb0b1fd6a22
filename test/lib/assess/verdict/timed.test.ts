// Units of work that time may end: what is found in time is kept by the store, what is cut short is returned and not kept.
import assert from 'node:assert/strict';
import { measuring, timed } from '../../../../lib/assess/verdict/timed.js';

describe('timed', () => {
  const kept = new Map<string, unknown>();
  const store = {
    async stage<Result>(name: string, compute: () => Promise<Result>): Promise<Result> {
      if (!kept.has(name)) kept.set(name, await compute());
      return kept.get(name) as Result;
    },
  };
  const deadline = AbortSignal.abort(new Error('time is up'));

  it('computes once and keeps the result, which is there when time is up', async () => {
    const first = await timed({ store }, 'a', async () => 1);
    const again = await timed({ store, deadline }, 'a', async () => 2);
    assert.deepEqual([first.value, first.timeUp, again.value, again.timeUp], [1, false, 1, false]);
    assert.ok(first.seconds >= 0);
  });

  it('returns that time was up, and does not start', async () => {
    const { value, timeUp } = await timed({ store, deadline }, 'b', async () => assert.fail('started'));
    assert.deepEqual([value, timeUp, kept.has('b')], [undefined, true, false]);
  });

  it('returns what is not whole, and does not keep it', async () => {
    const time = new AbortController();
    const compute = async () => {
      time.abort();
      return { cut: true };
    };
    const { value, timeUp } = await timed({ store, deadline: time.signal }, 'c', compute, ({ cut }) => !cut);
    assert.deepEqual([value, timeUp, kept.has('c')], [{ cut: true }, true, false]);
  });

  it('throws errors, and the reason of a signal', async () => {
    const fails = async () => assert.fail('broken');
    await assert.rejects(timed({}, 'd', fails), /broken/);
    await assert.rejects(timed({ signal: AbortSignal.abort(new Error('called off')) }, 'd', fails), /called off/);
  });

  it('names the stage in its progress, and ends by either signal', () => {
    const seen: unknown[] = [];
    const { signal, onProgress } = measuring({ deadline, onProgress: (progress) => seen.push(progress) }, 'e');
    onProgress?.(1, 2);
    assert.deepEqual(seen, [{ stage: 'e', done: 1, total: 2 }]);
    assert.equal(signal?.aborted, true);
    assert.equal(measuring({}, 'e').signal, undefined);
  });
});
