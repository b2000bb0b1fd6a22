// Every long command, ended as it opens or renames a file drawn at random, and started again until it is done: the same
// result to the bit, times aside. Between two files nothing changes that a later process sees.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { Random } from '../../../lib/tensor/random.js';
import { blobs, trainedOnBlobs } from '../../support/assess_networks.js';
import { idx } from '../../support/idx.js';
import { writeStripes } from '../../support/stripes.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const PROGRAM = join(packageRoot(), 'dist', 'test', 'support', 'eager_cli.js');
const IMAGES = ['--data', 'images.idx3,labels.idx1', '--mean', '.5', '--std', '.25'];
const LEARNED = ['--data', 'stripes.npz', '--arch', 'mlp'];

/** What differs between two undisturbed runs: times, and what was measured of the machine. */
const TIMES = /^(.*[sS]econds|estimate|startedAt|speed|ceilings|nsPerSample|peakMemoryBytes|stages|roundsUs|medianUs)$/;

// biome-ignore format: a line a command
const COMMANDS: readonly (readonly [name: string, args: readonly string[], kills: number])[] = [
  ['assess', ['m.onnx', ...IMAGES, '--evaluations', '8'], 16],
  ['profile', ['m.onnx', ...IMAGES], 8],
  ['scan', ['m.onnx', ...IMAGES], 10],
  ['vulnerable', ['m.onnx', ...IMAGES, '--searched', '20'], 12],
  ['corruptions', ['m.onnx', ...IMAGES, '--corruptions', 'noise,range'], 10],
  ['mitigate', ['m.onnx', ...IMAGES, '--policy', 'W3A3', '--cures', 'all', '--steps', '30'], 12],
  ['evaluate', ['m.onnx', ...IMAGES, '--batch', '20'], 6],
  ['search', ['m.onnx', ...IMAGES, '--worst', '--budget', '6', '--bits', '4,6,8', '--evaluations', '8'], 10],
  ['train', [...LEARNED, '--epochs', '3'], 10],
  ['pair', [...LEARNED, '--objective', 'detrimental', '--bits', '4,6,8'], 10],
  ['attack', [...LEARNED, '--kind', 'gauge'], 8],
];

/** As processes end on signals that they heed. */
const CODES = { SIGKILL: null, SIGTERM: 143, SIGINT: 130 };

/** A report as its JSON without times; whatever has none has been computed alike. */
function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !TIMES.test(key));
  return Object.fromEntries(kept.map(([key, own]) => [key, withoutTimes(own)]));
}

describe('commands that are killed', () => {
  const path = temporaryFolder();
  const random = new Random(15);

  before(async () => {
    await saveModel(await trainedOnBlobs(), path('m.onnx'));
    const { pixels, labels } = blobs(400);
    writeFileSync(path('images.idx3'), idx([400, 12, 12], pixels));
    writeFileSync(path('labels.idx1'), idx([400], labels as Int32Array));
    writeStripes(path('stripes.npz'), 1600, 300);
  });

  const lineOf = (name: string, args: readonly string[]) => [PROGRAM, name, ...args, '--quiet', '--out', 'run'];
  const report = () => withoutTimes(JSON.parse(readFileSync(path('run', 'report.json'), 'utf8')));
  const names = () => readdirSync(path('run'), { recursive: true, encoding: 'utf8' }).sort();

  for (const [name, args, kills] of COMMANDS) {
    it(`${name} goes on`, () => {
      const run = (more: readonly string[], env: Readonly<Record<string, string>> = {}) =>
        spawnSync(process.execPath, [...lineOf(name, args), ...more], {
          ...{ cwd: path(), env: { ...process.env, OMP_NUM_THREADS: '1', ...env }, encoding: 'utf8' },
        });
      const { status, stderr } = run(['--fresh'], { FAULTLINE_COUNT: path('count') });
      assert.ok(name === 'assess' ? Number(status) <= 2 : status === 0, stderr);
      const most = Number(readFileSync(path('count'), 'utf8'));
      const [expected, files] = [report(), names()];
      let fresh = true;
      for (let kill = 0; kill < kills; kill++) {
        const how = (['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'] as const)[kill % 4] as keyof typeof CODES;
        const ended = run(fresh ? ['--fresh'] : [], { FAULTLINE_END: `${how} ${1 + random.integer(most)}` });
        fresh = ended.status === status;
        if (fresh) assert.deepEqual(report(), expected);
        // A signal before it is heeded ends the process as it does any other.
        else if (how === 'SIGKILL' || ended.signal) assert.equal(ended.signal, how, ended.stderr);
        else {
          assert.equal(ended.status, CODES[how], ended.stderr);
          assert.match(ended.stderr, /^faultline: interrupted/);
        }
      }
      const last = run([]);
      assert.equal(last.status, status, last.stderr);
      assert.deepEqual(report(), expected);
      assert.deepEqual(names(), files);
    });
  }
});
