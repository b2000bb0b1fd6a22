// Times a whole network under several policies, beside ONNX Runtime in float32 and dynamic int8: every contender in a
// separate process, in turns (A B C A B C …), checked before it is timed.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBatch } from '../../assess/samples.js';
import type { Graph } from '../../graph/graph.js';
import { exportModel } from '../../graph/onnx/export.js';
import { loadModel } from '../../graph/onnx/import.js';
import { prepare } from '../../graph/prepare.js';
import { summarize } from '../../graph/printer.js';
import { inspect } from '../../native/inspect.js';
import { policyToJson } from '../../policy/json.js';
import { type Policy, uniformPolicy } from '../../policy/policy.js';
import { keepPart } from '../../run/parts.js';
import { exportQuantized } from '../../runtime/export/quantized.js';
import { mean, quantile, standardDeviation } from '../../statistics/summary.js';
import { MeasuringProcess } from './child.js';
import type { Contender, InputShape } from './contender.js';
import { batchShape } from './inputs.js';
import { type ModelReport, type ModelRow, modelReportSchema } from './schema.js';

interface BenchModelOptions {
  readonly command: string;
  readonly batches: readonly number[];
  readonly threads: readonly number[];
  /** In the order of the report; without a policy: float32. */
  readonly policies: readonly { readonly name: string; readonly policy: Policy | undefined }[];
  /** Turns of every contender. */
  readonly rounds: number;
  /** Of one turn, at least. */
  readonly roundMs: number;
  readonly seed: number;
  /** Whether ONNX Runtime runs too, where it is installed. */
  readonly peers: boolean;
  /** Keeps what is measured at a batch size and thread count, so that a stopped run resumes. */
  readonly stage?: (<Result>(name: string, compute: () => Promise<Result>) => Promise<Result>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((text: string) => void) | undefined;
}

/** Logits of two float32 libraries: sums of a few thousand products in another order, relative to the largest. */
const FLOAT_TOLERANCE = 1e-4;
/** The policy that ONNX Runtime's dynamic int8 is compared with. */
const PEER_POLICY = 'W8A8';

function onnxRuntimeVersion(): string {
  try {
    const require = createRequire(import.meta.url);
    return (require('onnxruntime-node/package.json') as { version: string }).version;
  } catch {
    return '';
  }
}

/** Files of the contenders, in `folder`; what cannot be made is noted. */
async function contendersOf(
  path: string,
  graph: Graph,
  folder: string,
  options: BenchModelOptions,
  notes: string[],
): Promise<Contender[]> {
  const ours = options.policies.map(({ name, policy }): Contender => {
    const variant = policy ? 'integer plan, a range a sample' : 'float interpreter, batch norms folded';
    return { impl: 'faultline', policy: name, variant, bits: policy && policyToJson(policy), model: path };
  });
  if (!options.peers) return ours;
  if (onnxRuntimeVersion() === '') {
    notes.push('onnxruntime: the npm package onnxruntime-node is not installed; not compared');
    return ours;
  }
  const peer = async (policy: string, variant: string, file: string, bytes: Uint8Array): Promise<Contender> => {
    const model = join(folder, file);
    await writeFile(model, bytes);
    return { impl: 'onnxruntime', policy, variant, bits: undefined, model };
  };
  const peers = [await peer('fp32', 'batch norms folded', 'fp32.onnx', exportModel(prepare(graph)))];
  try {
    const { bytes } = exportQuantized(graph, uniformPolicy(graph, PEER_POLICY));
    const variant = 'DynamicQuantizeLinear, ConvInteger (u8 weights, zero point 128), MatMulInteger; a range a batch';
    peers.push(await peer(PEER_POLICY, variant, 'int8.onnx', bytes));
  } catch (error) {
    notes.push(`onnxruntime dynamic int8: ${(error as Error).message}; not compared`);
  }
  return [...ours, ...peers];
}

const classOf = (logits: Float32Array) =>
  logits.indexOf(logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY));

/** How near logits [batch, classes] are to those of float32. */
export function nearness(logits: Float32Array, reference: Float32Array, batch: number) {
  const classes = reference.length / batch;
  let [signal, noise, same, worst, largest] = [0, 0, 0, 0, 0];
  for (let i = 0; i < reference.length; i++) {
    const [x, r] = [logits[i] as number, reference[i] as number];
    signal += r * r;
    noise += (x - r) ** 2;
    worst = Math.max(worst, Math.abs(x - r));
    largest = Math.max(largest, Math.abs(r));
  }
  for (let sample = 0; sample < batch; sample++) {
    const [from, to] = [sample * classes, (sample + 1) * classes];
    if (classOf(logits.subarray(from, to)) === classOf(reference.subarray(from, to))) same += 1;
  }
  return {
    ...(noise > 0 && signal > 0 ? { sqnrDb: 10 * Math.log10(signal / noise) } : {}),
    sameClass: same / batch,
    relativeError: largest > 0 ? worst / largest : 0,
  };
}

interface Entrant {
  readonly process: MeasuringProcess;
  readonly baselineBytes: number;
  readonly near: ReturnType<typeof nearness>;
  readonly rounds: number[];
  readonly calls: number[];
  readonly cpu: number[];
  peakBytes: number;
}

function rowOf(entrant: Entrant, batch: number, threads: number): ModelRow {
  const { process, rounds, calls, cpu, near, peakBytes, baselineBytes } = entrant;
  const { impl, policy, variant } = process.contender;
  const { relativeError: _, ...close } = near;
  return {
    impl,
    policy,
    variant,
    batch,
    threads,
    samplesPerSecond: quantile(rounds, 0.5),
    meanSamplesPerSecond: mean(rounds),
    deviation: standardDeviation(rounds),
    latencyMs: {
      median: quantile(calls, 0.5),
      p90: quantile(calls, 0.9),
      p99: quantile(calls, 0.99),
      least: quantile(calls, 0),
    },
    cpuMs: quantile(cpu, 0.5),
    calls: calls.length,
    rounds,
    peakMemoryBytes: peakBytes,
    baselineMemoryBytes: baselineBytes,
    ...close,
  };
}

/** Our rows with their speed over the peer's: float32 over float32, integers over dynamic int8. */
function withRatios(rows: readonly ModelRow[]): ModelRow[] {
  return rows.map((row) => {
    if (row.impl !== 'faultline') return row;
    const expected = row.policy === 'fp32' ? 'fp32' : PEER_POLICY;
    const peer = rows.find(({ impl, policy }) => impl === 'onnxruntime' && policy === expected);
    if (!peer) return row;
    const ratios = row.rounds.map((speed, i) => speed / (peer.rounds[i] as number));
    return {
      ...row,
      peer: `onnxruntime ${peer.policy}`,
      ratioToPeer: quantile(ratios, 0.5),
      cpuRatioToPeer: peer.cpuMs / row.cpuMs,
    };
  });
}

interface Meeting {
  readonly contenders: readonly Contender[];
  readonly batch: number;
  readonly threads: number;
  readonly input: InputShape;
  readonly options: BenchModelOptions;
}

/** All contenders at one batch size and thread count. */
async function meet(meeting: Meeting): Promise<{ rows: ModelRow[]; failures: ModelReport['failures'] }> {
  const { contenders, batch, threads, input, options } = meeting;
  const { signal, onProgress } = options;
  const failures: ModelReport['failures'] = [];
  const started: MeasuringProcess[] = [];
  const say = (contender: Contender, what: string) =>
    onProgress?.(`batch ${batch}, ${threads} threads: ${contender.impl} ${contender.policy}, ${what}`);
  try {
    const entrants: Entrant[] = [];
    let reference: Float32Array | undefined;
    // Float32 first: it is what the others are held against.
    const inOrder = [...contenders].sort((a, b) => Number(b.policy === 'fp32') - Number(a.policy === 'fp32'));
    for (const contender of inOrder) {
      signal?.throwIfAborted();
      say(contender, 'checked');
      const process = new MeasuringProcess(contender, threads);
      started.push(process);
      const fail = (reason: string) =>
        failures.push({ impl: contender.impl, policy: contender.policy, batch, threads, reason });
      try {
        const { logits, baselineBytes, failure } = await process.load(threads, input);
        if (contender.policy === 'fp32') reference ??= logits;
        const near = nearness(logits, reference ?? logits, batch);
        const wrong = contender.policy === 'fp32' && !(near.relativeError <= FLOAT_TOLERANCE);
        if (failure !== undefined) fail(failure);
        else if (wrong) fail(`its float32 logits differ by ${near.relativeError.toExponential(1)} of the largest`);
        else entrants.push({ process, baselineBytes, near, rounds: [], calls: [], cpu: [], peakBytes: baselineBytes });
      } catch (error) {
        fail((error as Error).message);
      }
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const entrant of entrants) {
        signal?.throwIfAborted();
        say(entrant.process.contender, `round ${round + 1} of ${options.rounds}`);
        const { callsMs, cpuMs, peakBytes } = await keepPart('round', () => entrant.process.round(options.roundMs));
        // The median call: on a busy machine a mean is that of the interruptions.
        entrant.rounds.push((1000 * batch) / quantile(callsMs, 0.5));
        entrant.calls.push(...callsMs);
        entrant.cpu.push(cpuMs);
        entrant.peakBytes = Math.max(entrant.peakBytes, peakBytes);
      }
    }
    const rows = new Map<Contender, ModelRow>();
    for (const entrant of entrants) {
      const { layers, totalMs } = await entrant.process.layers();
      const otherMs = Math.max(0, totalMs - layers.reduce((sum, { milliseconds }) => sum + milliseconds, 0));
      const row = rowOf(entrant, batch, threads);
      rows.set(entrant.process.contender, layers.length > 0 ? { ...row, layers: [...layers], otherMs } : row);
    }
    return { rows: withRatios(contenders.flatMap((contender) => rows.get(contender) ?? [])), failures };
  } finally {
    for (const process of started) process.end();
  }
}

/** Measures a model. Throws InvalidArgumentError when it has no input of a declared size, or a batch does not fit. */
export async function benchModel(path: string, options: BenchModelOptions): Promise<ModelReport> {
  const startedAt = new Date().toISOString();
  const { graph } = freeBatch((await loadModel(path)).graph);
  const inputs = options.batches.map((batch) => ({ batch, input: batchShape(graph, batch, options.seed) }));
  const { stage = (_, compute) => compute() } = options;
  const notes: string[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'faultline-bench-'));
  const report = { rows: [] as ModelRow[], failures: [] as ModelReport['failures'] };
  try {
    // The reference of what quantization does to the logits: float32 runs even where its speed was not requested.
    const float = { name: 'fp32', policy: undefined };
    const asked = options.policies.some(({ policy }) => policy === undefined);
    const policies = asked ? options.policies : [float, ...options.policies];
    const contenders = await contendersOf(path, graph, folder, { ...options, policies }, notes);
    for (const { batch, input } of inputs) {
      for (const threads of options.threads) {
        const { rows, failures } = await stage(`b${batch}-t${threads}`, () =>
          meet({ contenders, batch, threads, input, options }),
        );
        report.rows.push(...rows);
        report.failures.push(...failures);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { cpu, isa, threads } = inspect();
  const { macs, parameters } = summarize(graph);
  return modelReportSchema.parse({
    schema: 'faultline.bench-model/1',
    command: options.command,
    startedAt,
    model: path,
    macs,
    parameters,
    machine: {
      cpu: cpu.model,
      isa: isa.chosen,
      cpus: Math.min(threads.affinity, cpus().length),
      node: process.version,
      onnxruntime: options.peers ? onnxRuntimeVersion() : '',
    },
    ...report,
    notes,
  });
}
