// Rescales channel groups, the function unchanged: constants that make a channel are multiplied, those that read
// it divided. With powers of two nothing is rounded, so that full precision stays equal to the last bit.
import type { HostTensor } from '../../tensor/host_tensor.js';
import type { Graph } from '../graph.js';
import type { Parameters } from '../parameters.js';
import { type ChannelGroups, checkScales, type GroupedConstant } from './groups.js';

/** Elements from `start` to `end` of a constant lie in one channel made and one channel read; −1: of no group. */
type Visit = (start: number, end: number, made: number, read: number) => void;

/** Walks the elements of a constant in stretches that share their groups. */
export function visitGroups({ dims, made, read }: GroupedConstant, visit: Visit): void {
  const strideOf = (axis: number) => dims.slice(axis + 1).reduce((size, dim) => size * dim, 1);
  const total = strideOf(-1);
  const run = Math.min(...[made, read].flatMap((grouped) => (grouped ? [strideOf(grouped.axis)] : [])));
  const [madeStride, readStride] = [made ? strideOf(made.axis) : total, read ? strideOf(read.axis) : total];
  const [madeSize, readSize] = [made ? (dims[made.axis] as number) : 1, read ? (dims[read.axis] as number) : 1];
  // A grouped convolution's outputs read the channels of their own block.
  const blocks = read ? read.groups.length / readSize : 1;
  for (let start = 0; start < total; start += run) {
    const output = Math.floor(start / madeStride) % madeSize;
    const block = Math.floor((output * blocks) / madeSize);
    const input = (Math.floor(start / readStride) % readSize) + block * readSize;
    visit(start, start + run, made?.groups[output] ?? -1, read?.groups[input] ?? -1);
  }
}

/** values · scale made / scale read, computed in float64 and rounded once; `out` may be `values`. */
export function rescaleConstant(
  constant: GroupedConstant,
  values: Float32Array,
  scales: ArrayLike<number>,
  out: Float32Array,
): void {
  visitGroups(constant, (start, end, made, read) => {
    const factor = (scales[made] ?? 1) / (scales[read] ?? 1);
    for (let i = start; i < end; i++) out[i] = (values[i] as number) * factor;
  });
}

/**
 * The graph with every channel of group g scaled by scales[g] > 0: the same function, up to the rounding of weights to
 * float32; exactly the same when all scales are powers of two (as long as no value leaves the range of float32).
 * `groups` are `channelGroups(graph)`. Throws InvalidArgumentError.
 */
export function rescaleChannels(graph: Graph, groups: ChannelGroups, scales: ArrayLike<number>): Graph {
  checkScales('rescaleChannels', groups, scales);
  const initializers = new Map<string, HostTensor>(graph.initializers);
  for (const constant of groups.constants) {
    const { dims, data } = graph.initializers.get(constant.name) as HostTensor<'float32'>;
    const scaled = new Float32Array(data.length);
    rescaleConstant(constant, data, scales, scaled);
    initializers.set(constant.name, { dtype: 'float32', dims, data: scaled });
  }
  return graph.with({ initializers });
}

/**
 * ∂L/∂(ln scale) of every group, from the gradients of the current constants: a constant is linear in the scale of
 * what it makes and in the inverse of what it reads, so that it is Σ w · ∂L/∂w over the first less the same over the
 * second.
 */
export function scaleGradients({ groups, constants }: ChannelGroups, parameters: Parameters): Float64Array {
  const gradients = new Float64Array(groups.length);
  for (const constant of constants) {
    const parameter = parameters.get(constant.name);
    if (!parameter?.gradient) continue;
    const { data, gradient } = parameter;
    visitGroups(constant, (start, end, made, read) => {
      let sum = 0;
      for (let i = start; i < end; i++) sum += (data[i] as number) * (gradient[i] as number);
      if (made >= 0) gradients[made] = (gradients[made] as number) + sum;
      if (read >= 0) gradients[read] = (gradients[read] as number) - sum;
    });
  }
  return gradients;
}
