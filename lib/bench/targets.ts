// What the kernels are meant to reach, and whether they do on this machine. The figures were set for one core with AMX;
// ratios between libraries are evaluated anywhere, what needs an AMX unit is said to be out of reach without one.
import { integerPeak } from './ceilings.js';
import { geometricMean, threeFigures } from './figures.js';
import { type BenchOptions, benchKernels, timeRatio } from './kernels.js';
import { napiOverhead } from './napi.js';
import type { BenchReport, Impl, Row, TargetResult } from './schema.js';
import type { Job, Op } from './shapes.js';

/** Everything the targets are judged by; a string says why a run could not be made. */
interface Evidence {
  /** The peer study's shapes, one thread, the kernels this machine chooses. */
  readonly main: BenchReport;
  /** 1024³ held to AVX-512 VNNI. */
  readonly vnni: BenchReport | string;
  /** matmul.s32 of the same shapes held to AVX2. */
  readonly avx2: BenchReport | string;
  /** Large shapes with one and two threads. */
  readonly twoThreads: BenchReport | string;
  readonly napiUs: number | string;
}

/** Multiply-adds from which two threads must pay. */
const LARGE = 1e8;
const DEPTHWISE = /-g\d+$/;
const STEM = /-7x7-/;

/** `measure`: the figure, or why it cannot be had. */
type Target = readonly [
  what: string,
  expected: number,
  unit: '×' | '%' | 'µs',
  measure: (evidence: Evidence) => number | string,
  atMost?: 'at most',
];

const NO_ROWS = 'cannot be measured: nothing was timed that it compares';

function rows(report: BenchReport, op: Op, impl: Impl, shape = /./): Row[] {
  return report.rows.filter((row) => row.op === op && row.impl === impl && row.threads === 1 && shape.test(row.shape));
}

/** Our speed over another's, for each shape that both have. */
function speedUps(ours: readonly Row[], theirs: readonly Row[]): number[] {
  return ours.flatMap((row) => {
    const other = theirs.find((candidate) => candidate.shape === row.shape);
    return other ? [row.op === other.op ? timeRatio(other, row) : other.medianUs / row.medianUs] : [];
  });
}

const mean = (values: readonly number[]) => geometricMean(values) ?? NO_ROWS;
const worst = (values: readonly number[]) => (values.length > 0 ? Math.min(...values) : NO_ROWS);

/** `pick` of our figures over a peer's, same operation. */
function against(op: Op, peer: Impl, pick: (values: readonly number[]) => number | string, shape = /./) {
  return ({ main }: Evidence) => pick(speedUps(rows(main, op, 'faultline', shape), rows(main, op, peer, shape)));
}

/** Share of the integer peak that our kernels' instruction set has here, in percent. */
function shareOfPeak(report: BenchReport | string, op: Op, shape: RegExp, peak?: string): number | string {
  if (typeof report === 'string') return report;
  const row = rows(report, op, 'faultline', shape);
  const shares = row.flatMap((r) => {
    const ceiling = integerPeak(r.isa, op, 1, report.ceilings);
    return ceiling && (peak === undefined || ceiling.name === peak) ? [(100 * r.gops) / ceiling.value] : [];
  });
  if (shares.length === 0 && peak === 'amxInt8') return 'cannot be measured on this machine (no AMX)';
  return worst(shares);
}

function convAgainstStatic(pick: (values: readonly number[]) => number | string, shape = /./) {
  return ({ main }: Evidence) =>
    pick(speedUps(rows(main, 'conv.dynamic', 'faultline', shape), rows(main, 'conv.s32', 'onednn', shape)));
}

/** Our int4 with one scale a channel over our int8, both whole dynamic products. */
function int4AgainstInt8(shape: RegExp) {
  return ({ main }: Evidence) =>
    worst(speedUps(rows(main, 'matmul.int4', 'faultline', shape), rows(main, 'matmul.dynamic', 'faultline', shape)));
}

function dynamicAgainstProduct({ main }: Evidence): number | string {
  const large = rows(main, 'matmul.dynamic', 'faultline').filter((row) => {
    const [, n = 0, k = 0] = row.shape.split('x').map(Number);
    return k >= 512 && n >= 256;
  });
  return worst(speedUps(large, rows(main, 'matmul.s32', 'faultline')));
}

function twoOverOne({ twoThreads }: Evidence): number | string {
  if (typeof twoThreads === 'string') return twoThreads;
  const ours = twoThreads.rows.filter((row) => row.impl === 'faultline');
  return worst(
    ours
      .filter((row) => row.threads === 2)
      .flatMap((two) => {
        const one = ours.find((row) => row.threads === 1 && row.op === two.op && row.shape === two.shape);
        return one ? [timeRatio(one, two)] : [];
      }),
  );
}

/** Both held to AVX2. */
function onAvx2({ avx2 }: Evidence): number | string {
  if (typeof avx2 === 'string') return avx2;
  return mean(speedUps(rows(avx2, 'matmul.s32', 'faultline'), rows(avx2, 'matmul.s32', 'onednn')));
}

const CUBE = /^1024x1024x1024$/;
const BLOCKS_OF_32 = /^(128|1024)x.*\/b32$/;
const BLOCKS_OF_128 = /^(128|1024)x.*\/b128$/;

const ofPeak = (op: Op, shape: RegExp, peak?: string) => (evidence: Evidence) =>
  shareOfPeak(evidence.main, op, shape, peak);

const TARGETS: readonly Target[] = [
  ['matmul.s32 / oneDNN, mean', 1.3, '×', against('matmul.s32', 'onednn', mean)],
  ['matmul.s32 / oneDNN, worst', 1, '×', against('matmul.s32', 'onednn', worst)],
  ['matmul.s32 512³, of the AMX peak', 65, '%', ofPeak('matmul.s32', /^512x512x512$/, 'amxInt8')],
  ['matmul.s32 1024³, of the AMX peak', 55, '%', ofPeak('matmul.s32', CUBE, 'amxInt8')],
  ['matmul.dynamic / ORT, mean', 2, '×', against('matmul.dynamic', 'onnxruntime', mean)],
  ['matmul.dynamic / ORT, worst', 1.2, '×', against('matmul.dynamic', 'onnxruntime', worst)],
  ['matmul.dynamic / our s32, worst', 0.8, '×', dynamicAgainstProduct],
  ['conv.dynamic / ORT, mean', 15, '×', against('conv.dynamic', 'onnxruntime', mean)],
  ['conv.dynamic / ORT, depthwise', 20, '×', against('conv.dynamic', 'onnxruntime', worst, DEPTHWISE)],
  ['conv.dynamic / oneDNN static, mean', 0.8, '×', convAgainstStatic(mean)],
  ['conv.dynamic / oneDNN static, stem', 1.2, '×', convAgainstStatic(worst, STEM)],
  ['conv.dynamic / oneDNN static, depthwise', 1.2, '×', convAgainstStatic(worst, DEPTHWISE)],
  ['int4 / int8, compute-bound, worst', 0.9, '×', int4AgainstInt8(/^(128|1024)x1024x1024$/)],
  ['int4 / int8, 1x4096x4096', 1.6, '×', int4AgainstInt8(/^1x4096x4096$/)],
  ['int4 blocks of 32, M ≥ 128, of the peak', 20, '%', ofPeak('matmul.int4', BLOCKS_OF_32)],
  ['int4 blocks of 128, M ≥ 128, of the peak', 35, '%', ofPeak('matmul.int4', BLOCKS_OF_128)],
  ['int4 blocks of 32 / ORT, M ≥ 128, worst', 8, '×', against('matmul.int4', 'onnxruntime', worst, BLOCKS_OF_32)],
  ['int4 blocks of 128 / ORT, M ≥ 128, worst', 8, '×', against('matmul.int4', 'onnxruntime', worst, BLOCKS_OF_128)],
  ['avx512vnni 1024³, of the VNNI peak', 80, '%', ({ vnni }) => shareOfPeak(vnni, 'matmul.s32', CUBE)],
  ['avx2 matmul.s32 / oneDNN on AVX2, mean', 1, '×', onAvx2],
  ['two threads / one, M·N·K > 10⁸, worst', 1.8, '×', twoOverOne],
  ['N-API overhead of a small call', 2, 'µs', ({ napiUs }) => napiUs, 'at most'],
];

/** Judges every target. */
export function evaluateTargets(evidence: Evidence): TargetResult[] {
  return TARGETS.map(([what, limit, unit, measure, atMost]) => {
    const value = measure(evidence);
    const suffix = `${unit === '×' ? '' : ' '}${unit}`;
    const expected = `${atMost ? '<' : '≥'} ${limit}${suffix}`;
    if (typeof value === 'string') return { what, expected, measured: value, verdict: 'not measured' };
    const met = atMost ? value < limit : value >= limit;
    return { what, expected, measured: `${threeFigures(value)}${suffix}`, verdict: met ? 'met' : 'missed' };
  });
}

type RunOptions = Pick<BenchOptions, 'quick' | 'command' | 'signal' | 'onProgress'>;

async function attempt(run: () => Promise<BenchReport>): Promise<BenchReport | string> {
  try {
    return await run();
  } catch (error) {
    return `cannot be measured: ${(error as Error).message}`;
  }
}

/** Measures what the targets need, from the jobs of the peer study. The result is the main report with `targets`. */
export async function benchTargets(peers: readonly Job[], options: RunOptions): Promise<BenchReport> {
  const main = await benchKernels({ ...options, jobs: peers, threads: [1] });
  const cube = peers.filter((job) => job.op === 'matmul.s32' && job.shape === '1024x1024x1024');
  const products = peers.filter((job) => job.op === 'matmul.s32');
  const large = peers.filter((job) => job.multiplyAdds > LARGE && job.op.endsWith('.dynamic'));
  const isaRun = (isa: string, jobs: readonly Job[]) =>
    attempt(() => benchKernels({ ...options, jobs, threads: [1], isa }));
  const vnni = main.machine.isa === 'avx512vnni' ? main : await isaRun('avx512vnni', cube);
  const avx2 = await isaRun('avx2', products);
  const twoThreads =
    main.machine.cpus < 2
      ? 'cannot be measured on this machine (one CPU)'
      : await attempt(() => benchKernels({ ...options, jobs: large, threads: [1, 2], withoutOnnxRuntime: true }));
  const { overheadUs } = await napiOverhead(options.signal);
  return { ...main, targets: evaluateTargets({ main, vnni, avx2, twoThreads, napiUs: overheadUs }) };
}
