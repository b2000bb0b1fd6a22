// Logits that are not finite: refused with output, sample and the node that made the first, wherever a network is run.
import assert from 'node:assert/strict';
import { profile } from '../../../lib/assess/profile/profile.js';
import { tensorSamples } from '../../../lib/assess/samples.js';
import { scan } from '../../../lib/assess/scan/scan.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { unboundedWeights } from '../../../lib/runtime/finite.js';
import { floats } from '../../../lib/tensor/host_tensor.js';
import { evaluateBatches } from '../../../lib/train/evaluate.js';
import { fullPrecision } from '../../../lib/train/full_precision.js';

/** e^(x·w) + b: Exp overflows above 88.7. */
function network(bias: number) {
  const b = new GraphBuilder('g');
  const w = b.initializer('w', floats([2, 2], Float32Array.of(100, 1, 1, 1)));
  const exp = b.node('exp', 'Exp', [b.node('fc', 'MatMul', [b.input('x', ['N', 2]), w])]);
  b.output(b.node('y', 'Add', [exp, b.initializer('b', floats([2], Float32Array.of(0, bias)))]));
  return b.build();
}

describe('finite logits', () => {
  const X = floats([3, 2], Float32Array.of(0.1, 0.2, 0.5, 0.1, 1, 0.3));
  const cases = [
    [network(0), /g: expected finite logits, received Infinity: output y, sample 2; first in Exp \(exp\)$/],
    [network(Number.NaN), /received NaN: output y, sample 0; first in Add \(y\), whose weight "b" is not finite$/],
  ] as const;

  for (const [graph, message] of cases) {
    it(`every way to run it says ${message.source.slice(0, 60)}`, async () => {
      const samples = tensorSamples(graph, X, [0, 1, 0]);
      const [data] = samples.batches(3);
      const policy = uniformPolicy(graph, 'W8A8');
      assert.ok(data?.labels);
      await assert.rejects(fullPrecision(graph, data), message);
      await assert.rejects(profile(graph, samples, { policy }), message);
      await assert.rejects(scan(graph, samples, { policy }), message);
      await assert.rejects(evaluatePolicies(graph, [{ schemes: new Map(), excluded: new Set(['fc']) }], data), message);
      const batch = { ...data, count: 3, layout: 'rows', labels: data.labels } as const;
      await assert.rejects(evaluateBatches(graph, [batch], 3), message);
    });
  }

  it('weights with NaN in them are named', () => {
    assert.deepEqual(unboundedWeights(network(Number.NaN)), [{ name: 'b', value: Number.NaN }]);
    assert.deepEqual(unboundedWeights(network(0)), []);
  });
});
