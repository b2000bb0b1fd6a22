// A guard against values far outside what a network saw: its input, or every input of a product, held in the range that
// calibration images have. A dynamic range can then not be taken over by one bright pixel. Nothing is retrained, no label
// is needed, and images within the range give the same result to the last bit.
//
// It cannot help where the range is not the cause: learned failures, corruptions that stay in range.

import { setImmediate } from 'node:timers/promises';
import { Tape } from '../../autograd/tape.js';
import { InvalidArgumentError } from '../../core/errors.js';
import type { Graph } from '../../graph/graph.js';
import { Parameters } from '../../graph/parameters.js';
import { clipValues, type ValueRange } from '../../graph/passes/clip_values.js';
import { prepare } from '../../graph/prepare.js';
import { productsOf } from '../../graph/product.js';
import { float } from '../../runtime/backends/float.js';
import { compile } from '../../runtime/program.js';
import { Memory } from '../../tensor/memory.js';
import { inputOf, type Samples } from '../samples.js';

/** Where values are held, and how tightly. */
export interface RangeGuardOptions {
  /** Hold the network's input (default), or also what enters each Conv, Gemm and MatMul. */
  readonly where?: 'input' | 'products' | undefined;
  /** Part of the width of the range that is added at both ends. Default 0. */
  readonly margin?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Samples done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A guarded network. */
export interface RangeGuard {
  /** The network with Clip nodes. */
  readonly graph: Graph;
  /** What each value is held in. */
  readonly ranges: ReadonlyMap<string, ValueRange>;
}

const DEFAULT_BATCH = 250;

/** Values to hold: the input and, for `products`, what enters each. */
function guarded(graph: Graph, where: 'input' | 'products'): string[] {
  const entering = where === 'products' ? productsOf(prepare(graph)).map(([, { activation }]) => activation) : [];
  return [...new Set([inputOf(graph).name, ...entering])];
}

/**
 * The network with its values held in the ranges that they have in full precision on `samples`. Throws
 * InvalidArgumentError or GraphError for what does not fit; the signal's reason when called off.
 */
export async function guardRanges(
  graph: Graph,
  samples: Samples,
  options: RangeGuardOptions = {},
): Promise<RangeGuard> {
  const { where = 'input', margin = 0, batchSize = DEFAULT_BATCH, signal, onProgress } = options;
  if (!(margin >= 0 && Number.isFinite(margin))) {
    throw new InvalidArgumentError('guardRanges', 'margin', 'a number ≥ 0', String(margin));
  }
  const values = guarded(graph, where);
  const input = inputOf(graph).name;
  const inside = values.filter((name) => name !== input);
  const [program, parameters] = [compile(graph, float(), { keep: inside }), new Parameters(graph)];
  const memory = new Memory();
  const found = new Map<string, [number, number]>();
  for (const { inputs, dims, layout, start, count } of samples.batches(batchSize)) {
    signal?.throwIfAborted();
    widen(found, input, inputs);
    if (inside.length > 0) {
      const tape = new Tape({ memory, training: false, record: false });
      const results = program.run({ [input]: tape.constant(inputs, dims, layout ?? 'rows') }, { tape, parameters });
      for (const name of inside) widen(found, name, results.get(name)?.data ?? new Float32Array(0));
      memory.reset();
    }
    onProgress?.(start + count, samples.count);
    await setImmediate();
  }
  const ranges = new Map<string, ValueRange>();
  for (const [name, [low, high]] of found) {
    const more = margin * (high - low);
    ranges.set(name, [low - more, high + more]);
  }
  return { graph: clipValues(graph, ranges).graph, ranges };
}

function widen(ranges: Map<string, [number, number]>, name: string, values: Float32Array): void {
  let [low, high] = ranges.get(name) ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  ranges.set(name, [low, high]);
}
