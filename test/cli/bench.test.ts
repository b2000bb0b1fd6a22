// `faultline bench`: shape files, the report's schema, filters and refusals. Nothing here judges a time.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { geometricMean, sections, timeRatio } from '../../lib/bench/kernels.js';
import { markdownReport } from '../../lib/bench/markdown.js';
import { packageRoot } from '../../lib/bench/program.js';
import { type Report, type Row, reportSchema } from '../../lib/bench/schema.js';
import { mergeJobs, OPS, parseShapes, selectJobs } from '../../lib/bench/shapes.js';
import { evaluateTargets } from '../../lib/bench/targets.js';
import { terminalReport } from '../../lib/bench/terminal.js';

const SHAPES = join(packageRoot(), 'bench', 'shapes');
const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

function faultline(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
}

function row(fields: Partial<Row>): Row {
  return {
    op: 'matmul.s32',
    shape: '1x1x1',
    impl: 'faultline',
    isa: 'scalar',
    threads: 1,
    medianUs: 1,
    roundsUs: [1],
    gops: 1,
    calls: 1,
    variant: 'v',
    kernel: '',
    sets: ['peers'],
    ...fields,
  };
}

const EMPTY_REPORT: Report = {
  schema: 'faultline.bench/1',
  command: 'faultline bench kernels',
  startedAt: '2026-01-01T00:00:00.000Z',
  quick: true,
  machine: {
    cpu: 'cpu',
    isa: 'scalar',
    cpus: 1,
    l1Bytes: 1,
    l2Bytes: 1,
    l3Bytes: 1,
    onednn: '',
    onednnIsa: '',
    onnxruntime: '',
  },
  ceilings: [],
  rows: [],
  failures: [],
  notes: [],
};

describe('bench shapes', () => {
  it('every shipped file parses, and between them all operations occur', () => {
    const files = readdirSync(SHAPES);
    assert.ok(files.length >= 8);
    const jobs = files.flatMap((file) => parseShapes(readFileSync(join(SHAPES, file), 'utf8'), file));
    assert.deepEqual(new Set(jobs.map((job) => job.op)), new Set(OPS));
    for (const job of jobs) assert.ok(job.multiplyAdds > 0 && job.bytes > 0, job.line);
  });

  it('counts multiply-adds of products, strided and grouped convolutions', () => {
    const count = (line: string) => parseShapes(line, 'x.txt')[0]?.multiplyAdds;
    assert.equal(count('matmul 16 1024 512'), 16 * 1024 * 512);
    assert.equal(count('conv 1 224 224 3 64 7x7 s2 p3'), 112 * 112 * 64 * 147);
    assert.equal(count('conv 2 16 16 128 128 3x3 p1 g128'), 2 * 256 * 128 * 9);
    assert.equal(count('conv 1 9 9 1 1 3x3 d2'), 25 * 9);
  });

  it('a family is its s32 and dynamic operations; int4 comes per channel and in the blocks that fit', () => {
    const text = 'matmul 1 2 64 # two\nmatmul.int4 1 2 64\nconv.int4 1 8 8 64 64 3x3 b32';
    assert.deepEqual(
      parseShapes(text, 'x.txt').map((job) => `${job.op} ${job.shape}`),
      [
        'matmul.s32 1x2x64',
        'matmul.dynamic 1x2x64',
        'matmul.int4 1x2x64',
        'matmul.int4 1x2x64/b32',
        'conv.int4 1x8x8x64-64-3x3/b32',
      ],
    );
  });

  it('a shape in several sets is measured once and remembers them', () => {
    const jobs = mergeJobs([...parseShapes('matmul.s32 1 2 3', 'a.txt'), ...parseShapes('matmul.s32 1 2 3', 'b.txt')]);
    assert.deepEqual(
      jobs.map((job) => job.sets),
      [['a', 'b']],
    );
  });

  for (const [line, message] of [
    ['matmul 1 2', /x\.txt:1: expected M N K, received 2 numbers/],
    ['matmul 1 0 3', /expected a natural number, received "0"/],
    ['multiply 1 2 3', /expected one of matmul, .*, received "multiply"/],
    ['conv 1 8 8 3 4 3', /expected KHxKW, received "3"/],
    ['conv 1 8 8 3 4 3x3 q2', /expected s2, p1, g8 or d2, received "q2"/],
    ['conv 1 8 8 3 4 3x3 g2', /expected channels divisible by the groups, received 3 and 4 channels, 2 groups/],
    ['conv 1 2 2 3 4 3x3', /expected a kernel that fits the padded input, received 3x3 on 2x2/],
    ['matmul.int4 1 64 64 b24', /expected b0, or a block that is a power of two from 16, received b24/],
    ['matmul 1 64 64 b32', /expected block sizes with int4 only/],
  ] as const) {
    it(`refuses "${line}", naming file and line`, () => {
      assert.throws(() => parseShapes(line, 'x.txt'), message);
    });
  }

  it('filters by operation, shape and set; all filters must match', () => {
    const names = (...filters: string[]) => selectJobs(SHAPES, { filters }).map((job) => `${job.op} ${job.shape}`);
    assert.deepEqual(names('^matmul', '512x512x512'), ['matmul.s32 512x512x512', 'matmul.dynamic 512x512x512']);
    const depthwise = selectJobs(SHAPES, { filters: ['mobilenetv2', '-g\\d+', 'conv.dynamic'] });
    assert.equal(depthwise.length, 10);
    assert.ok(depthwise.every((job) => job.depthwise));
  });

  it('refuses unknown sets, unreadable files, bad expressions and filters that match nothing', () => {
    assert.throws(
      () => selectJobs(SHAPES, { files: ['nosuch'] }),
      /expected a file, or one of .*peers.*, received "nosuch"/,
    );
    assert.throws(() => selectJobs(SHAPES, { files: ['./nosuch.txt'] }), /ENOENT/);
    assert.throws(() => selectJobs(SHAPES, { filters: ['('] }), /filter: expected a regular expression/);
    assert.throws(() => selectJobs(SHAPES, { filters: ['nosuch'] }), /received nosuch/);
  });
});

describe('bench reports', () => {
  it('compares round by round, so a machine that slows down does not count', () => {
    const slow = row({ roundsUs: [2, 20, 200], medianUs: 20 });
    const fast = row({ roundsUs: [1, 10, 100], medianUs: 10 });
    assert.equal(timeRatio(slow, fast), 2);
    assert.equal(timeRatio(row({ roundsUs: [8, 8], medianUs: 8 }), row({ roundsUs: [2], medianUs: 2 })), 4);
    assert.equal(geometricMean([1, 4]), 2);
    assert.equal(geometricMean([]), undefined);
  });

  it('tables keep to 80 columns, also with the longest shapes and many notes', () => {
    const longest = selectJobs(SHAPES, {}).map((job) =>
      row({
        op: job.op,
        shape: job.shape,
        medianUs: 123456.7,
        gops: 12345.6,
        ratioToBestPeer: 123.4,
        bestPeer: 'onednn',
      }),
    );
    const report = {
      ...EMPTY_REPORT,
      rows: longest,
      notes: ['a long note '.repeat(20)],
      failures: [
        {
          op: 'conv.s32' as const,
          shape: '1',
          impl: 'onednn' as const,
          threads: 1,
          variant: 'v',
          reason: 'r '.repeat(99),
        },
      ],
      targets: evaluateTargets({ main: EMPTY_REPORT, vnni: 'no', avx2: 'no', twoThreads: 'no', napiUs: 1 }),
    };
    for (const line of terminalReport(report).split('\n')) assert.ok(line.length <= 80, line);
    assert.match(markdownReport(report), /## Wrong results, not timed/);
  });

  it('judges targets by the figures, and says what cannot be measured', () => {
    const cube = { shape: '512x512x512', roundsUs: [1], medianUs: 1 };
    const main = {
      ...EMPTY_REPORT,
      rows: [
        row({ ...cube, gops: 700, isa: 'amx_int8' }),
        row({ ...cube, impl: 'onednn', medianUs: 1.5, roundsUs: [1.5] }),
      ],
    };
    const verdict = (report: Report, what: string, napiUs: number | string = 3) =>
      evaluateTargets({ main: report, vnni: 'no', avx2: 'no AVX2 here', twoThreads: 'no', napiUs }).find(
        (target) => target.what === what,
      );
    assert.equal(verdict(main, 'matmul.s32 / oneDNN, mean')?.verdict, 'met');
    assert.equal(verdict(main, 'matmul.s32 / oneDNN, mean')?.measured, '1.50×');
    assert.match(verdict(main, 'matmul.s32 512³, of the AMX peak')?.measured ?? '', /no AMX/);
    assert.equal(verdict(main, 'avx2 matmul.s32 / oneDNN on AVX2, mean')?.measured, 'no AVX2 here');
    assert.equal(verdict(main, 'N-API overhead of a small call')?.verdict, 'missed');
    assert.equal(verdict(main, 'N-API overhead of a small call', 1.5)?.verdict, 'met');
    const withAmx = { ...main, ceilings: [{ name: 'amxInt8', unit: 'GOPS' as const, value: 1000, threads: 1 }] };
    assert.equal(verdict(withAmx, 'matmul.s32 512³, of the AMX peak')?.verdict, 'met');
    const slow = { ...withAmx, rows: [row({ ...cube, gops: 640, isa: 'amx_int8' })] };
    assert.equal(verdict(slow, 'matmul.s32 512³, of the AMX peak')?.verdict, 'missed');
  });
});

describe('faultline bench kernels', function () {
  this.timeout(60_000);
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
    const json = join(folder, 'report.json');
    const md = join(folder, 'report.md');
    const run = faultline('bench', 'kernels', '--quick', '--shapes', shapes, '--json', json, '--md', md);
    assert.equal(run.status, 0, run.stderr);
    const report = reportSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
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
    assert.match(readFileSync(md, 'utf8'), /## conv\.int4, 1 thread\n/);
    assert.match(run.stdout, /matmul\.dynamic, 1 thread/);
    assert.match(run.stderr, /\[1\/\d+\] matmul\.s32 3x17x70/);
  });

  it('measures each thread count', () => {
    const json = join(folder, 'threads.json');
    const filter = ['--filter', '^matmul.s32 1x768x768'];
    const run = faultline('bench', 'kernels', '--quick', ...filter, '--threads', '1,2', '--json', json);
    assert.equal(run.status, 0, run.stderr);
    const report = reportSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
    assert.deepEqual(
      report.rows.filter((r) => r.impl === 'faultline').map((r) => r.threads),
      [1, 2],
    );
  });

  it('--isa holds faultline to an instruction set', () => {
    const json = join(folder, 'isa.json');
    const filter = ['--filter', '^matmul.s32 1x10.*', '--filter', 'resnet|peers'];
    const run = faultline('bench', 'kernels', '--quick', '--isa', 'scalar', ...filter, '--json', json);
    assert.equal(run.status, 0, run.stderr);
    const report = reportSchema.parse(JSON.parse(readFileSync(json, 'utf8')));
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
