// Products split by input channels compute what they did, to the rounding of a sum in another order.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { splitChannels } from '../../../../lib/graph/passes/split_channels.js';
import type { HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor, relativeDifference, runOnnxruntime } from '../../../support/onnxruntime.js';

/** Sums of at most 45 products in two orders: 45 roundings of 2⁻²⁴ of the largest sum, twice. */
const ROUNDED = 90 * 2 ** -24;

describe('splitChannels', () => {
  const random = new Random(3);
  const one = (operator: string, x: number[], w: number[], attributes = {}, bias?: number[]): Graph => {
    const builder = new GraphBuilder(operator);
    const inputs = [builder.input('x', ['N', ...x]), builder.initializer('w', randomTensor(random, w))];
    if (bias) inputs.push(builder.initializer('b', randomTensor(random, bias)));
    builder.output(builder.node('product', operator, inputs, { attributes }));
    return builder.build();
  };
  const cases: Record<string, readonly [Graph, number[]]> = {
    Conv: [one('Conv', [5, 6, 6], [4, 5, 3, 3], { pads: [1, 1, 1, 1], strides: [2, 2] }, [4]), [5, 6, 6]],
    Gemm: [one('Gemm', [7], [7, 3], {}, [3]), [7]],
    'Gemm, weight transposed': [one('Gemm', [7], [3, 7], { transB: 1, alpha: 0.5, beta: 2 }, [3]), [7]],
    MatMul: [one('MatMul', [4, 7], [7, 3]), [4, 7]],
  };
  for (const [name, [graph, dims]] of Object.entries(cases)) {
    it(`${name}: the same function`, async () => {
      const { graph: split, log } = splitChannels(graph, new Map([['product', [4, 1]]]));
      assert.equal(log.length, 1);
      const x = randomTensor(random, [2, ...dims]);
      const [before, after] = await Promise.all(
        [graph, split].map(async (own) => (await runOnnxruntime(own, { x })).get('product') as HostTensor),
      );
      assert.ok(before && after);
      assert.deepEqual(after.dims, before.dims);
      assert.ok(relativeDifference(after, before) < ROUNDED);
      const products = split.nodes.filter(({ operator }) => operator === graph.nodes[0]?.operator);
      assert.deepEqual(
        products.map((node) => node.name),
        ['product', 'product/apart'],
      );
    });
  }

  it('refuses what cannot be split', () => {
    const depthwise = one('Conv', [4, 5, 5], [4, 1, 3, 3], { group: 4 });
    const split =
      (graph: Graph, channels: number[], node = 'product') =>
      () =>
        splitChannels(graph, new Map([[node, channels]]));
    assert.throws(split(depthwise, [1]), /Conv \(product\): expected input channels that can be split/);
    const [gemm] = cases.Gemm as readonly [Graph, number[]];
    for (const channels of [[], [7], [0, 1, 2, 3, 4, 5, 6]]) {
      assert.throws(split(gemm, channels), /expected 1 to 6 of its 7 channels/);
    }
    assert.throws(split(gemm, [1], 'other'), /has no node "other"/);
  });
});
