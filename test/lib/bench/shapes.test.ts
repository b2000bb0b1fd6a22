// Shape files: what each line stands for, what is refused, and how shapes are selected.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeJobs, OPS, parseShapes, selectJobs } from '../../../lib/bench/shapes.js';
import { packageRoot } from '../../../lib/core/package_root.js';

const SHAPES = join(packageRoot(), 'bench', 'shapes');

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
