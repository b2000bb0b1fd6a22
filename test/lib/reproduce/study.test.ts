// A study of the networks of a file: measured once, another network added later, and files that are refused.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { readPopulation, study } from '../../../lib/reproduce/study.js';
import { RunDirectory } from '../../../lib/run/run_directory.js';
import { blobs } from '../../support/assess_networks.js';

const SIDE = 12;

describe('study', () => {
  let folder: string;
  const write = (networks: readonly object[]) => {
    const path = join(folder, 'population.json');
    writeFileSync(path, JSON.stringify({ schema: 'faultline.population/1', networks }));
    return path;
  };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-study-'));
    for (const seed of [0, 1, 2]) {
      await saveModel(buildModel('mlp', { input: [1, SIDE, SIDE], seed }), join(folder, `${seed}.onnx`));
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const member = (seed: number) => ({
    ...{ name: `n${seed}`, model: `${seed}.onnx`, teacher: `t${seed}`, arch: 'mlp', kind: 'ordinary' },
    policies: ['W3A3', 'W8A8'],
  });

  it('measures a network once, and resumes when the population grows', async () => {
    const run = await RunDirectory.open(join(folder, 'run'), { command: 'study', configuration: {} });
    const test = blobs(60);
    const dataset = { name: 'blobs', test, classNames: [], normalization: { mean: [0.5], std: [0.5] } };
    const options = {
      ...{ data: 'blobs', bits: 'W4A4', images: 20, judged: 40, draws: 1, seed: 0 },
      ...{ run, archs: [], teachers: 1, trainImages: 128 },
    };
    try {
      const members = await readPopulation(write([member(0), member(1)]));
      const first = await study(dataset, { ...options, members });
      assert.deepEqual(
        first.networks.map(({ name, policy }) => `${name} ${policy}`),
        ['n0 W3A3', 'n0 W8A8', 'n1 W3A3', 'n1 W8A8'],
      );
      const grown = await readPopulation(write([member(0), member(1), member(2)]));
      const second = await study(dataset, { ...options, members: grown, only: 'W3A3' });
      assert.deepEqual(
        second.networks.slice(0, 2),
        first.networks.filter(({ policy }) => policy === 'W3A3'),
      );
      assert.equal(readdirSync(join(folder, 'run', 'stages')).length, 5);
    } finally {
      run.close();
    }
  });

  it('refuses a population that is none, naming the file', async () => {
    await assert.rejects(readPopulation(join(folder, 'none.json')), /none\.json: expected a population as JSON/);
    await assert.rejects(readPopulation(write([member(0), member(0)])), /each name once, received n0/);
    await assert.rejects(readPopulation(write([{ ...member(0), name: '../x' }])), /networks\.0\.name: expected what/);
  });
});
