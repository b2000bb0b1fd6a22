// Scales that leave weights few codes: one channel of each family against all others, and the same function.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { coarseScales } from '../../../../lib/graph/channels/coarse.js';
import { channelGroups } from '../../../../lib/graph/channels/groups.js';
import { rescaleChannels } from '../../../../lib/graph/channels/rescale.js';
import type { HostTensor } from '../../../../lib/tensor/host_tensor.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';

const BOUND = 2;

/** x [N, 2] → hidden [N, 3] → y [N, 2]; the second weight has its largest column in the middle. */
function perceptron() {
  const b = new GraphBuilder('test');
  const first = b.initializer('first', floats([2, 3], [1, 2, 3, 4, 5, 6]));
  const hidden = b.node('relu', 'Relu', [b.node('a', 'MatMul', [b.input('x', ['N', 2]), first])]);
  b.output(b.node('y', 'MatMul', [hidden, b.initializer('second', floats([3, 2], [0.5, 0.25, 1, 1, 0.1, 0.9]))]));
  return b.build();
}

describe('coarse scales', () => {
  it('raise every channel but the one that fills the rows best', () => {
    const graph = perceptron();
    const scales = coarseScales(graph, channelGroups(graph), BOUND);
    assert.deepEqual([...scales], [Math.exp(BOUND), Math.exp(-BOUND), Math.exp(BOUND)]);
  });

  it('leave the other columns e^(2 · bound) times less of a range', () => {
    const graph = perceptron();
    const groups = channelGroups(graph);
    const scaled = rescaleChannels(graph, groups, coarseScales(graph, groups, BOUND));
    const [before, after] = [graph, scaled].map(
      ({ initializers }) => (initializers.get('second') as HostTensor<'float32'>).data,
    ) as [Float32Array, Float32Array];
    // Output 0 reads 0.5, 1 and 0.1: the share of its range that the first column has falls.
    const share = (weights: Float32Array) => (weights[0] as number) / (weights[2] as number);
    const ratio = share(before) / share(after);
    assert.ok(Math.abs(ratio / Math.exp(2 * BOUND) - 1) < 1e-6, String(ratio)); // two weights rounded to float32
  });

  it('with a bound of 0 are all 1', () => {
    const graph = perceptron();
    assert.deepEqual([...coarseScales(graph, channelGroups(graph), 0)], [1, 1, 1]);
  });
});
