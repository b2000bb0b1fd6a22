// A contender's process says why it cannot measure.
import assert from 'node:assert/strict';
import { MeasuringProcess } from '../../../../lib/bench/model/child.js';
import { batchShape } from '../../../../lib/bench/model/inputs.js';
import { buildModel } from '../../../../lib/models/index.js';
import { temporaryFolder } from '../../../support/temporary_folder.js';

const graph = buildModel('convnet2', { input: [1, 12, 12], classes: 10, seed: 1 });

describe('bench model: a process', () => {
  const path = temporaryFolder();

  it('a process that cannot load its contender says why', async () => {
    const missing = {
      impl: 'faultline',
      policy: 'fp32',
      variant: '',
      bits: undefined,
      model: path('none'),
    } as const;
    const child = new MeasuringProcess(missing, 1);
    try {
      await assert.rejects(child.load(1, batchShape(graph, 1, 0)), /none/);
    } finally {
      child.end();
    }
  });
});
