// `faultline bench kernels`: measures jobs and makes the report.
import { keepPart } from '../run/parts.js';
import { quantile } from '../statistics/summary.js';
import { boundOf } from './ceilings.js';
import { onnxRuntimeLibrary, runNative } from './program.js';
import {
  type BenchFailure,
  type BenchReport,
  benchReportSchema,
  type Ceiling,
  type Machine,
  type Row,
} from './schema.js';
import type { Job } from './shapes.js';

// AVX2 has no exact u8·s8 instruction: peers on vpmaddubsw saturate at 16 bits once weights exceed 7 bits
// (2 · 255 · 63 < 2^15). Narrower weights keep all implementations exact, at the same cost.
const AVX2_WEIGHT_MAX = 63;

export interface BenchProgress {
  readonly done: number;
  readonly total: number;
  /** What is measured next; undefined at the end. */
  readonly next: Job | undefined;
}

export interface BenchOptions {
  readonly jobs: readonly Job[];
  /** Each job is measured with each of these thread counts. */
  readonly threads: readonly number[];
  readonly quick: boolean;
  readonly isa?: string | undefined;
  /** Leaves ONNX Runtime out: its threads keep spinning after a run and take a core from the next implementation. */
  readonly withoutOnnxRuntime?: boolean | undefined;
  /** Shown in the report. */
  readonly command: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
}

type BareRow = Omit<Row, 'percentOfCeiling' | 'ceiling' | 'bestPeer' | 'ratioToBestPeer'>;

interface Strongest {
  readonly bestPeer: Row['impl'];
  readonly ratioToBestPeer: number;
}

/** How many times longer `slow` takes: the median over rounds, since the two of one round met the same machine. */
export function timeRatio(slow: Pick<Row, 'roundsUs' | 'medianUs'>, fast: Pick<Row, 'roundsUs' | 'medianUs'>): number {
  if (slow.roundsUs.length !== fast.roundsUs.length) return slow.medianUs / fast.medianUs;
  return quantile(
    slow.roundsUs.map((us, round) => us / (fast.roundsUs[round] ?? Number.NaN)),
    0.5,
  );
}

/** Adds what can be said of a row only when all are there: its share of the ceiling, its ratio to the best peer. */
function completeRows(rows: readonly BareRow[], jobs: readonly Job[], ceilings: readonly Ceiling[], machine: Machine) {
  const jobOf = new Map(jobs.map((job) => [`${job.op} ${job.shape}`, job]));
  return rows.map((row): Row => {
    const job = jobOf.get(`${row.op} ${row.shape}`);
    const bound = job && boundOf(job, row, ceilings, machine);
    const share = bound ? { ceiling: bound.name, percentOfCeiling: (100 * bound.us) / row.medianUs } : {};
    if (row.impl !== 'faultline') return { ...row, ...share };
    const best = rows
      .filter((peer) => peer.impl !== 'faultline')
      .filter((peer) => peer.op === row.op && peer.shape === row.shape && peer.threads === row.threads)
      .map((peer) => ({ bestPeer: peer.impl, ratioToBestPeer: timeRatio(peer, row) }))
      .reduce<Strongest | undefined>((a, b) => (a && a.ratioToBestPeer <= b.ratioToBestPeer ? a : b), undefined);
    return { ...row, ...share, ...best };
  });
}

function absentPeers(machine: Machine, { isa, withoutOnnxRuntime }: BenchOptions): string[] {
  const notes: string[] = [];
  if (machine.onednn === '') notes.push('onednn: absent when faultline was built (Debian: libdnnl-dev); not compared');
  if (isa !== undefined) {
    notes.push(`onnxruntime: cannot be held to ${isa}; not compared`);
  } else if (withoutOnnxRuntime) {
    notes.push('onnxruntime: left out, since its threads keep spinning after a run; not compared');
  } else if (machine.onnxruntime === '') {
    notes.push('onnxruntime: the npm package onnxruntime-node is not installed; not compared');
  }
  if (isa === 'avx2') notes.push(`weights within ±${AVX2_WEIGHT_MAX}: with more, peers saturate on AVX2 and are wrong`);
  return notes;
}

/** What one run of the native program says beside the jobs. */
class Surroundings {
  machine: Machine | undefined;
  readonly ceilings: Ceiling[] = [];
  readonly notes = new Set<string>();

  /** Measured before and after the jobs: the higher figure is what the machine can do. */
  addCeiling(ceiling: Ceiling): void {
    const seen = this.ceilings.find(({ name, threads }) => name === ceiling.name && threads === ceiling.threads);
    if (seen) seen.value = Math.max(seen.value, ceiling.value);
    else this.ceilings.push(ceiling);
  }
}

interface Measured {
  readonly rows: BareRow[];
  readonly failures: BenchFailure[];
}

/** One after the other, the results of jobs; the last call gives what came after them. */
async function* measured(jobs: readonly Job[], options: BenchOptions, around: Surroundings): AsyncGenerator<Measured> {
  const { threads, isa } = options;
  const narrow = isa === 'avx2' ? ` wmax=${AVX2_WEIGHT_MAX}` : '';
  const messages = runNative({
    lines: jobs.map(({ op, line }) => `${line} threads=${threads.join(',')}${op.endsWith('.int4') ? '' : narrow}`),
    ceilings: threads,
    quick: options.quick,
    isa,
    onnxRuntime: isa === undefined && !options.withoutOnnxRuntime ? onnxRuntimeLibrary() : undefined,
    signal: options.signal,
  });
  let current: Measured = { rows: [], failures: [] };
  for await (const message of messages) {
    if (message.type === 'machine') {
      const { type: _, ...rest } = message;
      around.machine = rest;
    } else if (message.type === 'ceiling') {
      const { type: _, ...rest } = message;
      around.addCeiling(rest);
    } else if (message.type === 'note') {
      around.notes.add(message.text);
    } else {
      const job = jobs[message.job];
      if (!job) throw new Error(`bench: expected a job below ${jobs.length}, received ${message.job}`);
      const { op, shape, sets } = job;
      if (message.type === 'row') {
        const { type: _, job: __, ...rest } = message;
        current.rows.push({ op, shape, ...rest, sets: [...sets] });
      } else if (message.type === 'failure') {
        const { type: _, job: __, ...rest } = message;
        current.failures.push({ op, shape, ...rest });
      } else {
        yield current;
        current = { rows: [], failures: [] };
      }
    }
  }
}

/** Measures every job. Throws InvalidArgumentError on options the machine cannot satisfy. */
export async function benchKernels(options: BenchOptions): Promise<BenchReport> {
  const { jobs } = options;
  const startedAt = new Date().toISOString();
  const around = new Surroundings();
  const rows: BareRow[] = [];
  const failures: BenchFailure[] = [];
  let rest: AsyncGenerator<Measured> | undefined;
  try {
    for (const [done, next] of jobs.entries()) {
      options.onProgress?.({ done, total: jobs.length, next });
      // The native program measures what was not kept: it is started at the first such job.
      const found = await keepPart(`${next.op} ${next.shape} ${options.isa} ${options.threads}`, async () => {
        rest ??= measured(jobs.slice(done), options, around);
        const { value } = await rest.next();
        if (!value) throw new Error(`bench: expected a result for ${next.op} ${next.shape}, received none`);
        return value;
      });
      rows.push(...found.rows);
      failures.push(...found.failures);
    }
    options.onProgress?.({ done: jobs.length, total: jobs.length, next: undefined });
    rest ??= measured([], options, around);
    await rest.next();
  } finally {
    await rest?.return(undefined);
  }
  const { machine, ceilings, notes } = around;
  if (!machine) throw new Error('bench: expected a description of the machine, received none');
  return benchReportSchema.parse({
    schema: 'faultline.bench/1',
    command: options.command,
    startedAt,
    quick: options.quick,
    machine,
    ceilings,
    rows: completeRows(rows, jobs, ceilings, machine),
    failures,
    notes: [...absentPeers(machine, options), ...notes],
  } satisfies BenchReport);
}
