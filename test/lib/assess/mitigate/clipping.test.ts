// Clipping of what enters products, where the first inputs of nodes are not what enters them: a constant on the left of
// a MatMul, which no policy quantizes, and a Gemm that reads its activation transposed.
import assert from 'node:assert/strict';
import { centralRange, clipping } from '../../../../lib/assess/mitigate/clipping.js';
import { type Calibration, staticPolicy } from '../../../../lib/assess/mitigate/cure.js';
import { guardRanges } from '../../../../lib/assess/mitigate/range_guard.js';
import { profile } from '../../../../lib/assess/profile/profile.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { runReference } from '../../../../lib/graph/reference.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { Random } from '../../../../lib/tensor/random.js';
import { randomTensor } from '../../../support/onnxruntime.js';
import { CLASSES, HIDDEN, INPUTS, vectors } from '../../../support/product_network.js';

/** x [N, 6] → [6, N] → w · x [8, N] → ReLU → `logits` [N, 3]. */
function leftConstant(): Graph {
  const random = new Random(3);
  const b = new GraphBuilder('left');
  const x = b.node('columns', 'Transpose', [b.input('x', ['N', INPUTS])], { attributes: { perm: [1, 0] } });
  const left = b.node('left', 'MatMul', [b.initializer('w', randomTensor(random, [HIDDEN, INPUTS])), x]);
  const hidden = b.node('hidden', 'Relu', [left]);
  const weight = b.initializer('v', randomTensor(random, [HIDDEN, CLASSES]));
  b.output(b.node('logits', 'Gemm', [hidden, weight], { attributes: { transA: 1 } }));
  return b.build();
}

describe('clipping', () => {
  const graph = leftConstant();
  const samples = vectors(graph, 40);
  const policy = uniformPolicy(graph, 'W4A4');
  const outputs = (network: Graph) => {
    const [batch] = samples.batches(samples.count);
    const { dims, inputs } = batch as { dims: readonly number[]; inputs: Float32Array };
    return runReference(network, { x: floats(dims, inputs) }).get('logits')?.data as Float32Array;
  };

  it('holds the activation of a transposed Gemm, and nothing of a constant on the left', async () => {
    assert.deepEqual([...policy.schemes.keys()], ['logits']);
    const cured = await clipping('percentile').apply({ graph, policy }, { samples } as Calibration, { seed: 0 });
    assert.ok('candidate' in cured);
    const clipped = cured.candidate.graph.nodes.filter(({ operator }) => operator === 'Clip');
    assert.deepEqual(
      clipped.map(({ inputs }) => inputs[0]),
      ['hidden'],
    );
    assert.equal(staticPolicy(cured.candidate), policy);
    const [before, after] = [outputs(graph), outputs(cured.candidate.graph)];
    assert.ok(before.some((value, i) => value !== after[i]) && after.every(Number.isFinite));
  });

  it('its range guard holds the same values, at their ranges', async () => {
    const { graph: guarded, ranges } = await guardRanges(graph, samples, { where: 'products' });
    assert.deepEqual([...ranges.keys()], ['x', 'hidden']);
    assert.equal(ranges.get('hidden')?.[0], 0);
    assert.deepEqual(outputs(guarded), outputs(graph));
  });

  it('its profile has the layer that is quantized, and the classes of full precision', async () => {
    const { layers, network } = await profile(graph, samples, { policy });
    assert.deepEqual(
      layers.map(({ node }) => node),
      ['logits'],
    );
    const labels = samples.labels as Int32Array;
    const right = labels.filter((label, i) => label === largest(outputs(graph), i)).length;
    assert.equal(network.accuracy?.fp, right / samples.count);
    assert.ok((network.logits.mse as number) > 0);
  });

  it('cuts as many values of either tail, but none of a tail that ends in zero', () => {
    const values = Float32Array.from({ length: 101 }, (_, i) => i - 50);
    assert.deepEqual(centralRange(values, 0.9), [-45, 45]);
    assert.deepEqual(
      centralRange(
        values.map((value) => value + 50),
        0.9,
      ),
      [0, 90],
    );
  });
});

function largest(logits: Float32Array, sample: number): number {
  const own = [...logits.subarray(sample * CLASSES, (sample + 1) * CLASSES)];
  return own.indexOf(Math.max(...own));
}
