// Optimizers against their formulas in float64.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { Parameters } from '../../../lib/graph/parameters.js';
import { floats } from '../../../lib/tensor/host_tensor.js';
import { Random } from '../../../lib/tensor/random.js';
import { Optimizer, type OptimizerOptions } from '../../../lib/train/optimizer.js';

/** float32 rounds at 6e-8; errors of a few steps add up. */
const TOLERANCE = 2e-6;

function parameters(): Parameters {
  const random = new Random(4);
  const builder = new GraphBuilder('linear');
  const x = builder.input('x', ['N', 5]);
  const w = builder.initializer(
    'w',
    floats(
      [5, 7],
      Float32Array.from({ length: 35 }, () => random.normal()),
    ),
  );
  const b = builder.initializer(
    'b',
    floats(
      [7],
      Float32Array.from({ length: 7 }, () => random.normal()),
    ),
  );
  builder.output(builder.node('y', 'Gemm', [x, w, b]));
  return new Parameters(builder.build());
}

type Rule = (p: number, g: number, state: number[], step: number, decay: number) => number;

const RULES: Record<string, { options: OptimizerOptions; rule: Rule }> = {
  'SGD with momentum': {
    options: { kind: 'sgd', rate: 0.1, momentum: 0.9, weightDecay: 0.01 },
    rule: (p, g, state, _step, decay) => {
      state[0] = 0.9 * (state[0] ?? 0) + g + decay * p;
      return p - 0.1 * state[0];
    },
  },
  'SGD with Nesterov momentum': {
    options: { kind: 'sgd', rate: 0.1, momentum: 0.8, nesterov: true },
    rule: (p, g, state) => {
      state[0] = 0.8 * (state[0] ?? 0) + g;
      return p - 0.1 * (g + 0.8 * state[0]);
    },
  },
  Adam: {
    options: { kind: 'adam', rate: 0.01, weightDecay: 0.1 },
    rule: (p, gradient, state, step, decay) => {
      const g = gradient + decay * p;
      state[0] = 0.9 * (state[0] ?? 0) + 0.1 * g;
      state[1] = 0.999 * (state[1] ?? 0) + 0.001 * g * g;
      const v = Math.sqrt(state[1] / (1 - 0.999 ** step)) + 1e-8;
      return p - (0.01 * state[0]) / (1 - 0.9 ** step) / v;
    },
  },
  AdamW: {
    options: { kind: 'adamw', rate: 0.01, weightDecay: 0.1 },
    rule: (p, g, state, step, decay) => {
      state[0] = 0.9 * (state[0] ?? 0) + 0.1 * g;
      state[1] = 0.999 * (state[1] ?? 0) + 0.001 * g * g;
      const v = Math.sqrt(state[1] / (1 - 0.999 ** step)) + 1e-8;
      return p - 0.01 * decay * p - (0.01 * state[0]) / (1 - 0.9 ** step) / v;
    },
  },
};

describe('optimizers', () => {
  for (const [name, { options, rule }] of Object.entries(RULES)) {
    it(`${name}: the formula, decaying weights and not biases`, () => {
      const network = parameters();
      const optimizer = new Optimizer(options, network);
      const random = new Random(9);
      const expected = network.learned.map(({ data }) => Array.from(data));
      const states = network.learned.map(({ data }) => Array.from(data, (): number[] => []));
      for (let step = 1; step <= 5; step++) {
        for (const [i, { gradient, dims }] of network.learned.entries()) {
          const decay = dims.length > 1 ? (options.weightDecay ?? 0) : 0;
          for (let k = 0; k < (gradient as Float32Array).length; k++) {
            const g = Math.fround(random.normal());
            (gradient as Float32Array)[k] = g;
            const row = expected[i] as number[];
            row[k] = rule(row[k] as number, g, states[i]?.[k] as number[], step, decay);
          }
        }
        const before = network.version;
        optimizer.step(step, { factor: 1 }, 1);
        assert.notEqual(network.version, before);
      }
      for (const [i, { data }] of network.learned.entries()) {
        data.forEach((value, k) => {
          const wanted = expected[i]?.[k] as number;
          assert.ok(Math.abs(value - wanted) < TOLERANCE * Math.max(1, Math.abs(wanted)), `${value} ${wanted}`);
        });
      }
    });
  }

  it('shortens gradients that are longer than the clip', () => {
    const [clipped, plain] = [parameters(), parameters()];
    for (const network of [clipped, plain]) network.gradients.fill(3);
    const norm = Math.hypot(...clipped.gradients);
    new Optimizer({ kind: 'sgd', rate: 1, clipNorm: norm / 4 }, clipped).step(1, { factor: 1 }, norm);
    new Optimizer({ kind: 'sgd', rate: 0.25 }, plain).step(1, { factor: 1 }, norm);
    clipped.values.forEach((value, i) => {
      assert.ok(Math.abs(value - (plain.values[i] as number)) < TOLERANCE);
    });
  });
});
