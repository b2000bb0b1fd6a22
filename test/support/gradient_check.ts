// The gradient check: values against the reference in float64, gradients against finite differences of that reference,
// whatever the layout of the input.

import assert from 'node:assert/strict';
import { Tape, type Value } from '../../lib/autograd/tape.js';
import { sizeOf } from '../../lib/core/shape.js';
import { GraphBuilder } from '../../lib/graph/builder.js';
import { Parameters } from '../../lib/graph/parameters.js';
import { runReference } from '../../lib/graph/reference.js';
import { float } from '../../lib/runtime/backends/float.js';
import { compile } from '../../lib/runtime/program.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import { Memory } from '../../lib/tensor/memory.js';
import { Random } from '../../lib/tensor/random.js';
import { GRADIENT_CASES, type GradientCase } from './gradient_cases.js';

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
  const output = compile(graph, float())
    .run(feeds, { tape, parameters: new Parameters(graph) })
    .get(outputName) as Value;
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

/** The tests of a file of lib/autograd/ops. */
export function testGradients(file: keyof typeof GRADIENT_CASES): void {
  for (const test of GRADIENT_CASES[file] as readonly GradientCase[]) {
    const name = `${test.operator}${test.what ? `, ${test.what}` : ''}`;
    it(`${name}: values and gradients`, () => check(test, false));
    const images = test.inputs.some((input) => !('constant' in input) && input.length === 4);
    if (images) it(`${name}: the same from channels-last memory`, () => check(test, true));
  }
}
