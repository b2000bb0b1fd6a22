// The float interpreter on whole networks: its logits are the reference's, fusing changes no gradient, memory comes back.

import assert from 'node:assert/strict';
import { crossEntropy } from '../../../../lib/autograd/ops/loss.js';
import { Tape, type Value } from '../../../../lib/autograd/tape.js';
import { sizeOf } from '../../../../lib/core/shape.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { Parameters } from '../../../../lib/graph/parameters.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { buildModel } from '../../../../lib/models/index.js';
import { setThreads, threads } from '../../../../lib/native/threads.js';
import { float, runFloat } from '../../../../lib/runtime/backends/float.js';
import { compile } from '../../../../lib/runtime/program.js';
import { floats, type HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Memory } from '../../../../lib/tensor/memory.js';
import { Random } from '../../../../lib/tensor/random.js';

/** Products of float32 in another order than the reference's float64 sums, over the depth of the deepest network. */
const TOLERANCE = 1e-4;

function image(channels: number, size: number, count: number): HostTensor<'float32'> {
  const random = new Random(3).split('image');
  const dims = [count, channels, size, size];
  return floats(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => random.normal()),
  );
}

function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, largest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference = Math.max(difference, Math.abs((a[i] as number) - (b[i] as number)));
    largest = Math.max(largest, Math.abs(b[i] as number));
  }
  return difference / largest;
}

/** One training step's loss and gradients. */
function step(graph: Graph, input: HostTensor<'float32'>, labels: Int32Array, keep: 'all' | readonly string[]) {
  const memory = new Memory();
  const parameters = new Parameters(graph);
  const tape = new Tape({ memory, training: true, record: true });
  const results = compile(graph, float(), { keep }).run({ input }, { tape, parameters });
  const logits = results.get(graph.outputs[0]?.name as string) as Value;
  const { loss, gradient } = crossEntropy(tape, logits, labels, { gradient: true });
  tape.backward(logits, gradient as Float32Array);
  memory.reset();
  return { loss, parameters, memory };
}

describe('the float interpreter', () => {
  // Those that the reference computes in seconds.
  for (const name of ['mlp', 'convnet2', 'resnet8', 'resnet20', 'mobilenetv2-cifar'] as const) {
    it(`${name}: the reference's logits`, () => {
      const graph = buildModel(name, { seed: 1 });
      const [, channels, size] = (graph.inputs[0]?.dims ?? []) as number[];
      const feeds = { input: image(channels as number, size as number, 1) };
      const output = graph.outputs[0]?.name as string;
      const expected = runReference(graph, feeds).get(output) as HostTensor<'float32'>;
      const actual = runFloat(graph, feeds).get(output) as HostTensor<'float32'>;
      assert.deepEqual(actual.dims, expected.dims);
      assert.ok(relativeDifference(actual.data, expected.data) < TOLERANCE);
    });
  }

  it('computes the same gradients with and without additions and ReLUs done on the way', () => {
    const graph = buildModel('resnet8', { seed: 2 });
    const labels = Int32Array.from([3, 1, 4, 1]);
    const [fused, plain] = ([[], 'all'] as const).map((keep) => step(graph, image(1, 28, 4), labels, keep));
    assert.ok(fused && plain);
    assert.ok(Math.abs(fused.loss - plain.loss) < TOLERANCE);
    for (const [i, { gradient, name }] of fused.parameters.learned.entries()) {
      const other = plain.parameters.learned[i]?.gradient as Float32Array;
      assert.ok(relativeDifference(gradient as Float32Array, other) < TOLERANCE, name);
    }
  });

  it('gives the same bits every time, and holds no memory of a step when it is over', () => {
    const graph = buildModel('resnet8', { seed: 2 });
    const labels = Int32Array.from([3, 1, 4, 1]);
    const [one, two] = [1, 2].map(() => step(graph, image(1, 28, 4), labels, []));
    assert.deepEqual(one?.parameters.gradients, two?.parameters.gradients);
    assert.equal(one?.memory.liveBuffers, 0);
  });

  it('evaluates the same whatever else is in the batch', () => {
    const before = threads();
    setThreads(1);
    const graph = buildModel('resnet8', { seed: 2 });
    const four = image(1, 28, 4);
    const one = floats([1, 1, 28, 28], four.data.slice(0, 784));
    const output = graph.outputs[0]?.name as string;
    const all = runFloat(graph, { input: four }).get(output)?.data.slice(0, 10) as Float32Array;
    const single = runFloat(graph, { input: one }).get(output)?.data as Float32Array;
    setThreads(before);
    assert.ok(relativeDifference(all, single) < 1e-6);
  });
});
