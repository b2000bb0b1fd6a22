// Where a quantized network's error comes from, layer by layer: three runs of one batch side by side, step by step — full
// precision, the quantized network, and each layer alone. Memory does not grow with the samples.

import { setImmediate } from 'node:timers/promises';
import { Value } from '../../autograd/tape.js';
import { requireInteger } from '../../core/errors.js';
import type { Graph } from '../../graph/graph.js';
import { type FloatNode, leftInFloat } from '../../graph/left_in_float.js';
import { Parameters } from '../../graph/parameters.js';
import { type NodeSummary, summarize } from '../../graph/printer.js';
import { effectiveBits } from '../../policy/effective_bits.js';
import { formatPolicy, type Policy, uniformPolicy } from '../../policy/policy.js';
import { type FloatUse, float } from '../../runtime/backends/float.js';
import { type IntegerOptions, type IntegerUse, integer } from '../../runtime/backends/integer.js';
import type { Step } from '../../runtime/compile.js';
import { requireFinite } from '../../runtime/finite.js';
import { productOf } from '../../runtime/product.js';
import { compile, type Program } from '../../runtime/program.js';
import type { Run } from '../../runtime/run.js';
import { type Task, total } from '../../tasks/task.js';
import { Memory } from '../../tensor/memory.js';
import { freeBatch, inputOf, type SampleBatch, type Samples } from '../samples.js';
import { type LayerProfile, LayerProfiler, type SplitOptions } from './layer.js';
import { type MachineCeilings, measureCeilings } from './speed.js';
import { type OutputError, OutputErrors } from './sums.js';

/** Under which policy, and how quantized. */
export interface ProfileOptions extends IntegerOptions {
  /** Default W8A8 everywhere. */
  readonly policy?: Policy | undefined;
  /** Samples at a time; by default what keeps memory small. Figures do not depend on it (but with per-tensor ranges). */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Samples done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The error of the whole network. */
export interface NetworkProfile {
  readonly samples: number;
  /** Samples whose answer is not wholly that of full precision. */
  readonly flips: number;
  /** Mean scores against labels; undefined without. */
  readonly accuracy: { readonly fp: number; readonly quantized: number } | undefined;
  /** Of the network's output. */
  readonly logits: OutputError;
  /** Nanoseconds a sample: quantized layers, and everything else. */
  readonly nsPerSample: { readonly layers: number; readonly others: number };
}

/** The quantization error of a network, layer by layer. */
export interface Profile {
  readonly schema: 'faultline.profile/1';
  readonly model: string;
  readonly policy: string;
  readonly effectiveBits: number | undefined;
  readonly network: NetworkProfile;
  readonly ceilings: MachineCeilings;
  /** Quantizable nodes, in order. */
  readonly layers: readonly LayerProfile[];
  /** Nodes with weights that no policy gives bits. */
  readonly leftInFloat: readonly FloatNode[];
}

/** Elements of the largest value of a batch: 4 MB of floats, a few of which are alive at a time in each of three runs. */
const BATCH_ELEMENTS = 2 ** 20;
const MOST_BATCH = 32;

/** A run in full precision, and how many of its steps are done. */
interface Full {
  readonly run: Run;
  readonly use: FloatUse;
  done: number;
}

class Profiler {
  private readonly layers = new Map<number, LayerProfiler>();
  private logits: OutputErrors | undefined;
  private flips = 0;
  private readonly correct = { fp: 0, quantized: 0 };
  /** Of everything but the products, in the fastest batch. */
  private others = Number.POSITIVE_INFINITY;

  /** Full precision, which keeps the value of each step of `program`, and the step that computes it. */
  private readonly full: Program<FloatUse>;
  private readonly parameters: Parameters;
  private readonly fullStep: ReadonlyMap<string, number>;

  constructor(
    private readonly program: Program<IntegerUse>,
    private readonly policy: Policy,
    private readonly task: Task,
    split: SplitOptions,
  ) {
    const summaries = new Map(summarize(program.graph).nodes.map((each) => [each.name, each]));
    this.full = compile(program.graph, float(), { keep: program.steps.map(({ output }) => output) });
    this.parameters = new Parameters(program.graph);
    this.fullStep = new Map(this.full.steps.map(({ output }, index) => [output, index]));
    program.steps.forEach(({ node }, index) => {
      const product = productOf(program.graph, node);
      if (!product) return;
      const summary = summaries.get(node.name) as NodeSummary;
      const bits = policy.schemes.get(node.name);
      this.layers.set(index, new LayerProfiler(node, product, summary, bits, split));
    });
  }

  add(batch: SampleBatch): void {
    const { program } = this;
    const { dims, inputs, layout = 'rows', count } = batch;
    const value = new Value(dims, layout, Memory.borrow(inputs), false);
    const feeds = { [inputOf(program.graph).name]: value };
    const exact = program.begin(feeds, fp32);
    const use = { tape: exact.tape, parameters: this.parameters };
    const full = { run: this.full.begin(feeds, use), use, done: 0 };
    const quantized = exact.fork();
    let others = 0;
    program.steps.forEach((_, index) => {
      const layer = this.layers.get(index);
      if (layer) {
        this.layer(layer, index, exact, full, quantized, count);
        return;
      }
      this.advanceExact(exact, full, index);
      const start = performance.now();
      program.advance(quantized, index, index + 1, fp32);
      others += performance.now() - start;
    });
    this.others = Math.min(this.others, others / count);
    this.outputs(batch, value, exact, quantized);
  }

  /** A step in full precision: its values are those of the float backend. */
  private advanceExact(exact: Run, full: Full, index: number): void {
    const { output, node, last } = this.program.steps[index] as Step;
    const end = (this.fullStep.get(output) ?? -1) + 1;
    if (end > full.done) this.full.advance(full.run, full.done, end, full.use);
    full.done = Math.max(full.done, end);
    if (!full.run.share(exact, [output, ...node.outputs])) this.program.advance(exact, index, index + 1, fp32);
    for (const run of [exact, full.run]) run.forget(last);
  }

  private layer(layer: LayerProfiler, index: number, exact: Run, full: Full, quantized: Run, count: number): void {
    const { program, policy: bits } = this;
    const next = index + 1;
    const alone = exact.fork();
    program.advance(alone, index, next, { bits, inspect: (record) => layer.addIsolated(record) });
    alone.letGo();
    const local = quantized.fork();
    program.advance(local, index, next, fp32);
    this.advanceExact(exact, full, index);
    program.advance(quantized, index, next, { bits, inspect: (record) => layer.addInPlace(record, count) });
    const output = program.steps[index]?.output ?? '';
    const [y, q, x] = [exact, quantized, local].map(({ values }) => values.get(output));
    if (y && q && x) layer.addOutputs(y, q, x); // absent where nothing reads the layer
    local.letGo();
  }

  private outputs({ count, labels, start }: SampleBatch, x: Value, exact: Run, quantized: Run): void {
    const { program } = this;
    const name = program.graph.outputs[0]?.name ?? '';
    const [y, q] = [exact, quantized].map((state) => (program.results(state).get(name) as Value).data) as [
      Float32Array,
      Float32Array,
    ];
    for (const values of [y, q]) requireFinite(program.graph, values, count, x, start);
    this.logits ??= new OutputErrors(y.length / count);
    this.logits.add(y, q, y);
    const { task } = this;
    const [fp, quantizedAnswers] = [task.answers(y, count), task.answers(q, count)];
    this.flips += task.scores(quantizedAnswers, fp).filter((score) => score < 1).length;
    if (!labels) return;
    this.correct.fp += total(task.scores(fp, labels));
    this.correct.quantized += total(task.scores(quantizedAnswers, labels));
  }

  read(
    samples: number,
    labelled: boolean,
    measured: MachineCeilings,
  ): Pick<Profile, 'network' | 'layers' | 'ceilings'> {
    const layers = [...this.layers.values()];
    // What a layer reached the machine can do, whatever disturbed the measurement.
    const integerGops = layers.reduce((most, { gops }) => Math.max(most, gops), measured.integerGops);
    const ceilings = { ...measured, integerGops };
    const total = layers.reduce((sum, { nsPerSample }) => sum + nsPerSample, 0);
    const { fp, quantized } = this.correct;
    const network: NetworkProfile = {
      samples,
      flips: this.flips,
      accuracy: labelled ? { fp: fp / samples, quantized: quantized / samples } : undefined,
      logits: (this.logits as OutputErrors).total(),
      nsPerSample: { layers: total, others: this.others * 1e6 },
    };
    return { network, ceilings, layers: layers.map((layer) => layer.read(ceilings, total)) };
  }

  dispose(): void {
    for (const layer of this.layers.values()) layer.dispose();
  }
}

/** No bits: full precision. */
const fp32: IntegerUse = {};

/**
 * The error profile of a network under a static policy. Throws GraphError when policy or graph do not fit,
 * InvalidArgumentError naming the node on NaN or infinity; the signal's reason when called off.
 */
export async function profile(source: Graph, samples: Samples, options: ProfileOptions = {}): Promise<Profile> {
  const { reduceRange, arithmetic, signal } = options;
  const { graph, batch } = freeBatch(source, samples.dims);
  const policy = options.policy ?? uniformPolicy(graph, 'W8A8');
  const program = compile(graph, integer({ reduceRange, arithmetic }));
  const most = Math.min(MOST_BATCH, Math.max(1, Math.floor(BATCH_ELEMENTS / program.largestValue)));
  const batchSize = options.batchSize ?? batch ?? most;
  requireInteger('profile', 'batchSize', batchSize, 1, 2 ** 31 - 1);
  const split: SplitOptions = {
    ...(reduceRange === undefined ? {} : { reduceRange }),
    ...(arithmetic === undefined ? {} : { arithmetic }),
  };
  let profiler: Profiler | undefined;
  try {
    program.check({ bits: policy }); // refuses a policy that does not fit before any work
    profiler = new Profiler(program, policy, samples.task, split);
    const ceilings = measureCeilings();
    let done = 0;
    for (const part of samples.batches(batchSize)) {
      signal?.throwIfAborted();
      profiler.add(part);
      done += part.count;
      options.onProgress?.(done, samples.count);
      await setImmediate();
    }
    return {
      schema: 'faultline.profile/1',
      model: source.name,
      policy: formatPolicy(policy),
      effectiveBits: policy.schemes.size > 0 ? effectiveBits(graph, policy) : undefined,
      ...profiler.read(done, samples.labels !== undefined, ceilings),
      leftInFloat: leftInFloat(program.graph),
    };
  } finally {
    profiler?.dispose();
    program.dispose();
  }
}
