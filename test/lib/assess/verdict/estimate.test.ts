// What an assessment costs: seconds of its stages from those of one run.
import assert from 'node:assert/strict';
import { Measurer } from '../../../../lib/assess/measure/measurer.js';
import { estimateCost, secondsPerRun, workOf } from '../../../../lib/assess/verdict/estimate.js';
import { twoProducts, vectors } from '../../../support/product_network.js';

const SIZE = {
  ...{ nodes: 10, uniform: 4, searches: 64, searched: 100, judged: 300, compared: 50, profiled: 20, scanned: 30 },
};

describe('estimate of an assessment', () => {
  it('seconds are policies × samples × the part computed × those of one run', () => {
    const {
      stages,
      seconds,
      secondsPerRun: perRun,
    } = estimateCost(0.5, [
      { stage: 'a', policies: 2, samples: 10, part: 1 },
      { stage: 'b', policies: 4, samples: 10, part: 0.25 },
    ]);
    assert.deepEqual(stages, [
      { stage: 'a', seconds: 10 },
      { stage: 'b', seconds: 5 },
    ]);
    assert.deepEqual([seconds, perRun], [15, 0.5]);
  });

  it('the stages are those that run, in their order; without a search nothing is found', () => {
    const work = workOf(SIZE);
    assert.deepEqual(
      work.map(({ stage }) => stage),
      ['policies', 'predicted', 'search', 'found', 'sensitivity', 'profile', 'remedies', 'granularity', 'processors'],
    );
    const named = (stage: string, all = work) => all.find((one) => one.stage === stage);
    assert.deepEqual(named('policies'), { stage: 'policies', policies: 5, samples: 300, part: 1 });
    assert.equal(named('sensitivity')?.policies, 20);
    assert.equal(named('found')?.policies, 2);
    const without = workOf({ ...SIZE, searches: 0 });
    assert.deepEqual([named('search', without)?.policies, named('found', without)?.policies], [0, 0]);
  });

  it('one run is measured on the samples there are, and stops when called off', async () => {
    const graph = twoProducts();
    const measurer = new Measurer(graph);
    try {
      const seconds = await secondsPerRun(measurer, vectors(graph, 3));
      assert.ok(seconds > 0 && Number.isFinite(seconds));
      const signal = AbortSignal.abort(new Error('enough'));
      await assert.rejects(secondsPerRun(measurer, vectors(graph, 3), signal), /enough/);
    } finally {
      measurer.dispose();
    }
  });
});
