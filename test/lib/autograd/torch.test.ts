// A small network's loss, gradients and running statistics beside PyTorch's, computed once in float64 and kept in
// test/data/torch_gradients.json.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { crossEntropy } from '../../../lib/autograd/ops/loss.js';
import { Tape, type Value } from '../../../lib/autograd/tape.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { Parameters } from '../../../lib/graph/parameters.js';
import { float } from '../../../lib/runtime/backends/float.js';
import { compile } from '../../../lib/runtime/program.js';
import { floats, integers } from '../../../lib/tensor/host_tensor.js';
import { Memory } from '../../../lib/tensor/memory.js';

interface Fixture {
  readonly input: number[];
  readonly labels: number[];
  readonly loss: number;
  readonly inputGradient: number[];
  readonly parameters: Record<string, { dims: number[]; data: number[]; gradient: number[] }>;
  readonly runningMean: number[];
}

/** float32 sums of some hundred terms through seven layers, two of which divide by a deviation. */
const TOLERANCE = 2e-5;

const fixture = JSON.parse(
  readFileSync(new URL('../../../../test/data/torch_gradients.json', import.meta.url), 'utf8'),
) as Fixture;

function assertClose(actual: ArrayLike<number>, expected: readonly number[], what: string): void {
  const largest = Math.max(...expected.map(Math.abs));
  expected.forEach((wanted, i) => {
    const received = actual[i] as number;
    assert.ok(
      Math.abs(received - wanted) <= TOLERANCE * largest,
      `${what}[${i}]: expected ${wanted}, received ${received}`,
    );
  });
}

describe("a network's gradients", () => {
  it("are PyTorch's", () => {
    const builder = new GraphBuilder('torch', 20);
    const weight = (name: string) => {
      const { dims, data } = fixture.parameters[name] as Fixture['parameters'][string];
      return builder.initializer(name, floats(dims, data));
    };
    const pads = { pads: [1, 1, 1, 1] };
    const x = builder.input('x', [3, 2, 6, 6]);
    const c = builder.node('c', 'Conv', [x, weight('c.weight'), weight('c.bias')], { attributes: pads });
    const gelu = builder.node('gelu', 'Gelu', [c]);
    const d = builder.node('d', 'Conv', [gelu, weight('d.weight')], { attributes: { ...pads, group: 4 } });
    const mean = builder.initializer('mean', floats([4], [0, 0, 0, 0]));
    const variance = builder.initializer('variance', floats([4], [1, 1, 1, 1]));
    const b = builder.node('b', 'BatchNormalization', [d, weight('b.weight'), weight('b.bias'), mean, variance]);
    const relu = builder.node('relu', 'Relu', [b]);
    const pool = builder.node('pool', 'MaxPool', [relu], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } });
    const shape = builder.initializer('shape', integers([3, 4, 9]));
    const flat = builder.node('flat', 'Reshape', [pool, shape]);
    const axes = builder.initializer('axes', integers([1]));
    const average = builder.node('average', 'ReduceMean', [flat, axes], { attributes: { keepdims: 0 } });
    const ln = builder.node('ln', 'LayerNormalization', [average, weight('ln.weight'), weight('ln.bias')]);
    const l = builder.node('l', 'Gemm', [ln, weight('l.weight'), weight('l.bias')], { attributes: { transB: 1 } });
    builder.output(l);
    const graph = builder.build();

    const parameters = new Parameters(graph);
    const tape = new Tape({ memory: new Memory(), training: true, record: true });
    const inputGradient = new Float32Array(fixture.input.length);
    const input = tape.parameter(Float32Array.from(fixture.input), inputGradient, [3, 2, 6, 6], 0);
    const logits = compile(graph, float()).run({ x: input }, { tape, parameters }).get('l') as Value;
    const labels = Int32Array.from(fixture.labels);
    const { loss, gradient } = crossEntropy(tape, logits, labels, { smoothing: 0.1, gradient: true });
    tape.backward(logits, gradient as Float32Array);

    assert.ok(Math.abs(loss - fixture.loss) < TOLERANCE * fixture.loss);
    for (const [name, { gradient: expected }] of Object.entries(fixture.parameters)) {
      assertClose(parameters.get(name)?.gradient as Float32Array, expected, name);
    }
    assertClose(inputGradient, fixture.inputGradient, 'input');
    assertClose(parameters.get('mean')?.data as Float32Array, fixture.runningMean, 'running mean');
  });
});
