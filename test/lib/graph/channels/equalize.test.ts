// Cross-layer equalization: ranges meet, the function stays, and it undoes any earlier scaling.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { type Equalized, equalize } from '../../../../lib/graph/channels/equalize.js';
import { channelGroups } from '../../../../lib/graph/channels/groups.js';
import { rescaleChannels, visitGroups } from '../../../../lib/graph/channels/rescale.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { simplify } from '../../../../lib/graph/passes/index.js';
import { type ArchitectureName, buildModel } from '../../../../lib/models/index.js';
import { runFloat } from '../../../../lib/runtime/backends/float.js';
import type { HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor, relativeDifference } from '../../../support/onnxruntime.js';

/** Moves of 1e-4 in a logarithm end the rounds; those left behind add up over a few layers. */
const SETTLED = 2e-3;
/** Weights rounded once more to float32 in eight layers, sums of hundreds of products: 2^-24 · 2^8. */
const ROUNDING = 2 ** -16;

const network = (name: ArchitectureName) => simplify(buildModel(name, { seed: 5 })).graph;
const logits = (graph: Graph, input: HostTensor) =>
  runFloat(graph, { input }).get(graph.outputs[0]?.name as string) as HostTensor;
const image = (graph: Graph) =>
  randomTensor(new Random(6), graph.inputs[0]?.dims?.map((dim) => (typeof dim === 'number' ? dim : 2)) as number[]);

/** ln of the largest weight that makes, and that reads, each group. */
function ranges({ graph, groups }: Equalized) {
  const made = new Float64Array(groups.groups.length);
  const read = new Float64Array(groups.groups.length);
  for (const constant of groups.constants) {
    if (constant.shift) continue;
    const { data } = graph.initializers.get(constant.name) as HostTensor<'float32'>;
    visitGroups(constant, (start, end, maker, reader) => {
      const peak = Math.max(...data.subarray(start, end).map(Math.abs));
      if (maker >= 0) made[maker] = Math.max(made[maker] as number, peak);
      if (reader >= 0) read[reader] = Math.max(read[reader] as number, peak);
    });
  }
  return { made: made.map(Math.log), read: read.map(Math.log) };
}

describe('cross-layer equalization', () => {
  for (const name of ['mlp', 'resnet8', 'mobilenetv2-cifar'] as const) {
    it(`${name}: what makes a channel and what reads it have one range, and the function stays`, () => {
      const graph = network(name);
      const result = equalize(graph);
      const { made, read } = ranges(result);
      made.forEach((range, group) => {
        assert.ok(Math.abs(range - (read[group] as number)) < SETTLED, `group ${group}: ${range}, ${read[group]}`);
      });
      const input = image(graph);
      assert.ok(relativeDifference(logits(result.graph, input), logits(graph, input)) < ROUNDING);
    });
  }

  it('divides the channels between two layers by √(r₁ r₂) / r₂, as the paper does', () => {
    const random = new Random(9);
    const b = new GraphBuilder('two');
    const [first, second] = [randomTensor(random, [5, 4]), randomTensor(random, [3, 5])];
    const gemm = (name: string, x: string, weight: HostTensor) =>
      b.node(name, 'Gemm', [x, b.initializer(`${name}.weight`, weight)], { attributes: { transB: 1 } });
    b.output(gemm('second', b.node('relu', 'Relu', [gemm('first', b.input('x', ['N', 4]), first)]), second));
    const { scales } = equalize(b.build());
    const peak = (values: readonly number[]) => Math.max(...values.map(Math.abs));
    const expected = Array.from({ length: 5 }, (_, i) => {
      const r1 = peak([...first.data.subarray(4 * i, 4 * i + 4)]);
      const r2 = peak([0, 1, 2].map((row) => second.data[5 * row + i] as number));
      return 1 / (Math.sqrt(r1 * r2) / r2);
    });
    scales.forEach((scale, i) => {
      assert.ok(Math.abs(scale / (expected[i] as number) - 1) < 1e-12, `${i}: ${scale}, ${expected[i]}`);
    });
  });

  it('takes back scales from e^-5 to e^5', () => {
    const graph = network('resnet8');
    const groups = channelGroups(graph);
    const random = new Random(7);
    const scales = Array.from(groups.groups, () => Math.exp(random.uniform(-5, 5)));
    const [plain, undone] = [equalize(graph).graph, equalize(rescaleChannels(graph, groups, scales)).graph];
    for (const [name, { data }] of plain.initializers) {
      const other = undone.initializers.get(name)?.data as Float32Array;
      const peak = Math.max(...(data as Float32Array).map(Math.abs), 1e-9);
      (data as Float32Array).forEach((value, i) => {
        assert.ok(Math.abs(value - (other[i] as number)) < 0.05 * peak, `${name}[${i}]: ${value}, ${other[i]}`);
      });
    }
  });

  it('in powers of two leaves the logits equal to the last bit', () => {
    const graph = network('resnet8');
    const groups = channelGroups(graph);
    const random = new Random(8);
    const off = rescaleChannels(
      graph,
      groups,
      Array.from(groups.groups, () => Math.exp(random.uniform(-3, 3))),
    );
    const mended = equalize(off, { powersOfTwo: true }).graph;
    assert.notDeepEqual(mended.initializers, off.initializers);
    const input = image(graph);
    assert.deepEqual(logits(mended, input), logits(off, input));
  });

  it('leaves channels of zeros alone', () => {
    const graph = network('mlp');
    const weight = graph.initializers.get('hidden1.weight') as HostTensor<'float32'>;
    const data = weight.data.slice();
    data.fill(0, 0, weight.dims[1]);
    const dead = graph.with({ initializers: new Map(graph.initializers).set('hidden1.weight', { ...weight, data }) });
    const { scales } = equalize(dead);
    assert.equal(scales[0], 1);
    assert.ok(scales.every((scale) => scale > 0 && Number.isFinite(scale)));
  });
});
