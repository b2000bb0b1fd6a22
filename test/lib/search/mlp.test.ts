// The perceptron of agents: its values by plain loops, softmax, the gradient of the entropy, and ONNX there and back.
import assert from 'node:assert/strict';
import { addEntropyGradient, Mlp, softmaxRow } from '../../../lib/search/mlp.js';
import { Random } from '../../../lib/tensor/random.js';

describe('Mlp', () => {
  it('learns a function that no linear one is, and is the same after ONNX', () => {
    const mlp = Mlp.make('xor', [2, 16, 1], new Random(1));
    mlp.learn({ kind: 'sgd', rate: 0.5, momentum: 0.9 });
    const x = Float32Array.of(-1, -1, -1, 1, 1, -1, 1, 1);
    const target = [-1, 1, 1, -1];
    for (let step = 0; step < 300; step++) {
      mlp.step(x, 4, 1, (y, dy) => dy.set(target.map((each, i) => ((y[i] as number) - each) / 4)));
    }
    const y = mlp.forward(x, 4).slice();
    for (const [i, each] of target.entries()) assert.ok(Math.abs((y[i] as number) - each) < 0.1, `${i}: ${y[i]}`);
    assert.deepEqual(Mlp.fromOnnx(mlp.toOnnx(), 'mlp.onnx').forward(x, 4), y);
    assert.deepEqual(mlp.clone().forward(x, 4), y);
  });

  it('leaves out steps whose gradient is not finite, and refuses to move before it learns', () => {
    const mlp = Mlp.make('m', [2, 3], new Random(1));
    assert.throws(() => mlp.update(1), /Mlp: update: expected learn\(\) before it/);
    mlp.learn({ kind: 'sgd', rate: 1, momentum: 0 });
    const x = Float32Array.of(1, 2);
    const before = mlp.forward(x, 1).slice();
    mlp.step(x, 1, 1, (_, dy) => dy.fill(Number.NaN));
    assert.deepEqual(mlp.forward(x, 1), before);
  });

  it('softmax is exact for large logits, and the entropy gradient is that of a quotient', () => {
    const out = new Float64Array(3);
    softmaxRow(Float32Array.of(9, 1000, 1000, 1000 - Math.LN2), 1, 3, out);
    // ln 2 is taken from 1000 in float32, to some 3e-5.
    for (const [k, p] of [0.4, 0.4, 0.2].entries())
      assert.ok(Math.abs((out[k] as number) - p) < 1e-4, `${k}: ${out[k]}`);
    const logits = [0.3, -1, 0.8];
    const entropy = (values: number[]) => {
      const sum = values.reduce((total, value) => total + Math.exp(value), 0);
      return -values.reduce((total, value) => total + (Math.exp(value) / sum) * Math.log(Math.exp(value) / sum), 0);
    };
    softmaxRow(Float32Array.from(logits), 0, 3, out);
    const gradient = new Float32Array(3);
    addEntropyGradient(out, 3, 1, gradient, 0);
    logits.forEach((_, k) => {
      const moved = (by: number) => entropy(logits.with(k, (logits[k] as number) + by));
      const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      assert.ok(Math.abs((gradient[k] as number) - slope) < 1e-6, `${k}: ${gradient[k]}, ${slope}`);
    });
  });
});
