// The shapes that are measured: bench/shapes/*.txt, one shape a line, `#` starts a comment. bench/README.md has the
// format.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';

export const OPS = ['matmul.s32', 'matmul.dynamic', 'matmul.int4', 'conv.s32', 'conv.dynamic', 'conv.int4'] as const;
export type Op = (typeof OPS)[number];

/** One operation on one shape. */
export interface Job {
  readonly op: Op;
  /** `MxNxK`, or `NxHxWxC-OC-KHxKW` with `-s2 -p1 -g8 -d2` where they differ from 1, 0, 1, 1; `/b32`: int4 block. */
  readonly shape: string;
  /** Its source files, without `.txt`. */
  readonly sets: readonly string[];
  /** What the native program reads, without the threads. */
  readonly line: string;
  readonly multiplyAdds: number;
  /** Everything that a call reads or writes: activations, weights, results. */
  readonly bytes: number;
  readonly depthwise: boolean;
}

// A line may name a family: `matmul` and `conv` mean the product alone and the whole dynamic operation.
const FAMILIES: Readonly<Record<string, readonly Op[]>> = {
  matmul: ['matmul.s32', 'matmul.dynamic'],
  conv: ['conv.s32', 'conv.dynamic'],
  ...Object.fromEntries(OPS.map((op) => [op, [op]])),
};
const INT4_BLOCKS = [0, 32, 128];

interface Geometry {
  readonly text: string;
  readonly words: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: number;
  /** Products summed for one output. */
  readonly depth: number;
  readonly depthwise: boolean;
}

function matmulGeometry(words: readonly string[], refuse: (expected: string, received: string) => never): Geometry {
  const [m, n, k] = words.map((word) => natural(word, refuse));
  if (words.length !== 3 || m === undefined || n === undefined || k === undefined) {
    return refuse('M N K', `${words.length} numbers`);
  }
  return {
    text: `${m}x${n}x${k}`,
    words: `m=${m} n=${n} k=${k}`,
    inputs: m * k,
    outputs: m * n,
    weights: n * k,
    depth: k,
    depthwise: false,
  };
}

function natural(word: string, refuse: (expected: string, received: string) => never): number {
  return /^[1-9]\d{0,8}$/.test(word) ? Number(word) : refuse('a natural number', JSON.stringify(word));
}

function convGeometry(words: readonly string[], refuse: (expected: string, received: string) => never): Geometry {
  if (words.length < 6) refuse('N H W C OC KHxKW', `${words.length} words`);
  const [n, h, w, c, oc] = words.slice(0, 5).map((word) => natural(word, refuse)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const kernel = words[5]?.split('x').map((word) => natural(word, refuse)) ?? [];
  const [kh, kw] = kernel;
  if (kernel.length !== 2 || kh === undefined || kw === undefined) return refuse('KHxKW', JSON.stringify(words[5]));
  const options = { s: 1, p: 0, g: 1, d: 1 };
  for (const word of words.slice(6)) {
    const match = /^([spgd])(\d{1,9})$/.exec(word);
    if (!match) return refuse('s2, p1, g8 or d2', JSON.stringify(word));
    options[match[1] as keyof typeof options] = Number(match[2]);
  }
  const { s, p, g, d } = options;
  if (s < 1 || g < 1 || d < 1) refuse('a stride, groups and dilation of at least 1', words.slice(6).join(' '));
  if (c % g !== 0 || oc % g !== 0) refuse('channels divisible by the groups', `${c} and ${oc} channels, ${g} groups`);
  const oh = Math.floor((h + 2 * p - d * (kh - 1) - 1) / s) + 1;
  const ow = Math.floor((w + 2 * p - d * (kw - 1) - 1) / s) + 1;
  if (oh < 1 || ow < 1) refuse('a kernel that fits the padded input', `${kh}x${kw} on ${h}x${w} with padding ${p}`);
  const suffix = `${s > 1 ? `-s${s}` : ''}${p > 0 ? `-p${p}` : ''}${g > 1 ? `-g${g}` : ''}${d > 1 ? `-d${d}` : ''}`;
  return {
    text: `${n}x${h}x${w}x${c}-${oc}-${kh}x${kw}${suffix}`,
    words:
      `n=${n} h=${h} w=${w} c=${c} oc=${oc} kh=${kh} kw=${kw} sh=${s} sw=${s} dh=${d} dw=${d} ` +
      `pt=${p} pl=${p} pb=${p} pr=${p} g=${g}`,
    inputs: n * h * w * c,
    outputs: n * oh * ow * oc,
    weights: sizeOf([oc, kh, kw, c / g]),
    depth: sizeOf([kh, kw, c / g]),
    depthwise: g > 1 && g === c,
  };
}

function makeJob(op: Op, geometry: Geometry, blockSize: number, set: string): Job {
  const int4 = op.endsWith('.int4');
  const activationBytes = op.endsWith('.s32') ? 1 : 4;
  return {
    op,
    shape: geometry.text + (blockSize > 0 ? `/b${blockSize}` : ''),
    sets: [set],
    line: `${op} ${geometry.words}${int4 ? ` block=${blockSize}` : ''}`,
    multiplyAdds: geometry.outputs * geometry.depth,
    bytes: geometry.inputs * activationBytes + geometry.weights * (int4 ? 0.5 : 1) + geometry.outputs * 4,
    depthwise: geometry.depthwise,
  };
}

/** The jobs of one shape file. Throws InvalidArgumentError naming file and line. */
export function parseShapes(text: string, file: string): Job[] {
  const set = basename(file, '.txt');
  const jobs: Job[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [family, ...rest] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (!family) continue;
    const refuse = (expected: string, received: string): never => {
      throw new InvalidArgumentError('bench', `${file}:${index + 1}`, expected, received);
    };
    const ops = FAMILIES[family];
    if (!ops) return refuse(`one of ${Object.keys(FAMILIES).join(', ')}`, JSON.stringify(family));
    const blocks = rest.filter((word) => /^b\d+$/.test(word)).map((word) => Number(word.slice(1)));
    const words = rest.filter((word) => !/^b\d+$/.test(word));
    const int4 = family.endsWith('.int4');
    if (blocks.length > 0 && !int4) refuse('block sizes with int4 only', rest.join(' '));
    const bad = blocks.find((b) => b !== 0 && (b < 16 || Math.log2(b) % 1 !== 0));
    if (bad !== undefined) refuse('b0, or a block that is a power of two from 16', `b${bad}`);
    const geometry = family.startsWith('conv') ? convGeometry(words, refuse) : matmulGeometry(words, refuse);
    for (const op of ops) {
      const sizes = !int4 ? [0] : blocks.length > 0 ? blocks : INT4_BLOCKS.filter((b) => b < geometry.depth);
      for (const size of sizes) jobs.push(makeJob(op, geometry, size, set));
    }
  }
  return jobs;
}

function readShapeFile(file: string): Job[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError('bench', 'shapes', `a readable file of shapes`, (error as Error).message);
  }
  const jobs = parseShapes(text, file);
  if (jobs.length === 0) throw new InvalidArgumentError('bench', file, 'at least one shape', 'none');
  return jobs;
}

/** Jobs of all files, each operation on each shape once, in the order of OPS and then of the files. */
export function mergeJobs(jobs: readonly Job[]): Job[] {
  const merged = new Map<string, Job>();
  for (const job of jobs) {
    const key = `${job.op} ${job.shape}`;
    const seen = merged.get(key);
    merged.set(key, seen ? { ...seen, sets: [...new Set([...seen.sets, ...job.sets])] } : job);
  }
  return [...merged.values()].sort((a, b) => OPS.indexOf(a.op) - OPS.indexOf(b.op));
}

interface ShapeSelection {
  /** Paths, or names of sets in `folder`; none: all sets but `quick`. */
  readonly files?: readonly string[] | undefined;
  /** Regular expressions; a job stays when every one of them matches `op shape sets`. */
  readonly filters?: readonly string[] | undefined;
}

/** The jobs to measure. Throws InvalidArgumentError on unknown files, malformed lines, and when nothing is left. */
export function selectJobs(folder: string, selection: ShapeSelection): Job[] {
  const known = readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .map((file) => basename(file, '.txt'));
  const names = selection.files?.length ? selection.files : known.filter((name) => name !== 'quick');
  const jobs = names.flatMap((name) => {
    if (known.includes(name)) return readShapeFile(join(folder, `${name}.txt`));
    if (!name.includes('/') && !name.endsWith('.txt')) {
      throw new InvalidArgumentError('bench', 'shapes', `a file, or one of ${known.join(', ')}`, JSON.stringify(name));
    }
    return readShapeFile(name);
  });
  const patterns = (selection.filters ?? []).map((source) => {
    try {
      return new RegExp(source);
    } catch (error) {
      throw new InvalidArgumentError('bench', 'filter', 'a regular expression', (error as Error).message);
    }
  });
  const selected = mergeJobs(jobs).filter((job) => {
    const text = `${job.op} ${job.shape} ${job.sets.join(' ')}`;
    return patterns.every((pattern) => pattern.test(text));
  });
  if (selected.length === 0) {
    const expected = 'one that matches an operation, shape or set';
    throw new InvalidArgumentError('bench', 'filter', expected, (selection.filters ?? []).join(' '));
  }
  return selected;
}
