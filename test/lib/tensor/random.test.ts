// The seeded generator: known numbers, independent streams, exact resume, and the right distributions.
import assert from 'node:assert/strict';
import { Random } from '../../../lib/tensor/random.js';

/** Standard deviations that a mean may be off: six, so one test in 5·10^8 seeds would fail, and the seed is fixed. */
const SIGMAS = 6;

describe('Random', () => {
  it('is xoshiro128** 1.1: the published generator from the state 1, 2, 3, 4', () => {
    const random = Random.restore({ key: [0, 0, 0, 0], words: [1, 2, 3, 4], spare: null });
    assert.deepEqual(
      Array.from({ length: 5 }, () => random.uint32()),
      [11520, 0, 5927040, 70819200, 2031721883], // from the authors' C code
    );
  });

  it('gives the same numbers for the same seed and purpose, whatever was drawn before', () => {
    const first = new Random(5).split('weights');
    const parent = new Random(5);
    for (let i = 0; i < 100; i++) parent.uint32();
    assert.equal(parent.split('weights').uint32(), first.uint32());
  });

  it('gives other numbers for another seed, purpose or path', () => {
    const root = new Random(5);
    const streams = [
      new Random(6),
      new Random(5 + 2 ** 32),
      root.split('a'),
      root.split('b'),
      root.split('ab'),
      root.split('a').split('b'),
      root.split(''),
      root,
    ];
    assert.equal(new Set(streams.map((stream) => stream.uint32())).size, streams.length);
  });

  it('resumes exactly from a saved state, in the middle of a pair of normal numbers too', () => {
    const random = new Random(1).split('x');
    random.normal();
    const saved = JSON.parse(JSON.stringify(random.state()));
    const again = Random.restore(saved);
    for (let i = 0; i < 5; i++) assert.equal(again.normal(), random.normal());
    assert.equal(again.split('y').uint32(), random.split('y').uint32());
    assert.throws(() => Random.restore({ ...saved, words: [1, 2, 3] }), /Random\.restore: state: expected 4 words/);
  });

  it('draws uniform and normal numbers of the right mean and variance', () => {
    const random = new Random(2);
    const n = 200_000;
    const moments = (next: () => number, mean: number) => {
      let [sum, squares] = [0, 0];
      for (let i = 0; i < n; i++) {
        const value = next();
        sum += value;
        squares += (value - mean) ** 2;
      }
      return [sum / n, squares / n] as const;
    };
    const [uniformMean, uniformVariance] = moments(() => random.uniform(), 0.5);
    assert.ok(Math.abs(uniformMean - 0.5) < SIGMAS * Math.sqrt(1 / 12 / n));
    assert.ok(Math.abs(uniformVariance - 1 / 12) < SIGMAS * Math.sqrt(1 / 180 / n)); // variance of (u − ½)²
    const [normalMean, normalVariance] = moments(() => random.normal(), 0);
    assert.ok(Math.abs(normalMean) < SIGMAS / Math.sqrt(n));
    assert.ok(Math.abs(normalVariance - 1) < SIGMAS * Math.sqrt(2 / n));
  });

  it('draws every integer below a bound about equally often', () => {
    const random = new Random(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) {
      const value = random.integer(7);
      counts[value] = (counts[value] as number) + 1;
    }
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < SIGMAS * Math.sqrt(10_000 * (6 / 7)));
  });

  it('shuffles: every element once, in a random order', () => {
    const items = new Random(4).shuffle(Array.from({ length: 100 }, (_, i) => i));
    assert.notDeepEqual(
      items,
      [...items].sort((a, b) => a - b),
    );
    assert.deepEqual(
      [...items].sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  it('refuses seeds and bounds that are none', () => {
    assert.throws(() => new Random(-1), /Random: seed: expected an integer from 0/);
    assert.throws(() => new Random(1).integer(0), /Random\.integer: bound/);
  });
});
