// What stages of one seed share: names of stages and files by seed, networks written and read, the teacher asked once.
import assert from 'node:assert/strict';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { SeedContext } from '../../../lib/reproduce/context.js';
import type { Material } from '../../../lib/reproduce/material.js';
import { settingsFor } from '../../../lib/reproduce/settings.js';
import { RunDirectory } from '../../../lib/run/run_directory.js';
import { QUARTERS_NORMALIZATION, quarters } from '../../support/quarters.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const set = quarters(6, 1);
const material: Material = {
  ...{ name: 'quarters', classNames: ['a', 'b', 'c', 'd'], normalization: QUARTERS_NORMALIZATION },
  ...{ train: set, validation: set, test: set },
};

describe('context of one seed', () => {
  const folder = temporaryFolder();
  let run: RunDirectory;
  const progress: [string, number][] = [];
  const contextOf = (seeds: number[], seed: number) =>
    new SeedContext(run, settingsFor({ seeds }), material, seed, undefined, (...seen) => progress.push(seen));
  before(async () => {
    run = await RunDirectory.open(folder('run'), { command: 'test', configuration: {}, fresh: false });
  });
  after(() => run.close());

  it('a seed has a folder where there are several', () => {
    assert.equal(contextOf([3], 3).named('teacher'), 'teacher');
    assert.equal(contextOf([3, 4], 4).named('teacher'), 'seed-4/teacher');
    contextOf([3, 4], 4).progress('gauge')(1, 4);
    contextOf([3], 3).progress('gauge')(0, 0);
    assert.deepEqual(progress, [
      ['seed-4/gauge', 0.25],
      ['gauge', 1],
    ]);
  });

  it('a network that a stage wrote is read again, and answers the training images once', async () => {
    const context = contextOf([0], 0);
    const graph = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });
    await context.stage('teacher', async (stage) => {
      await context.writeNetwork(stage, 'teacher', graph);
      return {};
    });
    assert.deepEqual(exportModel(await context.network('teacher')), exportModel(graph));
    const answers = await context.teacherAnswers();
    assert.deepEqual([answers.count, answers.classes], [6, 4]);
    assert.equal(await context.teacherAnswers(), answers);
  });
});
