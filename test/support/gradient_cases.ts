// Uses of operators for the gradient check, by the file of lib/autograd/ops that computes them.
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
const pads = [1, 1, 1, 1];

/** Defined on all numbers, or on positive ones. */
const FUNCTIONS = ['Tanh', 'Exp', 'Erf', 'Abs', 'Neg', 'LeakyRelu', 'Elu', 'Softplus', 'Floor', 'Ceil'];
const ON_POSITIVE = ['Sqrt', 'Log', 'Reciprocal'];

export const GRADIENT_CASES = {
  conv2d: [
    { operator: 'Conv', inputs: [[2, 3, 5, 6], [4, 3, 3, 3], [4]], attributes: { pads } },
    {
      operator: 'Conv',
      what: 'strided, without bias',
      inputs: [
        [2, 3, 7, 6],
        [5, 3, 3, 2],
      ],
      attributes: { strides: [2, 1], pads: [0, 1, 2, 0] },
    },
    {
      operator: 'Conv',
      what: 'in groups, dilated',
      inputs: [[1, 4, 7, 7], [6, 2, 3, 3], [6]],
      attributes: { group: 2, dilations: [2, 1], pads: [2, 1, 2, 1] },
    },
    {
      operator: 'Conv',
      what: 'depthwise',
      inputs: [[2, 5, 6, 6], [5, 1, 3, 3], [5]],
      attributes: { group: 5, pads, strides: [2, 2] },
    },
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
  ],
  matmul: [
    { operator: 'Gemm', inputs: [[3, 4], [4, 5], [5]] },
    {
      operator: 'Gemm',
      what: 'transposed and scaled',
      inputs: [
        [4, 3],
        [5, 4],
        [3, 1],
      ],
      attributes: { transA: 1, transB: 1, alpha: 0.5, beta: 2 },
    },
    { operator: 'Gemm', what: 'as linear layers have it', inputs: [[3, 4], [5, 4], [5]], attributes: { transB: 1 } },
    {
      operator: 'MatMul',
      inputs: [
        [2, 3, 4],
        [4, 5],
      ],
    },
    {
      operator: 'MatMul',
      what: 'of batches',
      inputs: [
        [2, 3, 4, 5],
        [2, 3, 5, 2],
      ],
    },
    {
      operator: 'MatMul',
      what: 'of broadcast batches',
      inputs: [
        [2, 1, 4, 5],
        [3, 5, 2],
      ],
    },
    { operator: 'MatMul', what: 'with a vector', inputs: [[4, 5], [5]] },
    {
      operator: 'Einsum',
      inputs: [
        [2, 3, 4],
        [2, 5, 4],
      ],
      attributes: { equation: 'bik,bjk->bji' },
    },
  ],
  batch_norm: [
    {
      operator: 'BatchNormalization',
      what: 'in training',
      inputs: [[3, 4, 3, 2], [4], [4], constant(floats([4], [0, 0, 0, 0])), constant(floats([4], [1, 1, 1, 1]))],
      training: true,
    },
    {
      operator: 'BatchNormalization',
      what: 'in training, many narrow rows',
      inputs: [[30, 2, 3, 3], [2], [2], constant(floats([2], [0, 0])), constant(floats([2], [1, 1]))],
      training: true,
    },
    {
      operator: 'BatchNormalization',
      what: 'in inference',
      inputs: [
        [3, 4, 3, 2],
        [4],
        [4],
        constant(floats([4], [0.1, -0.2, 0, 0.3])),
        constant(floats([4], [1, 0.5, 2, 1])),
      ],
    },
    {
      operator: 'BatchNormalization',
      what: 'of a matrix',
      inputs: [[6, 3], [3], [3], constant(floats([3], [0, 0, 0])), constant(floats([3], [1, 1, 1]))],
      training: true,
    },
    { operator: 'InstanceNormalization', inputs: [[2, 3, 4, 5], [3], [3]] },
    {
      operator: 'BatchNormalization',
      what: 'of lengths',
      inputs: [[2, 3, 4], [3], [3], constant(floats([3], [1, 0, 2])), constant(floats([3], [1, 2, 3]))],
    },
  ],
  unary: [
    { operator: 'Relu', inputs: [[2, 3, 4, 5]] },
    { operator: 'Clip', inputs: [[2, 3, 4], constant(floats([], [-0.5])), constant(floats([], [0.75]))] },
    { operator: 'Sigmoid', inputs: [[2, 3, 4]] },
    { operator: 'HardSigmoid', inputs: [[2, 30]], attributes: { alpha: 0.5, beta: 0.4 } },
    { operator: 'HardSwish', inputs: [[2, 3, 4, 2]] },
    { operator: 'Gelu', inputs: [[3, 7]] },
    { operator: 'Gelu', what: 'with tanh', inputs: [[3, 7]], attributes: { approximate: 'tanh' } },
    ...FUNCTIONS.map((operator) => ({ operator, inputs: [[2, 3, 2, 2]] })),
    ...ON_POSITIVE.map((operator) => ({ operator, inputs: [[2, 5]], positive: true })),
  ],
  binary: [
    {
      operator: 'Add',
      inputs: [
        [2, 3, 4, 5],
        [2, 3, 4, 5],
      ],
    },
    {
      operator: 'Add',
      what: 'of channels',
      inputs: [
        [2, 3, 4, 5],
        [3, 1, 1],
      ],
    },
    {
      operator: 'Sub',
      inputs: [
        [2, 3],
        [2, 3],
      ],
    },
    { operator: 'Sub', what: 'from a broadcast', inputs: [[3], [2, 3]] },
    {
      operator: 'Mul',
      inputs: [
        [2, 3, 4, 5],
        [2, 3, 1, 1],
      ],
    },
    {
      operator: 'Mul',
      what: 'of both ways broadcast',
      inputs: [
        [2, 1, 4],
        [3, 1],
      ],
    },
    { operator: 'Div', inputs: [[2, 3], [3]], positive: true },
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
  ],
  pool2d: [
    { operator: 'MaxPool', inputs: [[2, 3, 6, 6]], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads } },
    {
      operator: 'MaxPool',
      what: 'dilated, rounded up',
      inputs: [[1, 2, 7, 6]],
      attributes: { kernel_shape: [2, 2], strides: [2, 2], dilations: [2, 1], ceil_mode: 1 },
    },
    { operator: 'AveragePool', inputs: [[2, 3, 6, 5]], attributes: { kernel_shape: [3, 2], strides: [2, 1], pads } },
    {
      operator: 'AveragePool',
      what: 'counting padding',
      inputs: [[2, 3, 6, 5]],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads, count_include_pad: 1, ceil_mode: 1 },
    },
    { operator: 'GlobalAveragePool', inputs: [[2, 3, 4, 5]] },
    { operator: 'GlobalMaxPool', inputs: [[2, 3, 4, 5]] },
    { operator: 'GlobalAveragePool', what: 'over lengths', inputs: [[2, 3, 7]] },
    { operator: 'MaxPool', what: 'over lengths', inputs: [[2, 3, 8]], attributes: { kernel_shape: [3], strides: [2] } },
  ],
  softmax: [
    { operator: 'Softmax', inputs: [[3, 5]] },
    { operator: 'Softmax', what: 'over channels', inputs: [[2, 3, 2, 2]], attributes: { axis: 1 } },
  ],
  layer_norm: [
    { operator: 'LayerNormalization', inputs: [[2, 3, 6], [6], [6]] },
    {
      operator: 'LayerNormalization',
      what: 'over two axes, without bias',
      inputs: [
        [4, 3, 2],
        [3, 2],
      ],
      attributes: { axis: 1 },
    },
  ],
  movement: [
    { operator: 'Flatten', inputs: [[2, 3, 4, 5]] },
    { operator: 'Reshape', inputs: [[2, 3, 4, 5], constant(integers([4, -1]))] },
    { operator: 'Transpose', inputs: [[2, 3, 4, 5]], attributes: { perm: [0, 3, 1, 2] } },
    {
      operator: 'Concat',
      inputs: [
        [2, 3, 4, 2],
        [2, 1, 4, 2],
        [2, 2, 4, 2],
      ],
      attributes: { axis: 1 },
    },
    {
      operator: 'Concat',
      what: 'along the last axis',
      inputs: [
        [2, 3],
        [2, 2],
      ],
      attributes: { axis: -1 },
    },
    { operator: 'Identity', inputs: [[2, 3]] },
    { operator: 'Dropout', what: 'in inference', inputs: [[2, 3]] },
    {
      operator: 'Pad',
      inputs: [[2, 3, 3, 4], constant(integers([0, 1, 2, 0, 0, 0, -1, 1])), constant(floats([], [0.5]))],
    },
    {
      operator: 'Pad',
      what: 'reflecting',
      inputs: [[2, 4], constant(integers([0, 2, 0, 3]))],
      attributes: { mode: 'reflect' },
    },
    {
      operator: 'Pad',
      what: 'repeating the edge',
      inputs: [[2, 4], constant(integers([1, 2, 0, 1]))],
      attributes: { mode: 'edge' },
    },
    { operator: 'ReduceMean', inputs: [[2, 3, 4, 5]], attributes: { axes: [2, 3] } },
    { operator: 'ReduceMean', what: 'of everything, dropping axes', inputs: [[2, 3, 4]], attributes: { keepdims: 0 } },
    { operator: 'Gather', inputs: [[5, 3], constant(integers([0, 4, 4, -2], [2, 2]))] },
    {
      operator: 'Gather',
      what: 'along an inner axis',
      inputs: [[2, 4, 3], constant(integers([3, 1, 3]))],
      attributes: { axis: 1 },
    },
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
  ],
} satisfies Readonly<Record<string, readonly GradientCase[]>>;
