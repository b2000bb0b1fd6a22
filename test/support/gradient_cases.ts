// Uses of operators for the gradient check (test/lib/autograd/gradients.test.ts): those that exported files need beside
// the ones of our own networks.
import type { AttributeValue } from '../../lib/graph/graph.js';
import { floats, type HostTensor, integers } from '../../lib/tensor/host_tensor.js';

export interface GradientCase {
  readonly operator: string;
  readonly what?: string;
  /** Shapes of the inputs that get gradients, and constants. */
  readonly inputs: readonly (readonly number[] | { readonly constant: HostTensor })[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly training?: boolean;
  readonly positive?: boolean;
}

const constant = (tensor: HostTensor) => ({ constant: tensor });
const numbers = (...values: number[]) => constant(integers(values));
const nothing = constant(floats([0], []));

/** Defined on all numbers, or on positive ones. */
const FUNCTIONS = ['Tanh', 'Exp', 'Erf', 'Abs', 'Neg', 'LeakyRelu', 'Elu', 'Softplus', 'Floor', 'Ceil'];
const ON_POSITIVE = ['Sqrt', 'Log', 'Reciprocal'];

export const EXPORTED_CASES: readonly GradientCase[] = [
  ...FUNCTIONS.map((operator) => ({ operator, inputs: [[2, 3, 2, 2]] })),
  ...ON_POSITIVE.map((operator) => ({ operator, inputs: [[2, 5]], positive: true })),
  {
    operator: 'PRelu',
    inputs: [
      [2, 3, 2, 2],
      [3, 1, 1],
    ],
  },
  { operator: 'Pow', what: 'a square', inputs: [[2, 3], constant(floats([], [2]))] },
  { operator: 'Pow', what: 'a root', inputs: [[2, 3], constant(floats([], [0.5]))], positive: true },
  { operator: 'Pow', what: 'of two values', inputs: [[2, 3], [3]], positive: true },
  { operator: 'Min', inputs: [[2, 3], [3], [2, 1]] },
  {
    operator: 'Max',
    inputs: [
      [2, 3, 2, 2],
      [3, 1, 1],
    ],
  },
  { operator: 'Sum', inputs: [[2, 3], [3], [2, 1]] },
  { operator: 'ReduceSum', inputs: [[2, 3, 4, 5], numbers(1, -1)] },
  { operator: 'Squeeze', inputs: [[2, 1, 4, 1], numbers(1)] },
  { operator: 'Unsqueeze', inputs: [[2, 3], numbers(0, -1)] },
  { operator: 'Expand', inputs: [[3, 1], numbers(2, 1, 4)] },
  { operator: 'Tile', inputs: [[2, 3, 2, 2], numbers(1, 2, 1, 3)] },
  { operator: 'Slice', inputs: [[2, 3, 5, 6], numbers(1, 5), numbers(3, 0), numbers(1, 3), numbers(1, -2)] },
  {
    operator: 'Slice',
    what: 'by steps',
    inputs: [[2, 3, 5, 6], numbers(0, 1), numbers(9, -1), numbers(2, 3), numbers(2, 2)],
  },
  { operator: 'Split', inputs: [[2, 6, 2, 2]], attributes: { axis: 1 } },
  { operator: 'DepthToSpace', inputs: [[1, 8, 2, 3]], attributes: { blocksize: 2 } },
  { operator: 'SpaceToDepth', inputs: [[1, 2, 4, 6]], attributes: { blocksize: 2 } },
  { operator: 'GlobalMaxPool', inputs: [[2, 3, 4, 5]] },
  { operator: 'GlobalAveragePool', what: 'over lengths', inputs: [[2, 3, 7]] },
  { operator: 'InstanceNormalization', inputs: [[2, 3, 4, 5], [3], [3]] },
  {
    operator: 'BatchNormalization',
    what: 'of lengths',
    inputs: [[2, 3, 4], [3], [3], constant(floats([3], [1, 0, 2])), constant(floats([3], [1, 2, 3]))],
  },
  { operator: 'MaxPool', what: 'over lengths', inputs: [[2, 3, 8]], attributes: { kernel_shape: [3], strides: [2] } },
  {
    operator: 'Conv',
    what: 'over lengths',
    inputs: [[2, 4, 9], [6, 2, 3], [6]],
    attributes: { group: 2, pads: [2, 1], strides: [2] },
  },
  { operator: 'ConvTranspose', inputs: [[2, 4, 3, 4], [4, 3, 2, 2], [3]], attributes: { strides: [2, 2] } },
  {
    operator: 'ConvTranspose',
    what: 'padded, in groups, its output padded',
    inputs: [[1, 4, 3, 4], [4, 2, 3, 3], [4]],
    attributes: { group: 2, strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  },
  {
    operator: 'ConvTranspose',
    what: 'over lengths',
    inputs: [
      [2, 3, 5],
      [3, 2, 4],
    ],
    attributes: { strides: [3] },
  },
  {
    operator: 'Resize',
    inputs: [[1, 2, 2, 3], nothing, constant(floats([4], [1, 1, 2, 2]))],
    attributes: { mode: 'nearest' },
  },
  {
    operator: 'Resize',
    what: 'linear',
    inputs: [[2, 2, 3, 4], nothing, nothing, numbers(2, 2, 5, 7)],
    attributes: { mode: 'linear' },
  },
];
