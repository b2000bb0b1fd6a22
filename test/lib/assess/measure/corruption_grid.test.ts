// The grid of corruptions and policies: its figures counted again by hand, its intervals by simulation.
import assert from 'node:assert/strict';
import { CorruptionErrors } from '../../../../lib/assess/measure/corruption_errors.js';
import { type CorruptionGridOptions, corruptionGrid } from '../../../../lib/assess/measure/corruption_grid.js';
import { corrupt, parseCorruptions } from '../../../../lib/data/corruptions.js';
import { evaluationData } from '../../../../lib/data/evaluation_data.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../../lib/runtime/evaluate_policies.js';
import { Random } from '../../../../lib/tensor/random.js';
import { evaluate } from '../../../../lib/train/evaluate.js';
import { blobs, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';

describe('corruptionGrid', () => {
  const set = blobs(60, 3);
  let graph: Graph;
  let options: CorruptionGridOptions;
  before(async () => {
    graph = await trainedOnBlobs();
    const policies = ['W8A8', 'W2A2'].map((name) => ({ name, policy: uniformPolicy(graph, name) }));
    options = {
      policies,
      corruptions: parseCorruptions('snow:5,contrast:4,contrast:5,bright_pixel:x16'),
      seed: 4,
    };
  });

  it('counts what float32 and the integers get right on the same corrupted images', async () => {
    const grid = await corruptionGrid(graph, set, PLAIN, options);
    assert.equal(grid.conditions.length, 4);
    for (const { corruption, level, fpAccuracy, policies } of [grid.clean, ...grid.conditions]) {
      const shown =
        corruption && level ? await corrupt(set, corruption, level, { seed: 4, normalization: PLAIN }) : set;
      assert.equal(fpAccuracy, (await evaluate(graph, shown, PLAIN)).accuracy);
      const results = await evaluatePolicies(
        graph,
        options.policies.map(({ policy }) => policy),
        evaluationData(shown, PLAIN),
      );
      policies.forEach((figures, i) => {
        assert.equal(figures.accuracy, results[i]?.accuracy);
        assert.ok(Math.abs(figures.drop - (fpAccuracy - figures.accuracy)) < 1e-12);
        assert.ok(figures.dropInterval[0] <= figures.drop && figures.drop <= figures.dropInterval[1]);
        // Newly wrong less newly right is the drop; a flip may also lead from one wrong class to another.
        assert.ok(Math.abs((figures.newlyWrong - figures.newlyRight) / set.count - figures.drop) < 1e-12);
        assert.ok(figures.newlyWrong + figures.newlyRight <= figures.flips);
      });
    }
    const [, w8a8, w2a2] = grid.summary;
    assert.ok((w2a2?.meanDrop.value ?? 0) > (w8a8?.meanDrop.value ?? 0));
  });

  it('sums mCE and its relative as published', async () => {
    const grid = await corruptionGrid(graph, set, PLAIN, { ...options, baseline: 'W2A2' });
    const error = (policy: string, corruption: string | undefined) =>
      [grid.clean, ...grid.conditions]
        .filter((condition) => condition.corruption === corruption)
        .map(({ fpAccuracy, policies }) => 1 - (policies.find((own) => own.policy === policy)?.accuracy ?? fpAccuracy));
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    for (const { policy, mCE, relativeMCE, meanDrop, meanAccuracy, corruptions } of grid.summary) {
      assert.deepEqual(corruptions, ['snow', 'contrast']); // a range attack is not of the benchmark
      const over = (own: string, relative: boolean) =>
        corruptions.map((corruption) => {
          const errors = error(own, corruption);
          return sum(errors) - (relative ? errors.length * sum(error(own, undefined)) : 0);
        });
      const ratios = (relative: boolean) => {
        const base = over('W2A2', relative);
        const own = over(policy, relative).map((value, i) => value / (base[i] as number));
        return base.every((value) => value > 1e-9) ? sum(own) / own.length : undefined;
      };
      for (const [ours, relative] of [
        [mCE, false],
        [relativeMCE, true],
      ] as const) {
        const wanted = ratios(relative);
        if (wanted === undefined) assert.equal(ours, undefined);
        else assert.ok(Math.abs((ours?.value ?? Number.NaN) - wanted) < 1e-9);
      }
      const drops = grid.conditions.map(({ fpAccuracy, policies }) => {
        return fpAccuracy - (policies.find((own) => own.policy === policy)?.accuracy ?? fpAccuracy);
      });
      assert.ok(Math.abs(meanDrop.value - sum(drops) / 4) < 1e-9);
      const accuracies = grid.conditions.map(({ fpAccuracy }, i) => fpAccuracy - (drops[i] as number));
      assert.ok(Math.abs(meanAccuracy.value - sum(accuracies) / 4) < 1e-9);
    }
    const [base] = grid.summary.filter(({ policy }) => policy === 'W2A2');
    assert.deepEqual(base?.mCE?.interval, [1, 1]);
  });

  it('draws images by the seed and gives the same again', async () => {
    const [one, two] = [
      await corruptionGrid(graph, set, PLAIN, { ...options, count: 20 }),
      await corruptionGrid(graph, set, PLAIN, { ...options, count: 20 }),
    ];
    assert.equal(one.images, 20);
    assert.deepEqual(one, two);
  });

  it('refuses what it cannot count, before any work', async () => {
    const { labels: _, ...unlabelled } = set;
    const [policy] = options.policies;
    const refused = (given: typeof set, other: Partial<CorruptionGridOptions>, message: RegExp) =>
      assert.rejects(corruptionGrid(graph, given, PLAIN, { ...options, ...other }), message);
    await refused(unlabelled as typeof set, {}, /set: expected images with labels/);
    await refused(set, { policies: [] }, /policies: expected one or more/);
    await refused(set, { corruptions: [] }, /corruptions: expected one or more/);
    await refused(set, { policies: policy ? [policy, policy] : [] }, /names that differ, received W8A8 twice/);
    await refused(set, { baseline: 'W3A3' }, /baseline: expected fp32, W8A8, W2A2, received W3A3/);
    await refused(set, { signal: AbortSignal.abort(new Error('off')) }, /off/);
  });
});

describe('CorruptionErrors', () => {
  it('has intervals that hold the true ratio as often as they say', () => {
    // Errors of 10 % in the baseline and 20 % in the other, correlated, over two corruptions: mCE is 2.
    const random = new Random(5);
    const [images, repetitions] = [400, 300];
    let held = 0;
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const errors = new CorruptionErrors(['fp32', 'W4A4'], images);
      const right = [new Uint8Array(images), new Uint8Array(images)] as const;
      errors.add(undefined, right);
      for (const corruption of ['fog', 'fog', 'snow'] as const) {
        for (let i = 0; i < images; i++) {
          const wrong = random.uniform() < 0.1;
          right[0][i] = wrong ? 0 : 1;
          right[1][i] = wrong || random.uniform() < 1 / 9 ? 0 : 1;
        }
        errors.add(corruption, right);
      }
      const [low = 0, high = 0] = errors.summaries('fp32', 0.9)[1]?.mCE?.interval ?? [];
      if (low <= 2 && 2 <= high) held += 1;
    }
    // 90 % of 300, within four standard deviations of 1.7 points, and two points for the first-order approximation.
    assert.ok(Math.abs(held / repetitions - 0.9) < 4 * 0.017 + 0.02, `${held} of ${repetitions}`);
  });

  it('has no ratio to a baseline without errors', () => {
    const errors = new CorruptionErrors(['fp32', 'W4A4'], 3);
    errors.add(undefined, [Uint8Array.of(1, 1, 1), Uint8Array.of(1, 1, 0)]);
    errors.add('fog', [Uint8Array.of(1, 1, 1), Uint8Array.of(1, 0, 0)]);
    const [, other] = errors.summaries('fp32', 0.95);
    assert.equal(other?.mCE, undefined);
    assert.ok(Math.abs((other?.meanDrop.value ?? 0) - 2 / 3) < 1e-12);
    assert.ok(Math.abs((other?.worstDrop ?? 0) - 2 / 3) < 1e-12);
  });
});
