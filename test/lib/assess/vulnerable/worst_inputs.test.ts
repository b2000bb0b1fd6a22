// Worst inputs are failures when they are run again, no larger than they say; rankings hold what the integers do.

import assert from 'node:assert/strict';
import { imageSamples } from '../../../../lib/assess/samples.js';
import { rankVulnerability } from '../../../../lib/assess/vulnerable/vulnerability.js';
import { type InputChange, worstInputs } from '../../../../lib/assess/vulnerable/worst_inputs.js';
import { corrupt, normalized } from '../../../../lib/data/corruptions.js';
import { evaluationData } from '../../../../lib/data/evaluation_data.js';
import { subset } from '../../../../lib/data/image_set.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { runFloat } from '../../../../lib/runtime/backends/float.js';
import { evaluatePolicies } from '../../../../lib/runtime/evaluate_policies.js';
import { classification } from '../../../../lib/tasks/classification.js';
import { floats } from '../../../../lib/tensor/host_tensor.js';
import { blobs, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';

const CLASSES = 4;
const SIZE = 144;

describe('worstInputs', () => {
  const set = blobs(24, 3);
  let graph: Graph;
  before(async () => {
    graph = await trainedOnBlobs();
  });

  for (const change of ['pixel', 'linf', 'intensity'] as const satisfies InputChange[]) {
    it(`finds changes that break the integers and not full precision (${change})`, async () => {
      const policy = uniformPolicy(graph, change === 'pixel' ? 'W4A4' : 'W2A2');
      const options = { policy, change, directions: 4, seed: 1 };
      const { tried, found, share, shareInterval } = await worstInputs(graph, set, PLAIN, options);
      assert.ok(tried > 0 && (found.length > 0 || change === 'intensity'));
      assert.equal(share, found.length / tried);
      assert.ok(shareInterval[0] <= share && share <= shareInterval[1]);
      const clean = normalized(set, PLAIN);
      const [input = ''] = graph.inputs.map(({ name }) => name);
      for (const [i, { image, label, after, size, input: changed }] of found.entries()) {
        assert.equal(label, set.labels?.[image]);
        assert.ok(i === 0 || size >= (found[i - 1]?.size ?? 0));
        const logits = runFloat(graph, { [input]: floats([1, 1, 12, 12], changed) }).get(graph.outputs[0]?.name ?? '');
        assert.equal(classification.answers(logits?.data as Float32Array, 1)[0], label);
        const data = { dims: [1, 1, 12, 12], inputs: changed };
        const [result] = await evaluatePolicies(graph, [policy], data, { logits: true });
        const quantized = classification.answers(result?.logits as Float32Array, 1)[0];
        assert.equal(quantized, after);
        assert.notEqual(quantized, label);
        const differences = Array.from(changed, (value, at) => (value - (clean[image * SIZE + at] as number)) * 0.25);
        const moved = differences.filter((value) => value !== 0);
        if (change === 'pixel') assert.equal(moved.length, 1);
        // A share of white, in float32.
        if (change === 'linf') assert.ok(Math.max(...differences.map(Math.abs)) < size + 1e-6);
      }
      assert.deepEqual(await worstInputs(graph, set, PLAIN, options), { change, tried, found, share, shareInterval });
    });
  }

  it('finds nothing where nothing is right to begin with', async () => {
    const wrong = { ...set, labels: (set.labels ?? new Int32Array(0)).map((label) => (label + 1) % CLASSES) };
    const policy = uniformPolicy(graph, 'W8A8');
    const { tried, found, shareInterval } = await worstInputs(graph, wrong, PLAIN, { policy, change: 'pixel' });
    assert.deepEqual([tried, found, shareInterval], [0, [], [0, 1]]);
  });

  it('refuses what it cannot try', async () => {
    const policy = uniformPolicy(graph, 'W4A4');
    const { labels: _, ...unlabelled } = set;
    const options = { policy, change: 'pixel' } as const;
    await assert.rejects(
      worstInputs(graph, unlabelled as typeof set, PLAIN, options),
      /set: expected images with labels/,
    );
    await assert.rejects(
      worstInputs(graph, set, PLAIN, { policy, change: 'colour' as InputChange }),
      /change: expected pixel, linf, intensity, received colour/,
    );
    await assert.rejects(worstInputs(graph, set, PLAIN, { ...options, directions: 0 }), /directions/);
  });
});

describe('rankVulnerability', () => {
  it('ranks by what noise does to margins, and says what the integers did', async () => {
    const graph = await trainedOnBlobs();
    const set = await corrupt(blobs(200, 3), 'contrast', 5); // which the integers find hard
    const samples = imageSamples(graph, set, PLAIN);
    const policy = uniformPolicy(graph, 'W2A2');
    const ranking = await rankVulnerability(graph, samples, { policy, seed: 2 });
    assert.equal(new Set(ranking.points.map(({ sample }) => sample)).size, set.count);
    const [result] = await evaluatePolicies(graph, [policy], evaluationData(set, PLAIN), { logits: true });
    const classes = classification.answers(result?.logits as Float32Array, set.count);
    for (const [i, { sample, label, after, before, margin, risk }] of ranking.points.entries()) {
      assert.equal(after, classes[sample]);
      assert.equal(label, set.labels?.[sample]);
      assert.ok(margin >= 0 && risk <= (ranking.points[i - 1]?.risk ?? Number.POSITIVE_INFINITY));
      assert.ok(before >= 0 && before < CLASSES);
    }
    assert.equal(ranking.flips, ranking.points.filter(({ before, after }) => before !== after).length);
    // Two bits change classes, and those with little margin first: far better than the coin's .5.
    assert.ok(ranking.flips > 0 && (ranking.auroc?.value ?? 0) > 0.7, `${ranking.flips} ${ranking.auroc?.value}`);
    // Noise of a sample does not depend on the others.
    const one = ranking.points[0]?.sample ?? 0;
    const few = imageSamples(
      graph,
      subset(
        set,
        Array.from({ length: one + 1 }, (_, i) => i),
      ),
      PLAIN,
    );
    const again = await rankVulnerability(graph, few, { policy, seed: 2 });
    const [first, second] = [ranking, again].map(({ points }) => points.find(({ sample }) => sample === one)?.risk);
    assert.ok(Math.abs((first ?? 0) - (second ?? 1)) < 1e-3 * (first ?? 0));
  });
});
