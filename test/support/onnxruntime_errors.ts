// Where onnxruntime computes something else than the standard says: the models that a comparison leaves out, and the exact
// values. Each was looked at; what comes out here is what ONNX's definition, in exact arithmetic, gives.
import { sizeOf } from '../../lib/core/shape.js';
import type { Graph, GraphNode } from '../../lib/graph/graph.js';
import { inferShapes } from '../../lib/graph/infer.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';

interface Use {
  readonly node: GraphNode;
  /** NaN or infinities are among the numbers that the node reads. */
  readonly special: boolean;
  /** Shape of an input, and of the first output. */
  dims(input: number): readonly unknown[];
  readonly output: readonly unknown[];
  /** Numbers of a constant input. */
  constant(input: number): readonly number[];
}

interface KnownError {
  readonly operators: readonly string[];
  readonly when: (use: Use) => boolean;
  readonly onnxruntime: string;
  readonly exact: string;
}

const REDUCTIONS = ['L1', 'L2', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'].map((name) => `Reduce${name}`);
const INT_MAX = 2 ** 31 - 1;

export const KNOWN_ERRORS: readonly KnownError[] = [
  {
    operators: ['MaxPool', 'GlobalMaxPool', 'ReduceMax', 'ReduceMin', 'ArgMax', 'ArgMin', 'ScatterND'],
    when: ({ special }) => special,
    onnxruntime: 'loses a NaN where a number comes after it, or before, by the width of the vector',
    exact: 'the largest of numbers among which is NaN is NaN',
  },
  {
    operators: ['LRN'],
    when: ({ special }) => special,
    onnxruntime: 'sums of squares slide along the channels: a NaN or infinity that has left them stays in',
    exact: 'a window without NaN has a number',
  },
  {
    operators: ['Resize'],
    when: ({ special, node }) => special && (node.attributes.mode === 'cubic' || node.attributes.antialias === 1),
    onnxruntime: 'taps of weight 0 are left out in some places and multiplied in others, 0 · ∞',
    exact: 'taps of weight 0 count without antialiasing, and do not with it',
  },
  {
    operators: ['Resize'],
    when: ({ special, node, dims, output }) =>
      special &&
      node.attributes.mode === 'linear' &&
      dims(0).some((size, axis) => axis >= (output.length > 3 ? 2 : 0) && size === output[axis]),
    onnxruntime: 'an axis that stays is interpolated where another changes: the next place is multiplied by 0, 0 · ∞',
    exact: 'along an axis that stays, place i is place i',
  },
  {
    operators: ['Resize'],
    when: ({ node: { attributes }, dims, output, constant }) => {
      const scaled =
        String(attributes.keep_aspect_ratio_policy).startsWith('not_') || constant(2).some((scale) => scale !== 1);
      return scaled && dims(0).some((size, axis) => size === output[axis]);
    },
    onnxruntime: 'an axis whose size stays is copied whatever its scale',
    exact: 'place i of the output is place i / scale of the input: by 1.1 from 8 to 8, place 6 is 5.45',
  },
  {
    operators: REDUCTIONS,
    when: ({ dims }) => dims(0).includes(0),
    onnxruntime: 'negative axes of a value without elements stay as they are in the shape of the result',
    exact: 'an axis counts from the end as for every value',
  },
  {
    operators: ['Slice'],
    when: ({ constant }) => constant(2).includes(INT_MAX) && constant(4).some((step) => step < 0),
    onnxruntime: 'an end of 2^31 − 1 means "to the end" going backwards too',
    exact: 'going backwards, an end beyond the size is the last place: nothing is left',
  },
  {
    operators: ['MaxPool', 'AveragePool'],
    when: ({ node: { attributes } }) =>
      String(attributes.auto_pad).startsWith('SAME') && ((attributes.dilations ?? []) as number[]).some((d) => d > 1),
    onnxruntime: 'pads of SAME_UPPER and SAME_LOWER forget that the window is dilated',
    exact: 'the output has ⌈input / stride⌉ places',
  },
  {
    operators: ['AveragePool', 'MaxPool'],
    when: ({ node: { attributes }, dims, output }) =>
      String(attributes.auto_pad).startsWith('SAME') &&
      ((attributes.strides ?? []) as number[]).some((stride, axis) => {
        const last = ((output[axis + 2] as number) - 1) * stride;
        return last + ((attributes.kernel_shape as number[])[axis] as number) - (dims(0)[axis + 2] as number) < -1;
      }),
    onnxruntime: 'strides that step over the last places of an axis make its pads negative: the windows start inside',
    exact: 'pads are 0 at least: a window of 1 by 3 over 6 places is at 0 and 3, not at 1 and 4',
  },
  {
    operators: ['Einsum'],
    when: ({ special, node }) => special && node.inputs.length > 2,
    onnxruntime: 'multiplies two operands at a time: sums of the first two are finite before they meet an infinity',
    exact: 'the sum of all products: ∞ · 2 + ∞ · −3 is NaN, where (2 − 3) · ∞ is −∞',
  },
  {
    operators: ['MatMul'],
    when: ({ dims, output }) => {
      const places =
        (dims(0).length > 1 ? Number(dims(0).at(-2)) : 1) * (dims(1).length > 1 ? Number(dims(1).at(-1)) : 1);
      return dims(0).at(-1) === 0 && sizeOf(output as number[]) > places;
    },
    onnxruntime: 'of products over 0 places, the first matrix of a batch alone is set; others hold what was in memory',
    exact: 'a sum of no products is 0',
  },
  {
    operators: ['Gemm'],
    when: ({ node: { attributes }, dims }) =>
      dims(0).at(attributes.transA ? 0 : 1) === 0 && (attributes.beta ?? 1) !== 1,
    onnxruntime: 'of a product over 0 places and C, C is copied without beta',
    exact: 'beta · C: 1.5 · 1.2045369 is 1.8068054',
  },
];

/** The first known error that a model of these values, intermediate ones too, may run into. */
export function knownError(graph: Graph, values: ReadonlyMap<string, HostTensor>): KnownError | undefined {
  const unbounded = (name: string) => {
    const data = values.get(name)?.data as ArrayLike<unknown> | undefined;
    return data !== undefined && Array.from(data, Number).some((x) => !Number.isFinite(x));
  };
  const types = inferShapes(graph);
  for (const node of graph.nodes) {
    const dims = (name: string | undefined) => types.get(name ?? '')?.dims ?? [];
    const use: Use = {
      ...{ node, special: node.inputs.some(unbounded), output: dims(node.outputs[0]) },
      dims: (input) => dims(node.inputs[input]),
      constant: (input) =>
        Array.from(
          (graph.initializers.get(node.inputs[input] ?? '')?.data ?? []) as ArrayLike<number | bigint | string>,
          Number,
        ),
    };
    const found = KNOWN_ERRORS.find((known) => known.operators.includes(node.operator) && known.when(use));
    if (found) return found;
  }
  return undefined;
}
