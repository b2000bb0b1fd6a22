// Checkpoints: what is read is what was saved, the last one stands, and damage is noticed.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync } from 'node:fs';
import { buildModel } from '../../../lib/models/index.js';
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from '../../../lib/train/checkpoint.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('checkpoints', () => {
  const path = temporaryFolder();
  const graph = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });
  const checkpoint = (step: number): Checkpoint => ({
    step,
    configuration: { seed: 1, rate: 0.1 },
    epoch: { images: 3, loss: 0.1 + 0.2 },
    graph,
    state: [Float32Array.of(0.1, -0, 3), new Float32Array(0), Float32Array.of(Number.NaN)],
    remembered: { best: 0.5 },
  });

  it('come back to the last bit; the latest replaces those before', async () => {
    assert.equal(await loadCheckpoint(path('run')), undefined);
    await saveCheckpoint(path('run'), checkpoint(9));
    await saveCheckpoint(path('run'), checkpoint(10));
    assert.deepEqual(readdirSync(path('run')), ['step-10']);
    const loaded = (await loadCheckpoint(path('run'))) as Checkpoint;
    assert.deepEqual({ ...loaded, graph: 0 }, { ...checkpoint(10), graph: 0 });
    assert.deepEqual(loaded.graph.initializers, graph.initializers);
  });

  it('left unfinished do not count', async () => {
    mkdirSync(path('killed', 'unfinished-20'), { recursive: true });
    assert.equal(await loadCheckpoint(path('killed')), undefined);
    await saveCheckpoint(path('killed'), checkpoint(20));
    assert.deepEqual(readdirSync(path('killed')), ['step-20']);
  });

  it('are refused when a file was changed', async () => {
    for (const name of ['model.onnx', 'state.bin']) {
      await saveCheckpoint(path('damaged'), checkpoint(1));
      appendFileSync(path('damaged', 'step-1', name), '!');
      await assert.rejects(
        loadCheckpoint(path('damaged')),
        new RegExp(`step-1.*expected ${name} as written, received changed`),
      );
    }
    await saveCheckpoint(path('damaged'), checkpoint(1));
    appendFileSync(path('damaged', 'step-1', 'checkpoint.json'), '!');
    await assert.rejects(loadCheckpoint(path('damaged')), /expected JSON in checkpoint\.json/);
  });
});
