// Every long command, ended at random moments and started again until it is done: the same result to the bit, times
// aside. Moments are shares of an undisturbed run, so that a slow machine has them everywhere too.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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
  ['search', ['m.onnx', ...IMAGES, '--worst', '--budget', '6', '--bits', '4,8', '--evaluations', '8'], 10],
  ['train', [...LEARNED, '--epochs', '3'], 10],
  ['pair', [...LEARNED, '--objective', 'detrimental'], 10],
  ['attack', [...LEARNED, '--kind', 'gauge'], 8],
];

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
  const options = { cwd: '', env: { ...process.env, OMP_NUM_THREADS: '1' } };

  before(async () => {
    options.cwd = path();
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
    it(`${name} goes on`, async function () {
      this.timeout(0);
      const began = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [...lineOf(name, args), '--fresh'], {
        ...options,
        encoding: 'utf8',
      });
      const whole = performance.now() - began;
      assert.ok(status !== null && status <= 2, stderr);
      const [expected, files] = [report(), names()];
      let fresh = true;
      for (let kill = 0; kill < kills; ) {
        const signal = (['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'] as const)[kill % 4];
        const line: string[] = [...lineOf(name, args), ...(fresh ? ['--fresh'] : [])];
        const child: ChildProcess = spawn(process.execPath, line, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
        let said = '';
        child.stderr?.on('data', (text: Buffer) => {
          said += text;
        });
        const closed = once(child, 'close');
        await Promise.race([closed, setTimeout(random.uniform(0.2, 1) * whole)]);
        const killed: boolean = child.exitCode === null && child.signalCode === null;
        child.kill(signal);
        await closed;
        kill += 1;
        fresh = !killed;
        if (killed && signal !== 'SIGKILL' && child.exitCode !== null && child.exitCode > 2) {
          assert.ok([130, 143].includes(child.exitCode), said);
          assert.match(said, /^faultline: interrupted/);
        } else if (!killed) {
          assert.equal(child.exitCode, status, said);
          assert.deepEqual(report(), expected);
        }
      }
      const last = spawnSync(process.execPath, lineOf(name, args), { ...options, encoding: 'utf8' });
      assert.equal(last.status, status, last.stderr);
      assert.deepEqual(report(), expected);
      assert.deepEqual(names(), files);
    });
  }
});
