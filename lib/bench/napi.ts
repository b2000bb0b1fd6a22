// What a call from JavaScript costs beyond the native operation itself: the smallest product there is, called through
// the public API, against the same product called in C++ by faultline_bench.
import { performance } from 'node:perf_hooks';
import { matmulDynamic } from '../native/matmul.js';
import { packWeights } from '../native/packed_weights.js';
import { runNative } from './program.js';

// One panel of channels, one step of K: work of a few hundred nanoseconds.
const M = 1;
const N = 16;
const K = 16;
const CALLS = 2000; // half a millisecond or so
const ROUNDS = 41;
const WARM_UP_ROUNDS = 20; // until the compiler has optimized the loop

interface NapiOverhead {
  /** Medians, microseconds a call. */
  readonly javascriptUs: number;
  readonly nativeUs: number;
  readonly overheadUs: number;
  readonly shape: string;
}

async function nativeUs(signal: AbortSignal | undefined): Promise<number> {
  const lines = [`matmul.dynamic m=${M} n=${N} k=${K} threads=1`];
  for await (const message of runNative({ lines, ceilings: [], quick: true, signal })) {
    if (message.type === 'row' && message.impl === 'faultline') return message.medianUs;
  }
  throw new Error('bench napi: expected a native measurement, received none');
}

function javascriptUs(): number {
  const weights = packWeights(
    Float32Array.from({ length: N * K }, (_, i) => Math.sin(i)),
    [N, K],
  );
  const x = Float32Array.from({ length: M * K }, (_, i) => Math.cos(i));
  const options = { out: new Float32Array(M * N) };
  const rounds: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const begin = performance.now();
    for (let call = 0; call < CALLS; call++) matmulDynamic(x, weights, options);
    if (round >= WARM_UP_ROUNDS) rounds.push(((performance.now() - begin) * 1e3) / CALLS);
  }
  weights.dispose();
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}

export async function napiOverhead(signal?: AbortSignal): Promise<NapiOverhead> {
  const native = await nativeUs(signal);
  const javascript = javascriptUs();
  return {
    javascriptUs: javascript,
    nativeUs: native,
    overheadUs: Math.max(javascript - native, 0),
    shape: `${M}x${N}x${K}`,
  };
}
