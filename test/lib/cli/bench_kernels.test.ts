// `faultline bench kernels`: what it measures, what it writes, what it refuses. Nothing here judges a time.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sections } from '../../../lib/bench/figures.js';
import { benchReportSchema } from '../../../lib/bench/schema.js';
import { OPS, parseShapes } from '../../../lib/bench/shapes.js';
import { packageRoot } from '../../../lib/core/package_root.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

function faultline(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
}

describe('faultline bench kernels', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('measures faultline on a tiny shape of every operation, right and with its ceilings', () => {
    const shapes = join(folder, 'tiny.txt');
    const text = [
      'matmul 3 17 70',
      'matmul.int4 3 17 70',
      'conv 2 5 6 8 12 3x3 s2 p1 g2',
      'conv 1 5 5 6 6 3x3 p1 g6',
      'conv.int4 1 5 5 8 6 3x3 p1',
    ];
    writeFileSync(shapes, `${text.join('\n')}\n`);
    const out = join(folder, 'run');
    const run = faultline('bench', 'kernels', '--quick', '--shapes', shapes, '--out', out);
    assert.equal(run.status, 0, run.stderr);
    const report = benchReportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
    assert.deepEqual(report.failures, []);
    const ours = report.rows.filter((r) => r.impl === 'faultline');
    const jobs = parseShapes(text.join('\n'), shapes);
    assert.deepEqual(new Set(ours.map((r) => `${r.op} ${r.shape}`)), new Set(jobs.map((j) => `${j.op} ${j.shape}`)));
    assert.equal(sections(report).length, OPS.length);
    for (const name of ['readL1', 'readL2', 'readL3', 'readDram']) {
      assert.ok(
        report.ceilings.some((ceiling) => ceiling.name === name),
        name,
      );
    }
    for (const peer of ['onednn', 'onnxruntime'] as const) {
      const rows = report.rows.filter((r) => r.impl === peer).length;
      if (report.machine[peer] === '') assert.ok(report.notes.some((note) => note.startsWith(peer)));
      else assert.ok(rows > 0, `${peer} ${report.machine[peer]} is there, but has no rows`);
    }
    assert.match(readFileSync(join(out, 'report.md'), 'utf8'), /## conv\.int4, 1 thread\n/);
    assert.match(run.stdout, /matmul\.dynamic, 1 thread/);
    assert.match(run.stderr, /\[1\/\d+\] matmul\.s32 3x17x70/);
  });

  it('measures each thread count', () => {
    const filter = ['--filter', '^matmul.s32 1x768x768'];
    const run = faultline('bench', 'kernels', '--quick', ...filter, '--threads', '1,2', '--json');
    assert.equal(run.status, 0, run.stderr);
    const report = benchReportSchema.parse(JSON.parse(run.stdout));
    assert.deepEqual(
      report.rows.filter((r) => r.impl === 'faultline').map((r) => r.threads),
      [1, 2],
    );
  });

  it('--isa holds faultline to an instruction set', () => {
    const filter = ['--filter', '^matmul.s32 1x10.*', '--filter', 'resnet|peers'];
    const run = faultline('bench', 'kernels', '--quick', '--isa', 'scalar', ...filter, '--json');
    assert.equal(run.status, 0, run.stderr);
    const report = benchReportSchema.parse(JSON.parse(run.stdout));
    assert.deepEqual(new Set(report.rows.filter((r) => r.impl === 'faultline').map((r) => r.isa)), new Set(['scalar']));
    assert.ok(!report.rows.some((r) => r.impl === 'onnxruntime'));
  });

  for (const [args, message] of [
    [['--nosuch'], /unknown option '--nosuch'/],
    [['--threads', 'many'], /--threads: expected numbers from 1 to 1024, separated by commas, received many/],
    [['--shapes', 'nosuch'], /expected a file, or one of/],
    [['--filter', 'nosuch'], /received nosuch/],
    [['--isa', 'mmx', '--filter', '^matmul.s32 1x768x768'], /FAULTLINE_ISA: expected one of .*, received "mmx"/],
    [['--targets', '--isa', 'avx2'], /--targets: expected .*, received --isa/],
  ] as const) {
    it(`refuses ${args.join(' ')} with exit code 2`, () => {
      const run = faultline('bench', 'kernels', ...args);
      assert.match(run.stderr, message);
      assert.equal(run.status, 2);
      assert.equal(run.stdout, '');
    });
  }
});
