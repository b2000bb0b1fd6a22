// The population of the study: every kind of network of every teacher, in files, made once.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '../../../lib/graph/onnx/import.js';
import { buildPopulation, type PopulationMember } from '../../../lib/reproduce/population.js';
import { RunDirectory } from '../../../lib/run/run_directory.js';
import { blobs, PLAIN } from '../../support/assess_networks.js';

const OPTIONS = { archs: ['convnet2'], teachers: 1, images: 128, seed: 3 } as const;

describe('the population of the study', () => {
  let folder: string;
  let members: PopulationMember[];
  const make = async (signal?: AbortSignal): Promise<PopulationMember[]> => {
    const run = await RunDirectory.open(folder, { command: 'population', configuration: OPTIONS });
    try {
      return await buildPopulation(run, blobs(200, 5), 4, PLAIN, { ...OPTIONS, signal });
    } finally {
      run.close();
    }
  };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-population-'));
    members = await make();
  });
  after(() => rmSync(folder, { recursive: true }));

  it('has every kind of each teacher, each with the policies that it is judged under', async () => {
    const kinds = ['ordinary', 'robust', 'detrimental-mild', 'detrimental-half', 'detrimental', 'gauge', 'gauge-mild'];
    assert.deepEqual(
      members.map(({ kind }) => kind),
      [...kinds, 'stealth'],
    );
    for (const { name, model, teacher, arch, kind, policies } of members) {
      assert.deepEqual([name, teacher, arch], [`convnet2-3-${kind}`, 'convnet2-3', 'convnet2']);
      assert.ok(existsSync(join(folder, model)), model);
      assert.deepEqual(policies.slice(0, 3), ['W8A8', 'W4A4', 'W3A3']);
      await loadModel(join(folder, model));
    }
    assert.equal(members.at(-1)?.policies[3], '848', 'the policy that stealth is for');
  });

  it('finds what it has made', async () => {
    // Called off before anything could be trained.
    assert.deepEqual(await make(AbortSignal.abort(new Error('no more'))), members);
  });
});
