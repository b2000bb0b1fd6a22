// Range clipping: what enters a product is held in a narrower range than it has, so that its step is finer, at the price
// of its largest values. By percentile, or where the squared error of quantizing is least (the search over thresholds of
// Sung et al., arXiv 1511.06488). The answer to heavy tails.

import { setImmediate } from 'node:timers/promises';
import { Tape } from '../../autograd/tape.js';
import { sizePerSample } from '../../graph/dims.js';
import type { Graph } from '../../graph/graph.js';
import { inferShapes } from '../../graph/infer.js';
import { Parameters } from '../../graph/parameters.js';
import { clipValues, type ValueRange } from '../../graph/passes/clip_values.js';
import { prepare } from '../../graph/prepare.js';
import { productsOf } from '../../graph/product.js';
import type { Policy } from '../../policy/policy.js';
import { float } from '../../runtime/backends/float.js';
import { compile } from '../../runtime/program.js';
import { Memory } from '../../tensor/memory.js';
import { inputOf, type Samples } from '../samples.js';
import { type Cure, staticPolicy } from './cure.js';

/** Tails are estimated from values, of which every image has thousands. */
const IMAGES = 128;
const BATCH = 32;
/** Values held at once: 256 MB. */
const MOST_ELEMENTS = 2 ** 26;
/** Parts of the values that stay inside; 1 leaves the range as it is. */
const SHARES = [1, 0.9999, 0.9995, 0.999, 0.995, 0.99, 0.98] as const;
/** What `clip percentile` keeps: one value in a thousand is cut. */
const DEFAULT_SHARE = 0.999;

/** The values of one product's input: samples one after another. */
interface Activations {
  readonly bits: number;
  readonly rows: Float32Array[];
}

/** What enters each product in full precision, by value name. */
async function activations(
  graph: Graph,
  samples: Samples,
  policy: Policy,
  signal: AbortSignal | undefined,
): Promise<Map<string, Activations>> {
  const result = new Map<string, Activations>();
  for (const [{ name }, { activation: value }] of productsOf(graph)) {
    const schemeBits = policy.schemes.get(name)?.activations.format.bits;
    // Where two nodes read a value, the coarser of the two needs the range more.
    const bits = Math.min(schemeBits ?? Number.POSITIVE_INFINITY, result.get(value)?.bits ?? Number.POSITIVE_INFINITY);
    if (schemeBits !== undefined) result.set(value, { bits, rows: [] });
  }
  const input = inputOf(graph).name;
  const inside = [...result.keys()].filter((name) => name !== input);
  const [program, parameters, memory] = [
    compile(graph, float(), { keep: inside }),
    new Parameters(graph),
    new Memory(),
  ];
  for (const { inputs, dims, layout, count } of samples.batches(BATCH)) {
    signal?.throwIfAborted();
    const tape = new Tape({ memory, training: false, record: false });
    const found = program.run({ [input]: tape.constant(inputs, dims, layout ?? 'rows') }, { tape, parameters });
    for (const [name, { rows }] of result) {
      const data = name === input ? inputs : (found.get(name)?.data as Float32Array);
      const size = data.length / count;
      for (let i = 0; i < count; i++) rows.push(data.slice(i * size, (i + 1) * size));
    }
    memory.reset();
    await setImmediate();
  }
  return result;
}

/** Bounds between which this part of the values lies: as many are cut below as above, but none that is exactly 0. */
export function centralRange(sorted: Float32Array, share: number): ValueRange {
  const last = sorted.length - 1;
  const cut = (1 - share) * last;
  const [least, most] = [sorted[0] as number, sorted[last] as number];
  // One-sided values, behind a ReLU, have one tail.
  if (least >= 0) return [least, sorted[Math.floor(last - cut)] as number];
  if (most <= 0) return [sorted[Math.ceil(cut)] as number, most];
  return [sorted[Math.ceil(cut / 2)] as number, sorted[Math.floor(last - cut / 2)] as number];
}

/** Σ (x̂ − x)² where x̂ is x clipped to a range, then quantized over the range of its sample, 0 included. */
export function clippedError({ bits, rows }: Activations, [low, high]: ValueRange): number {
  const levels = 2 ** bits - 1;
  let sum = 0;
  for (const row of rows) {
    let [least, most] = [0, 0];
    for (let i = 0; i < row.length; i++) {
      const value = Math.min(high, Math.max(low, row[i] as number));
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const scale = (most - least) / levels || 1;
    const zero = Math.round(-least / scale);
    for (let i = 0; i < row.length; i++) {
      const value = Math.min(high, Math.max(low, row[i] as number));
      const code = Math.min(levels, Math.max(0, Math.round(value / scale) + zero));
      const error = (code - zero) * scale - (row[i] as number);
      sum += error * error;
    }
  }
  return sum;
}

/** The range of each value that is better held, by its name. */
async function rangesOf(
  found: ReadonlyMap<string, Activations>,
  how: 'percentile' | 'mse',
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((done: number, total: number) => void) | undefined },
): Promise<Map<string, ValueRange>> {
  const ranges = new Map<string, ValueRange>();
  let done = 0;
  for (const [name, value] of found) {
    signal?.throwIfAborted();
    const all = new Float32Array(value.rows.reduce((sum, row) => sum + row.length, 0));
    let at = 0;
    for (const row of value.rows) {
      all.set(row, at);
      at += row.length;
    }
    all.sort();
    const shares = how === 'percentile' ? [DEFAULT_SHARE] : SHARES;
    const tried = shares.map((share) => centralRange(all, share));
    const errors = tried.map((range) => (how === 'percentile' ? 0 : clippedError(value, range)));
    const best = errors.reduce((least, error, i) => (error < (errors[least] as number) ? i : least), 0);
    const [low, high] = tried[best] as ValueRange;
    if (high > low && (low > (all[0] as number) || high < (all.at(-1) as number))) ranges.set(name, [low, high]);
    done += 1;
    onProgress?.(done, found.size);
    await setImmediate();
  }
  return ranges;
}

export function clipping(how: 'percentile' | 'mse'): Cure {
  return {
    name: how === 'mse' ? 'clip MSE' : 'clip percentile',
    scene: 'clean',
    async apply(candidate, { samples }, options) {
      const policy = staticPolicy(candidate);
      if (!policy) return { reason: 'an agent chooses the bits of each input' };
      const graph = prepare(candidate.graph);
      const types = inferShapes(graph);
      const entering = productsOf(graph).map(([, { activation }]) => sizePerSample(types.get(activation)?.dims ?? []));
      const affordable = Math.max(1, Math.floor(MOST_ELEMENTS / entering.reduce((sum, size) => sum + size, 1)));
      const count = Math.min(IMAGES, samples.count, affordable);
      const part = samples.take(Int32Array.from({ length: count }, (_, i) => i));
      const found = await activations(graph, part, policy, options.signal);
      const ranges = await rangesOf(found, how, options);
      if (ranges.size === 0) return { reason: 'no range is better narrower' };
      const what = `${ranges.size} of ${found.size} activations held in a narrower range`;
      return { candidate: { graph: clipValues(graph, ranges).graph, policy }, what };
    },
  };
}
