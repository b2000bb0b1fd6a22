// The examples in the help of every command run as they stand, on a small model and a few images; those that train on a
// named data set take minutes, and their library functions have separate tests.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { Random } from '../../../lib/tensor/random.js';
import { npy } from '../../support/npy.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const SAMPLES = 60;
const SIZE = 28;
const CHANNELS = 3;

/** Learns on a data set by name, for minutes. */
const learns = (example: string) => /^faultline (pair|attack|reproduce|study|train)\b/.test(example);
/** Runs that `report` and `diff` read, with their policies. */
const RUNS = [
  ['scan', 'W8A8'],
  ['before', 'W8A8'],
  ['after', 'W4A4'],
] as const;
/** Exit codes that are answers: assess says caution and unsafe, diff that something got worse. */
const ANSWERS: Readonly<Record<string, readonly number[]>> = { assess: [0, 1, 2], diff: [0, 1] };

describe('examples', () => {
  const folder = temporaryFolder();
  before(async () => {
    await saveModel(
      buildModel('resnet8', { input: [CHANNELS, SIZE, SIZE], classes: 10, seed: 1 }),
      folder('model.onnx'),
    );
    const random = new Random(1);
    const pixels = Uint8Array.from({ length: SAMPLES * SIZE * SIZE * CHANNELS }, () => random.integer(256));
    writeFileSync(folder('images.npy'), npy('|u1', [SAMPLES, SIZE, SIZE, CHANNELS], pixels));
    const labels = Uint8Array.from({ length: SAMPLES }, () => random.integer(10));
    writeFileSync(folder('labels.npy'), npy('|u1', [SAMPLES], labels));
  });

  const run = (line: string) => {
    const [, ...args] = line.split(' ');
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', cwd: folder(''), env });
  };

  for (const { name, load } of COMMANDS) {
    if (!load) continue;
    it(name, async () => {
      const { examples } = (await load()).command;
      // What these two read.
      for (const [out, policy] of name === 'report' || name === 'diff' ? RUNS : []) {
        const { status, stderr } = run(
          `faultline scan model.onnx --data images.npy --policy ${policy} --images 64 --out runs/${out}`,
        );
        assert.equal(status, 0, stderr);
      }
      for (const example of examples.filter((one) => !learns(one) && !one.startsWith('faultline bench'))) {
        const { status, stdout, stderr } = run(example);
        assert.ok((ANSWERS[name] ?? [0]).includes(status ?? -1), `${example}: exit code ${status}\n${stderr}`);
        assert.ok(stdout.length > 0 || example.includes('--format'), example);
        for (const line of example.includes('--json') || example.includes('--format') ? [] : stdout.split('\n')) {
          assert.ok([...line].length <= 80 || existsSync(join(folder(''), line)), `${example}: ${line}`);
        }
        const [, out] = /--out (runs\S+)/.exec(example) ?? [];
        if (out !== undefined)
          assert.match(readFileSync(folder(join(out, 'report.html')), 'utf8'), /^<!doctype html>/i);
      }
    });
  }
});
