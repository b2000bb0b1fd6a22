// Native memory and threads: nothing grows with the number of calls, and workers compute what the main thread computes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { conv2dDynamic, packConvWeights } from '../../../lib/native/conv2d.js';
import { matmulDynamic } from '../../../lib/native/matmul.js';
import { packWeights } from '../../../lib/native/packed_weights.js';

const MIB = 2 ** 20;

/** Deterministic values in [-1, 1). */
function values(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** How much the resident memory grows over `rounds` of work, in MiB, once `warmUp` rounds have filled every pool. */
function growth(work: () => void, warmUp: number, rounds: number): number {
  for (let i = 0; i < warmUp; i++) work();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < rounds; i++) work();
  return (process.memoryUsage.rss() - before) / MIB;
}

// The allocator and V8 may keep some pages; a leak of the smallest thing tested, over the rounds, is a multiple of this.
const ALLOWED_GROWTH_MIB = 48;

describe('native memory', () => {
  it('does not grow over thousands of calls', () => {
    const weights = packWeights(values(64 * 256, 1), [64, 256], { bits: 4 });
    const x = values(32 * 256, 2);
    const out = new Float32Array(32 * 64);
    const kernel = packConvWeights(values(16 * 9 * 8, 3), [16, 3, 3, 8]);
    const image = values(12 * 12 * 8, 4);
    // 8 KiB of output, 32 KiB of codes and 45 KiB of image a round: any of them kept is more than 100 MiB.
    const mib = growth(
      () => {
        matmulDynamic(x, weights, { out });
        conv2dDynamic(image, [1, 12, 12, 8], kernel);
      },
      500,
      5000,
    );
    assert.ok(mib < ALLOWED_GROWTH_MIB, `grew by ${mib.toFixed(1)} MiB`);
  });

  it('is given back by dispose(), without waiting for the garbage collector', () => {
    const w = values(256 * 1024, 5);
    // 256 KiB of codes a round: 150 MiB in all, held by handles that nothing has collected yet.
    const mib = growth(() => packWeights(w, [256, 1024]).dispose(), 100, 600);
    assert.ok(mib < ALLOWED_GROWTH_MIB, `grew by ${mib.toFixed(1)} MiB`);
  });

  it('is given back by the garbage collector, which knows how much there is', async () => {
    const w = values(256 * 1024, 6);
    // Nothing is disposed: V8 must collect because the addon reports the memory outside its heap. Node runs
    // finalizers between turns of the event loop, so there must be some.
    let peak = 0;
    const start = process.memoryUsage.rss();
    for (let i = 0; i < 1500; i++) {
      packWeights(w, [256, 1024]);
      if (i % 50 !== 0) continue;
      await setImmediate();
      peak = Math.max(peak, process.memoryUsage.rss() - start);
    }
    // All 1500 would be 375 MiB.
    assert.ok(peak / MIB < 200, `the peak was ${(peak / MIB).toFixed(1)} MiB above the start`);
  });

  it('is not freed twice, nor used after dispose()', () => {
    const weights = packWeights(values(64, 7), [4, 16]);
    weights.dispose();
    weights.dispose();
    assert.equal(weights.bytes, 0);
    assert.throws(() => matmulDynamic(values(16, 8), weights), /disposed/);
  });
});

// What a worker and the main thread both run; text, because a worker starts from a separate module.
const PROGRAM = `
  const { createHash } = await import('node:crypto');
  const { matmulDynamic, conv2dDynamic, packWeights, packConvWeights } = await import(${JSON.stringify(
    new URL('../../../lib/index.js', import.meta.url).href,
  )});
  ${values.toString()}
  ${hashOfWork.toString()}
  const { parentPort } = await import('node:worker_threads');
  parentPort.postMessage(hashOfWork({ createHash, matmulDynamic, conv2dDynamic, packWeights, packConvWeights }));
`;

interface Tools {
  createHash: typeof createHash;
  matmulDynamic: typeof matmulDynamic;
  conv2dDynamic: typeof conv2dDynamic;
  packWeights: typeof packWeights;
  packConvWeights: typeof packConvWeights;
}

/** A hash over many products and convolutions, large enough that several threads share each. */
function hashOfWork(tools: Tools): string {
  const hash = tools.createHash('sha256');
  for (let round = 0; round < 20; round++) {
    const weights = tools.packWeights(values(160 * 300, round), [160, 300], { bits: round % 2 ? 8 : 4 });
    const y = tools.matmulDynamic(values(200 * 300, round + 1), weights);
    hash.update(new Uint8Array(y.buffer));
    const kernel = tools.packConvWeights(values(32 * 9 * 16, round), [32, 3, 3, 16]);
    const z = tools.conv2dDynamic(values(28 * 28 * 16, round), [1, 28, 28, 16], kernel, { padding: [1, 1, 1, 1] });
    hash.update(new Uint8Array(z.buffer));
  }
  return hash.digest('hex');
}

function runInWorker(): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`));
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

describe('worker_threads', () => {
  it('two workers at once, beside the main thread, compute the same bits', async () => {
    const workers = Promise.all([runInWorker(), runInWorker()]);
    const tools = { createHash, matmulDynamic, conv2dDynamic, packWeights, packConvWeights };
    const here = hashOfWork(tools);
    assert.deepEqual(await workers, [here, here]);
  });

  it('workers come and go without harm', async () => {
    const expected = await runInWorker();
    for (let i = 0; i < 4; i++) assert.equal(await runInWorker(), expected);
  });
});
