// Traces of training steps: replayed on other values they compute what the operations would, and what cannot be replayed
// says so.
import assert from 'node:assert/strict';
import { batchNorm } from '../../../lib/autograd/ops/batch_norm.js';
import { binary } from '../../../lib/autograd/ops/binary.js';
import { ConvKernels, conv2d, RELU } from '../../../lib/autograd/ops/conv2d.js';
import { dropout } from '../../../lib/autograd/ops/dropout.js';
import { crossEntropy } from '../../../lib/autograd/ops/loss.js';
import { matmul } from '../../../lib/autograd/ops/matmul.js';
import { reshape } from '../../../lib/autograd/ops/movement.js';
import { averagePool2d, maxPool2d } from '../../../lib/autograd/ops/pool2d.js';
import { softmax } from '../../../lib/autograd/ops/softmax.js';
import { unary } from '../../../lib/autograd/ops/unary.js';
import { Tape, type Value } from '../../../lib/autograd/tape.js';
import { Trace } from '../../../lib/autograd/trace.js';
import { Memory } from '../../../lib/tensor/memory.js';
import { Random } from '../../../lib/tensor/random.js';

const SIDE = 6;
const CHANNELS = 16;
const BATCH = 4;
const CLASSES = 5;
const PIXELS = BATCH * SIDE * SIDE;

/** Weights, running statistics and a batch: everything that a step reads, and the gradients it writes. */
function step(seed: number, trace?: Trace) {
  const random = new Random(seed);
  const arrays = (lengths: Record<string, number>) =>
    Object.fromEntries(
      Object.entries(lengths).map(([name, n]) => [name, Float32Array.from({ length: n }, () => random.uniform(-1, 1))]),
    );
  const values = arrays({
    x: PIXELS * CHANNELS,
    w: CHANNELS * CHANNELS * 9,
    scale: CHANNELS,
    shift: CHANNELS,
    plain: CHANNELS * CHANNELS * 9,
    bias: CHANNELS,
    fc: CLASSES * CHANNELS,
    fcBias: CLASSES,
    mean: CHANNELS,
    variance: CHANNELS,
  });
  const labels = Int32Array.from({ length: BATCH }, () => random.integer(CLASSES));
  const before = Object.entries(values).map(([name, array]) => [name, array.slice()] as const);
  const gradients: Record<string, Float32Array> = {};
  const parameters: Value[] = [];
  const tape = new Tape({ memory: new Memory(), training: true, record: true, ...(trace ? { trace } : {}) });
  const learned = (name: string, dims: number[], layout: 'rows' | 'channelsLast' = 'rows'): Value => {
    const data = values[name] as Float32Array;
    gradients[name] = new Float32Array(data.length);
    const value = tape.parameter(data, gradients[name], dims, seed, layout);
    parameters.push(value);
    return value;
  };
  const x = learned('x', [BATCH, CHANNELS, SIDE, SIDE], 'channelsLast');
  const window = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 } as const;
  const kernel = [CHANNELS, CHANNELS, 3, 3];
  const convolved = conv2d(tape, new ConvKernels(), x, learned('w', kernel), undefined, window);
  const [mean, variance] = [values.mean as Float32Array, values.variance as Float32Array];
  const norm = batchNorm(tape, convolved, learned('scale', [CHANNELS]), learned('shift', [CHANNELS]), mean, variance, {
    epsilon: 1e-5,
    momentum: 0.9,
    relu: true,
    residual: x,
  });
  const bounded = conv2d(tape, new ConvKernels(), norm, learned('plain', kernel), learned('bias', [CHANNELS]), window, {
    bounds: RELU,
  });
  const half = { kernel: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1], output: [3, 3] } as const;
  const both = binary(tape, 'addRelu', maxPool2d(tape, bounded, half), maxPool2d(tape, norm, half));
  const whole = { ...half, kernel: [3, 3], output: [1, 1] } as const;
  const pooled = reshape(tape, averagePool2d(tape, unary(tape, 'tanh', both), whole, false), [BATCH, CHANNELS]);
  const weights = learned('fc', [CLASSES, CHANNELS]);
  const logits = matmul(tape, pooled, weights, { transB: true, bias: learned('fcBias', [CLASSES]) });
  const loss = crossEntropy(tape, logits, labels, { gradient: true });
  tape.backward(logits, loss.gradient as Float32Array);
  return { before, values, labels, gradients, parameters, loss };
}

describe('traces of training steps', () => {
  it('replayed on the values of another step, give its loss, gradients and statistics, bit for bit', () => {
    const trace = new Trace();
    const first = step(1, trace);
    assert.ok(trace.complete);
    const second = step(2);
    for (const [name, array] of second.before) first.values[name]?.set(array);
    first.labels.set(second.labels);
    for (const value of first.parameters) value.version = 2;
    trace.replay();
    assert.equal(first.loss.loss, second.loss.loss);
    assert.equal(first.loss.correct, second.loss.correct);
    assert.deepEqual(first.gradients, second.gradients);
    assert.deepEqual(first.values, second.values);
  });

  const traced = (run: (tape: Tape, x: Value) => Value) => {
    const trace = new Trace();
    const tape = new Tape({ memory: new Memory(), training: true, record: true, trace });
    const y = run(tape, tape.parameter(new Float32Array([1, 2]), new Float32Array(2), [1, 2], 1));
    tape.backward(y, new Float32Array(y.size));
    return trace.complete;
  };

  it('are not complete where a step draws, or its backward does more than native calls', () => {
    assert.ok(traced((tape, x) => unary(tape, 'exp', x)));
    assert.ok(!traced((tape, x) => dropout(tape, x, 0.5, new Random(1))));
    assert.ok(!traced((tape, x) => softmax(tape, x)));
    assert.ok(!traced((tape, x) => binary(tape, 'pow', x, x)));
  });
});
