// Steps of a training: batches in their order, sums of an epoch, checkpoints of the same settings gone on with.
import assert from 'node:assert/strict';
import { Loader } from '../../../lib/data/loader.js';
import { buildModel } from '../../../lib/models/index.js';
import { CheckpointError } from '../../../lib/train/errors.js';
import { runSteps } from '../../../lib/train/loop.js';
import { QUARTERS_NORMALIZATION, quarters } from '../../support/quarters.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const loader = new Loader(quarters(12, 1), { batchSize: 4, normalization: QUARTERS_NORMALIZATION, dropLast: true });
const graph = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });

/** Sums the steps that it has seen into its state. */
function learner() {
  const state = [new Float32Array(1)];
  const steps: number[] = [];
  return {
    ...{ state, steps, graph: () => graph },
    step: (_: unknown, step: number) => {
      steps.push(step);
      (state[0] as Float32Array)[0] = (state[0]?.[0] ?? 0) + step;
      return { loss: 1, seen: step };
    },
  };
}

describe('steps of a training', () => {
  const folder = temporaryFolder();
  const loop = { operation: 'test', loader, batchSize: 4, steps: 5, configuration: { rate: 1 } };

  it('are counted, with sums that begin anew in each epoch', async () => {
    const seen: unknown[] = [];
    const { learner: done } = await runSteps(loop, learner, ({ step, steps, epoch, epochEnded }, sums) =>
      seen.push([step, steps, epoch, epochEnded, sums.loss]),
    );
    assert.deepEqual(done.steps, [0, 1, 2, 3, 4]);
    assert.deepEqual(seen, [
      [1, 5, 1, false, 1],
      [2, 5, 1, false, 2],
      [3, 5, 1, true, 3],
      [4, 5, 2, false, 1],
      [5, 5, 2, false, 2],
    ]);
  });

  it('go on behind the latest checkpoint, with its state and sums', async () => {
    const checkpoints = folder('run');
    const abort = new AbortController();
    const stopped = runSteps(
      { ...loop, checkpoints, checkpointEvery: 2, signal: abort.signal },
      learner,
      ({ step }) => {
        if (step === 3) abort.abort(new Error('enough'));
      },
    );
    await assert.rejects(stopped, /enough/);
    const { learner: done } = await runSteps({ ...loop, checkpoints, resume: true }, learner, () => {});
    assert.deepEqual(done.steps, [2, 3, 4]);
    assert.equal(done.state[0]?.[0], 0 + 1 + 2 + 3 + 4);
    const other = { ...loop, checkpoints, resume: true, configuration: { rate: 2 } };
    await assert.rejects(
      runSteps(other, learner, () => {}),
      (error) => error instanceof CheckpointError && /expected \{"rate":2\}, received \{"rate":1\}/.test(error.message),
    );
  });

  it('refuses checkpoints at no step', async () => {
    await assert.rejects(
      runSteps({ ...loop, checkpointEvery: 0 }, learner, () => {}),
      /checkpointEvery/,
    );
  });
});
