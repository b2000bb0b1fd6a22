// What every contender of `bench model` gets: the same numbers, in the order its library keeps images in.
import { inputOf } from '../../assess/samples.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { sizeOf } from '../../core/shape.js';
import type { Graph } from '../../graph/graph.js';
import { Random } from '../../tensor/random.js';
import type { InputShape } from './contender.js';

export interface BenchInput {
  readonly name: string;
  /** [batch, …] */
  readonly dims: readonly number[];
  /** As `dims` says: images are channels-first. */
  readonly values: Float32Array;
}

/** The input of a network for a batch. Throws InvalidArgumentError where its file does not declare a size that fits. */
export function batchShape(graph: Graph, batch: number, seed: number): InputShape {
  const input = inputOf(graph);
  const [first, ...rest] = input.dims ?? [];
  if (first === undefined || !rest.every((dim) => typeof dim === 'number')) {
    const received = `${input.name}: [${(input.dims ?? []).join(', ')}]`;
    throw new InvalidArgumentError('bench model', 'model', 'an input of a declared size, but for the batch', received);
  }
  if (typeof first === 'number' && first !== batch) {
    throw new InvalidArgumentError('bench model', '--batch', `${first}, which the file declares`, String(batch));
  }
  return { name: input.name, dims: [batch, ...(rest as number[])], seed };
}

/** Normal numbers from the seed. */
export function benchInput({ name, dims, seed }: InputShape): BenchInput {
  const random = new Random(seed);
  return { name, dims, values: Float32Array.from({ length: sizeOf(dims) }, () => random.normal()) };
}

/** Images [n, c, h, w] → [n, h, w, c]. */
export function imagesToChannelsLast(values: Float32Array, dims: readonly number[]): Float32Array {
  const [n = 0, c = 0, h = 0, w = 0] = dims;
  const result = new Float32Array(values.length);
  const area = h * w;
  for (let image = 0; image < n; image++) {
    const start = image * c * area;
    for (let channel = 0; channel < c; channel++) {
      for (let at = 0; at < area; at++) {
        result[start + at * c + channel] = values[start + channel * area + at] as number;
      }
    }
  }
  return result;
}
