// The gate's training alone, and what it starts from beside a network in training.
import assert from 'node:assert/strict';
import { distance, farApart, GATE_DEFAULTS, kMeans, trainGate } from '../../../../lib/search/agents/gate.js';
import { InputPolicyRunner } from '../../../../lib/search/runner.js';
import { ActivationSpace } from '../../../../lib/search/space.js';
import { Random } from '../../../../lib/tensor/random.js';
import { budget, graph } from '../../../support/blobs.js';

/** Of the magnitude of a normal number. */
const MEDIAN = 0.6745;

describe('the gate', () => {
  it('learns which candidate a sample asks for where each alone is right for half', async () => {
    const random = new Random(1);
    const samples = 512;
    const features = Float32Array.from({ length: samples * 4 }, () => random.normal());
    const expected = Int32Array.from({ length: samples }, (_, i) =>
      Math.abs(features[i * 4] as number) > MEDIAN ? 1 : 0,
    );
    const rewards = new Float32Array(samples * 2);
    expected.forEach((own, i) => {
      rewards[i * 2 + own] = 1;
    });
    const options = { ...GATE_DEFAULTS, hidden: 16, epochs: 40, batchSize: 64, rate: 1e-2, seed: 0 };
    const gate = await trainGate(features, rewards, 2, options);
    const scores = gate.forward(features, samples);
    const right = expected.filter((own, i) => (scores[i * 2 + own] as number) > (scores[i * 2 + 1 - own] as number));
    // Both ends of a feature ask for the same: no linear gate does better than half.
    assert.ok(right.length > 0.9 * samples, `${right.length} of ${samples}`);
  });
});

describe('a gate that learns beside a network', () => {
  it('clusters of rows are those that lie together', () => {
    const random = new Random(4);
    const truth = Array.from({ length: 90 }, (_, i) => i % 3);
    const rows = Float32Array.from({ length: 180 }, (_, i) => 10 * (truth[i >> 1] as number) + random.normal());
    const cluster = kMeans(rows, 90, 3, new Random(1));
    const pairs = new Set(truth.map((own, i) => `${own}:${cluster[i]}`));
    assert.equal(pairs.size, 3);
  });

  it('policies far apart begin with the first and are farther from it than the others', () => {
    const runner = new InputPolicyRunner(graph);
    const space = new ActivationSpace(graph, runner.program.products, budget);
    runner.dispose();
    const all = [...space.all()];
    const chosen = farApart(space, all, 2);
    assert.deepEqual(chosen[0], all[0]);
    const [first, second] = chosen as [Uint8Array, Uint8Array];
    assert.ok(all.every((own) => distance(space, first, own) <= distance(space, first, second)));
    assert.ok(distance(space, first, second) > 0);
  });
});
