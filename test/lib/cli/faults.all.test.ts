// System calls that fail or are the last one of a process (strace), a disk that is full, a folder that cannot be
// written: one clear error and no verdict, then the same command ends as ever and leaves nothing behind.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { Random } from '../../../lib/tensor/random.js';
import { blobs, trainedOnBlobs } from '../../support/assess_networks.js';
import { idx } from '../../support/idx.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const PROGRAM = join(packageRoot(), 'dist', 'test', 'support', 'eager_cli.js');
const VERDICTS = /^(SAFE|CAUTION|UNSAFE): /m;
/** Of each kind of fault at each system call. */
const SAMPLES = 3;

describe('faults below a run', () => {
  const path = temporaryFolder();
  let expected: unknown;
  let files: string[] = [];
  let code: number | null = null;

  // One thread for files: strace counts the calls of each.
  const env = { ...process.env, OMP_NUM_THREADS: '1', UV_THREADPOOL_SIZE: '1' };
  const line = (out: string) => [
    ...[process.execPath, PROGRAM, 'assess', path('m.onnx'), '--data', `${path('images.idx3')},${path('labels.idx1')}`],
    ...['--no-search', '--policies', 'W8A8', '--out', out],
  ];
  const run = (command: string[]) => spawnSync(command[0] as string, command.slice(1), { env, encoding: 'utf8' });
  const figures = (out: string) => {
    const { policies, verdict } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
    return { policies, verdict };
  };
  const names = (out: string) => readdirSync(out, { recursive: true, encoding: 'utf8' }).sort();

  /** What every fault must leave: no verdict that was not found, and a run that ends as ever. */
  function recovers(out: string, { status, stdout, stderr }: ReturnType<typeof run>, what: string): void {
    if (status !== null && status <= 2) assert.match(stdout, VERDICTS, `${what}: ${stderr}`);
    const again = run(line(out));
    assert.equal(again.status, code, `${what}: ${stderr}\nthen: ${again.stderr}`);
    assert.deepEqual(figures(out), expected, what);
    assert.deepEqual(names(out), files, what);
    rmSync(out, { recursive: true });
  }

  before(async () => {
    await saveModel(await trainedOnBlobs(), path('m.onnx'));
    const { pixels, labels } = blobs(100);
    writeFileSync(path('images.idx3'), idx([100, 12, 12], pixels));
    writeFileSync(path('labels.idx1'), idx([100], labels as Int32Array));
    const { status, stderr } = run(line(path('usual')));
    assert.ok(status !== null && status <= 2, stderr);
    [expected, files, code] = [figures(path('usual')), names(path('usual')), status];
  });

  it('each system call may fail, or be the last', function () {
    if (spawnSync('strace', ['-o', '/dev/null', 'true']).status !== 0) return this.skip();
    const random = new Random(14);
    const calls = ['openat', 'write', 'rename', 'fsync', 'fdatasync'];
    const traced = run(['strace', '-f', '-o', path('trace'), '-e', `trace=${calls}`, ...line(path('counted'))]);
    assert.equal(traced.status, code, traced.stderr);
    // Of the thread that makes most of them.
    const trace = readFileSync(path('trace'), 'utf8').split('\n');
    const most = (call: string) => {
      const counts = new Map<string, number>();
      for (const each of trace) {
        const [, thread = ''] = new RegExp(`^(\\d+) +${call}\\(`).exec(each) ?? [];
        if (thread !== '') counts.set(thread, (counts.get(thread) ?? 0) + 1);
      }
      return Math.max(1, ...counts.values());
    };
    for (const call of calls) {
      for (const fault of ['error=ENOSPC', 'error=EIO', 'signal=SIGKILL']) {
        for (let sample = 0; sample < SAMPLES; sample++) {
          const when = 1 + random.integer(most(call));
          const inject = `inject=${call}:${fault}:when=${when}`;
          const out = path('faulty');
          mkdirSync(out, { recursive: true });
          recovers(out, run(['strace', '-f', '-o', '/dev/null', '-e', inject, ...line(out)]), inject);
        }
      }
    }
  });

  it('a full disk is named, and the run goes on where there is room', function () {
    const disk = path('disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status !== 0) return this.skip();
    try {
      const out = join(disk, 'run');
      writeFileSync(join(disk, 'filling'), new Uint8Array(40 << 10));
      const full = run(line(out));
      assert.equal(full.status, 3, full.stderr);
      assert.match(full.stderr, /run.*: expected .*, received ENOSPC/);
      assert.equal(spawnSync('mount', ['-o', 'remount,size=16m', disk]).status, 0);
      recovers(out, full, 'full');
    } finally {
      spawnSync('umount', ['-l', disk]);
    }
  });

  it('a folder that cannot be written, or is none, is refused once', () => {
    for (const out of ['/proc/1/run', path('m.onnx'), join(path('m.onnx'), 'run')]) {
      const { status, stderr } = run(line(out));
      assert.equal(status, 4, stderr);
      assert.match(stderr, /--out: expected a folder that can be written, received .*(run|m\.onnx)/);
    }
  });

  it('75 writers of one file all succeed', () => {
    const script = `import { writeWhole } from '${new URL('../../../lib/run/files.js', import.meta.url)}';
      await Promise.all(Array.from({ length: 25 }, () => writeWhole(process.argv[2], 'x'.repeat(100000))));`;
    writeFileSync(path('writers.mjs'), script);
    const one = [process.execPath, path('writers.mjs'), path('shared')].join(' ');
    const three = `${one} & ${one} & ${one} & wait -n && wait -n && wait -n`;
    const { status, stderr } = spawnSync('bash', ['-c', three], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(readFileSync(path('shared'), 'utf8').length, 100000);
    assert.ok(readdirSync(path()).every((name) => !name.startsWith('.unfinished')));
  });
});
