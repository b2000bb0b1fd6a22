// Every operator on the tape: its values against the reference in float64, its gradients against finite differences of
// that reference, whatever the layout of the input.
import assert from 'node:assert/strict';
import { Tape, type Value } from '../../../lib/autograd/tape.js';
import { sizeOf } from '../../../lib/core/shape.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { FloatProgram } from '../../../lib/graph/float.js';
import { OPERATORS } from '../../../lib/graph/operators/index.js';
import { Parameters } from '../../../lib/graph/parameters.js';
import { runReference } from '../../../lib/graph/reference.js';
import { floats, type HostTensor, integers } from '../../../lib/tensor/host_tensor.js';
import { Memory } from '../../../lib/tensor/memory.js';
import { Random } from '../../../lib/tensor/random.js';
import { EXPORTED_CASES, type GradientCase } from '../../support/gradient_cases.js';

const constant = (tensor: HostTensor) => ({ constant: tensor });
const pads = [1, 1, 1, 1];

const CASES: readonly GradientCase[] = [
  ...EXPORTED_CASES,
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
    inputs: [[3, 4, 3, 2], [4], [4], constant(floats([4], [0.1, -0.2, 0, 0.3])), constant(floats([4], [1, 0.5, 2, 1]))],
  },
  {
    operator: 'BatchNormalization',
    what: 'of a matrix',
    inputs: [[6, 3], [3], [3], constant(floats([3], [0, 0, 0])), constant(floats([3], [1, 1, 1]))],
    training: true,
  },
  { operator: 'Relu', inputs: [[2, 3, 4, 5]] },
  { operator: 'Clip', inputs: [[2, 3, 4], constant(floats([], [-0.5])), constant(floats([], [0.75]))] },
  { operator: 'Sigmoid', inputs: [[2, 3, 4]] },
  { operator: 'HardSigmoid', inputs: [[2, 30]], attributes: { alpha: 0.5, beta: 0.4 } },
  { operator: 'HardSwish', inputs: [[2, 3, 4, 2]] },
  { operator: 'Gelu', inputs: [[3, 7]] },
  { operator: 'Gelu', what: 'with tanh', inputs: [[3, 7]], attributes: { approximate: 'tanh' } },
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
  { operator: 'Softmax', inputs: [[3, 5]] },
  { operator: 'Softmax', what: 'over channels', inputs: [[2, 3, 2, 2]], attributes: { axis: 1 } },
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
];

// ReduceMean has its axes as an attribute up to 17, Gelu appeared with 20.
const opsetOf = (operator: string) => (operator === 'Gelu' ? 20 : 17);

/** Step of the central difference in float64: truncation h² ≈ 1e-10, rounding 1e-16 / h ≈ 1e-11. */
const STEP = 1e-5;
/**
 * Relative to the largest gradient: float32 has 6e-8, sums here have up to 300 terms of either sign, and batch norm's
 * gradient is a difference that cancels a digit or two.
 */
const TOLERANCE = 5e-5;

function graphOf({ operator, inputs, attributes = {} }: GradientCase) {
  const builder = new GraphBuilder('case', opsetOf(operator));
  const names = inputs.map((input, i) => {
    if ('constant' in input) return builder.initializer(`c${i}`, input.constant);
    return builder.input(`x${i}`, input);
  });
  builder.output(builder.node('node', operator, names, { attributes }));
  return builder.build();
}

/** Elements of a channels-last copy of [N, C, H, W], or back. */
function permuted(data: Float32Array, dims: readonly number[], toLast: boolean): Float32Array {
  const [n = 0, c = 0, h = 0, w = 0] = dims;
  const out = new Float32Array(data.length);
  for (let s = 0; s < n; s++) {
    for (let k = 0; k < c; k++) {
      for (let p = 0; p < h * w; p++) {
        const [rows, last] = [(s * c + k) * h * w + p, (s * h * w + p) * c + k];
        if (toLast) out[last] = data[rows] as number;
        else out[rows] = data[last] as number;
      }
    }
  }
  return out;
}

function closeTo(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  let largest = 1e-3;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i] as number));
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    assert.ok(Math.abs(a - e) <= TOLERANCE * largest, `${what}[${i}]: expected ${e}, received ${a}`);
  }
}

function check(test: GradientCase, channelsLast: boolean): void {
  const random = new Random(7).split(test.operator + (test.what ?? ''));
  const draw = () => (test.positive ? 0.5 + random.uniform() : random.normal());
  const graph = graphOf(test);
  // The reference computes training-mode batch norm when the attribute says so.
  const reference = test.training
    ? graph.with({
        nodes: graph.nodes.map((node) => ({ ...node, attributes: { ...node.attributes, training_mode: 1 } })),
      })
    : graph;
  const inputs = graph.inputs.map(({ name, dims }) => {
    const sizes = dims as readonly number[];
    return { name, dims: sizes, data: Float32Array.from({ length: sizeOf(sizes) }, draw) };
  });
  const float64 = (data: Iterable<number>, dims: readonly number[]): HostTensor => {
    return { dtype: 'float64', dims, data: Float64Array.from(data) };
  };
  const wide = reference.with({
    inputs: reference.inputs.map((input) => ({ ...input, dtype: 'float64' })),
    outputs: reference.outputs.map((output) => ({ ...output, dtype: 'float64' })),
    initializers: new Map(
      [...reference.initializers].map(([name, tensor]) => [
        name,
        tensor.dtype === 'float32' ? float64(tensor.data as Float32Array, tensor.dims) : tensor,
      ]),
    ),
  });
  const outputName = graph.outputs[0]?.name as string;
  const evaluate = (values: readonly { name: string; dims: readonly number[]; data: Iterable<number> }[]) => {
    const feeds = Object.fromEntries(values.map(({ name, dims, data }) => [name, float64(data, dims)]));
    return runReference(wide, feeds).get(outputName) as HostTensor<'float64'>;
  };
  const expected = evaluate(inputs);
  const weights = Float64Array.from({ length: expected.data.length }, () => Math.fround(random.normal()));

  const memory = new Memory();
  const tape = new Tape({ memory, training: test.training ?? false, record: true });
  const gradients = inputs.map(({ data }) => new Float32Array(data.length));
  const feeds: Record<string, Value> = {};
  inputs.forEach(({ name, dims, data }, i) => {
    const image = channelsLast && dims.length === 4;
    const given = image ? permuted(data, dims, true) : data;
    const gradient = gradients[i] as Float32Array;
    feeds[name] = tape.parameter(given, gradient, dims, 0, image ? 'channelsLast' : 'rows');
  });
  const output = new FloatProgram(graph).run(tape, new Parameters(graph), feeds).get(outputName) as Value;
  assert.deepEqual(output.dims, expected.dims);
  const lastly = output.layout === 'channelsLast';
  const rows = (data: Float32Array) => (lastly ? permuted(data, output.dims, false) : data);
  closeTo(rows(output.data), expected.data, 'output');
  const seed = Float32Array.from(weights);
  tape.backward(output, lastly ? permuted(seed, output.dims, true) : seed);

  inputs.forEach(({ name, dims, data }, i) => {
    const numeric = Array.from(data, (_, at) => {
      const loss = (step: number) => {
        const moved = inputs.map((input, j) => {
          if (i !== j) return input;
          const values = Float64Array.from(input.data);
          values[at] = (values[at] as number) + step;
          return { ...input, data: values };
        });
        return evaluate(moved).data.reduce((sum, value, k) => sum + value * (weights[k] as number), 0);
      };
      return (loss(STEP) - loss(-STEP)) / (2 * STEP);
    });
    const image = channelsLast && dims.length === 4;
    const gradient = gradients[i] as Float32Array;
    closeTo(image ? permuted(gradient, dims, false) : gradient, numeric, `gradient of ${name}`);
  });
  memory.reset();
  assert.equal(memory.liveBuffers, 0);
}

describe('operators on the tape', () => {
  for (const test of CASES) {
    const name = `${test.operator}${test.what ? `, ${test.what}` : ''}`;
    it(`${name}: values and gradients`, () => check(test, false));
    const images = test.inputs.some((input) => !('constant' in input) && input.length === 4);
    if (images) it(`${name}: the same from channels-last memory`, () => check(test, true));
  }

  it('covers every operator that the tape computes', () => {
    const covered = new Set(CASES.map(({ operator }) => operator));
    // Cast hands float32 values on as they are; in float64 the reference would round, and have no slope.
    const missing = [...OPERATORS.values()].filter(({ name, float }) => float && name !== 'Cast' && !covered.has(name));
    assert.deepEqual(missing, []);
  });
});
