// Parts of stages: computed once however often a stage is begun, to the bit, and never another's.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { forgetParts, keeping, keepingParts, keepPart, loopFolder, withoutParts } from '../../../lib/run/parts.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('parts of a stage', () => {
  const path = temporaryFolder();
  const { everyMs } = keeping;
  let computed: string[] = [];
  beforeEach(() => {
    keeping.everyMs = 0;
    computed = [];
  });
  afterEach(() => {
    keeping.everyMs = everyMs;
  });

  const part = (name: string, value: unknown = name) =>
    keepPart(name, async () => {
      computed.push(name);
      return value;
    });

  /** Three parts, the second of parts; stopped after `most` were computed. */
  const stage = (run: string, most = Number.POSITIVE_INFINITY) =>
    keepingParts(path(run), 'seed-0/stage', async () => {
      const stop = () => {
        if (computed.length >= most) throw new Error('stopped');
      };
      const found = [await part('a', 1)];
      stop();
      const inner = async () => {
        const both = [await part('inner', 2)];
        stop();
        return [...both, await part('inner', 3)];
      };
      found.push(...(await keepPart('outer', inner)));
      stop();
      found.push(await part('a', 4));
      return found;
    });

  it('are computed once, wherever it was stopped', async () => {
    for (const most of [1, 2, 3]) {
      computed = [];
      const run = `stopped-${most}`;
      await assert.rejects(stage(run, most), /stopped/);
      assert.deepEqual(await stage(run), [1, 2, 3, 4]);
      assert.deepEqual(computed, ['a', 'inner', 'inner', 'a']);
      await forgetParts(path(run), 'seed-0/stage');
      assert.equal(existsSync(path(run, 'partial')), false);
    }
  });

  it('come back to the bit', async () => {
    const values = {
      numbers: [0.1 + 0.2, -0, Number.NaN, Number.NEGATIVE_INFINITY, Number.MIN_VALUE],
      floats: Float32Array.of(Math.PI, -0, Number.NaN),
      classes: Int32Array.of(-1, 2 ** 31 - 1),
      nested: [{ bytes: Uint8Array.of(1, 2) }, null, 'text\n'],
    };
    const work = () => keepingParts(path('bits'), 'stage', () => part('values', values));
    const first = await work();
    assert.deepEqual(first, values);
    assert.deepEqual(await work(), first);
    assert.equal(computed.length, 1);
  });

  it('are computed again where their line was cut or changed', async () => {
    const work = () =>
      keepingParts(path('cut'), 'stage', async () => [await part('a'), await part('b'), await part('c')]);
    await work();
    const file = path('cut', 'partial', 'stage', 'parts.jsonl');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    writeFileSync(file, `${lines[0]}\n${lines[1]?.replace('"b"]', '"x"]')}\n${lines[2]?.slice(0, -3)}`);
    computed = [];
    assert.deepEqual(await work(), ['a', 'b', 'c']);
    assert.deepEqual(computed, ['b', 'c']);
    appendFileSync(file, 'garbage');
    computed = [];
    await work();
    assert.deepEqual(computed, []);
  });

  it('are not written by a short stage, and not kept outside of one or in a loop with states', async () => {
    keeping.everyMs = 1e9;
    await keepingParts(path('short'), 'stage', () => part('a'));
    assert.equal(existsSync(path('short')), false);
    keeping.everyMs = 0;
    assert.equal(await part('a'), 'a');
    assert.equal(loopFolder('train'), undefined);
    await keepingParts(path('loop'), 'stage', async () => {
      assert.equal(loopFolder('train'), path('loop', 'partial', 'stage', 'train-0'));
      assert.equal(loopFolder('train'), path('loop', 'partial', 'stage', 'train-1'));
      await withoutParts(() => part('a'));
    });
    assert.equal(existsSync(path('loop')), false);
  });
});
