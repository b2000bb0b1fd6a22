// Runs samples through the integer network, each with its bits, and compares with full precision. A batch of
// thousands of episodes is one forward.

import { Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import type { Scheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { productView } from '../graph/product.js';
import { type IntegerUse, integer } from '../runtime/backends/integer.js';
import type { Step } from '../runtime/compile.js';
import type { EvaluationData } from '../runtime/evaluate_policies.js';
import type { SchemeChooser } from '../runtime/product_scheme.js';
import { compile, type Program } from '../runtime/program.js';
import { taskOf } from '../tasks/index.js';
import { type Answers, type Classes, total } from '../tasks/task.js';
import { Memory } from '../tensor/memory.js';
import { fullPrecision } from '../train/full_precision.js';
import { yieldToEvents } from '../train/steps.js';
import type { InputPolicy } from './input_policy.js';
import { type ActivationBudget, ActivationSpace } from './space.js';

/** Samples at a time: the values of a small network's widest layer then fit the cache. */
export const BATCH = 250;

export interface RunnerOptions {
  readonly signal?: AbortSignal | undefined;
  /** Samples done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Number of samples. */
export function countOf(data: EvaluationData): number {
  return data.dims[0] as number;
}

/** The samples with these numbers as a value to run on. */
export function gatherSamples(data: EvaluationData, indices: ArrayLike<number>): Value {
  const size = sizeOf(data.dims.slice(1));
  const inputs = new Float32Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * size;
    inputs.set(data.inputs.subarray(from, from + size), i * size);
  }
  return new Value([indices.length, ...data.dims.slice(1)], data.layout ?? 'rows', Memory.borrow(inputs), false);
}

/** The samples from one number up to another, not copied. */
export function sliceSamples(data: EvaluationData, start: number, end: number): EvaluationData {
  const size = sizeOf(data.dims.slice(1));
  const part = (classes: Answers | undefined) => classes && Array.prototype.slice.call(classes, start, end);
  return {
    ...data,
    dims: [end - start, ...data.dims.slice(1)],
    inputs: data.inputs.subarray(start * size, end * size),
    labels: part(data.labels),
    reference: part(data.reference),
  };
}

/** Samples from one number on as a value for a plan, not copied. */
export function rowsOf(data: EvaluationData, start: number, count: number): Value {
  const { dims, layout = 'rows', inputs } = sliceSamples(data, start, start + count);
  return new Value(dims, layout, Memory.borrow(inputs), false);
}

/** Data with the classes of full precision. */
export type Referenced = EvaluationData & { readonly reference: ArrayLike<number> };

/** What the task of some data says of classes. Throws InvalidArgumentError where its answers are none. */
export function classesOf(graph: Graph, { task = taskOf(graph) }: EvaluationData): Classes {
  if (task.classes) return task.classes;
  throw new InvalidArgumentError(
    'search',
    'task',
    'one whose answers are classes: bits by input are learned from margins',
    task.name,
  );
}

/** Full precision's first and second choice for each sample. */
export interface Choices {
  readonly classes: Int32Array;
  readonly runnersUp: Int32Array;
}

/** What full precision says of the samples: no labels are looked at. */
export async function choicesOf(graph: Graph, data: EvaluationData, options: RunnerOptions = {}): Promise<Choices> {
  const { logits, answers } = await fullPrecision(graph, data, { signal: options.signal });
  const { first, second } = classesOf(graph, data).leaders(logits, answers.length);
  return { classes: first, runnersUp: second };
}

/** The data with the classes that full precision gives, unless they are there. */
export async function withReference(graph: Graph, data: EvaluationData, options?: RunnerOptions): Promise<Referenced> {
  const classes = classesOf(graph, data);
  const reference = data.reference ?? (await fullPrecision(graph, data, { signal: options?.signal })).answers;
  return { ...data, reference: classes.of(reference) };
}

/** Results of samples under bits chosen for each. */
export interface BitsResult {
  readonly samples: number;
  /** Share of the samples whose class is the label's; undefined without labels. */
  readonly accuracy: number | undefined;
  /** Share of the samples whose class is that of full precision; undefined without `reference`. */
  readonly agreement: number | undefined;
  /** [samples, classes] */
  readonly logits: Float32Array;
  /** Option numbers, [samples, nodes of the space]. */
  readonly options: Uint8Array;
}

/** A network compiled for integers, to run again and again; `dispose` frees it. */
export class InputPolicyRunner {
  readonly program: Program<IntegerUse>;
  private readonly input: string;
  private readonly output: string;

  constructor(readonly graph: Graph) {
    const [input, ...others] = graph.inputs;
    const [output] = graph.outputs;
    if (!input || !output || others.length > 0) {
      throw new InvalidArgumentError(
        'input policy',
        'graph',
        'one input and an output',
        `${graph.inputs.length} inputs`,
      );
    }
    this.program = compile(graph, integer());
    this.input = input.name;
    this.output = output.name;
  }

  /** What the first node of a space sees of a batch; the program's memory. */
  firstActivation(space: ActivationSpace, x: Value): Value {
    const { program } = this;
    const at = program.steps.findIndex(({ node, quantizable }) => quantizable && space.place(node.name) === 0);
    const run = program.begin({ [this.input]: x }, {});
    program.advance(run, 0, at, {});
    const { node } = program.steps[at] as Step;
    return run.values.get(productView(program.graph, node)?.activation ?? '') as Value;
  }

  /** Logits of a batch, the program's memory. */
  logits(choose: SchemeChooser, x: Value): Float32Array {
    return (this.program.run({ [this.input]: x }, { bits: choose }).get(this.output) as Value).data;
  }

  /** All samples, in order, each under what `bits` chooses; `options` are the result's to be filled. */
  private async over(
    data: EvaluationData,
    nodes: number,
    run: (x: Value, start: number, count: number, options: Uint8Array) => Float32Array,
    { signal, onProgress }: RunnerOptions,
  ): Promise<BitsResult> {
    const { task = taskOf(this.graph) } = data;
    const count = countOf(data);
    const options = new Uint8Array(count * nodes);
    let all = new Float32Array(0);
    let [correct, agreeing] = [0, 0];
    for (let start = 0; start < count; start += BATCH) {
      signal?.throwIfAborted();
      const n = Math.min(BATCH, count - start);
      const logits = run(rowsOf(data, start, n), start, n, options.subarray(start * nodes, (start + n) * nodes));
      const classes = logits.length / n;
      if (all.length === 0) all = new Float32Array(count * classes);
      all.set(logits, start * classes);
      const answers = task.answers(logits, n);
      const { labels, reference } = sliceSamples(data, start, start + n);
      if (labels) correct += total(task.scores(answers, labels));
      if (reference) agreeing += total(task.scores(answers, reference));
      onProgress?.(start + n, count);
      await yieldToEvents();
    }
    return {
      samples: count,
      accuracy: data.labels && correct / count,
      agreement: data.reference && agreeing / count,
      logits: all,
      options,
    };
  }

  /** Every sample under the bits that the policy chooses for it. */
  evaluate(policy: InputPolicy, data: EvaluationData, options: RunnerOptions = {}): Promise<BitsResult> {
    const run = (x: Value, _start: number, count: number, chosen: Uint8Array) => {
      const pass = policy.begin(count);
      const logits = this.logits(pass.choose, x);
      chosen.set(pass.options);
      return logits;
    };
    return this.over(data, policy.space.names.length, run, options);
  }

  /** Every sample under its bits, passed as option numbers [samples, nodes]. */
  replay(
    space: ActivationSpace,
    chosen: Uint8Array,
    data: EvaluationData,
    options: RunnerOptions = {},
  ): Promise<BitsResult> {
    const nodes = space.names.length;
    const run = (x: Value, start: number, count: number, out: Uint8Array) => {
      out.set(chosen.subarray(start * nodes, (start + count) * nodes));
      return this.logits(fixedBits(space, out, count), x);
    };
    return this.over(data, nodes, run, options);
  }

  /** Frees packed weights and values. */
  dispose(): void {
    this.program.dispose();
  }
}

/** The same option numbers for `count` samples. */
export function repeatOptions(options: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(options.length * count);
  for (let i = 0; i < count; i++) all.set(options, i * options.length);
  return all;
}

/** A chooser of known bits: option numbers [samples, nodes]. */
export function fixedBits(space: ActivationSpace, options: Uint8Array, samples: number): SchemeChooser {
  const nodes = space.names.length;
  return ({ name }) => {
    const node = space.place(name);
    if (node === undefined) return undefined;
    const sampleBits = Uint8Array.from(
      { length: samples },
      (_, i) => space.options[node]?.[options[i * nodes + node] as number] as number,
    );
    return { scheme: space.schemes[node]?.[0] as Scheme, sampleBits };
  };
}

/**
 * What the policy chooses for samples, as option numbers [samples, nodes]. Without an actor the first node's activation
 * tells, and the rest of the network need not run.
 */
export async function chosenBits(
  runner: InputPolicyRunner,
  policy: InputPolicy,
  data: EvaluationData,
): Promise<Uint8Array> {
  if (policy.actor || policy.candidates.length === 0) return (await runner.evaluate(policy, data)).options;
  const count = countOf(data);
  const inputs = policy.inputFeatures(runner.firstActivation(policy.space, rowsOf(data, 0, count)), count);
  const suggested = policy.suggest(inputs, count) as Uint16Array;
  const nodes = policy.space.names.length;
  const options = new Uint8Array(count * nodes);
  suggested.forEach((candidate, i) => {
    options.set(policy.candidates[candidate] as Uint8Array, i * nodes);
  });
  return options;
}

/**
 * The activation bits of a budget, by the nodes that a plan of the network runs. Throws InvalidArgumentError as
 * ActivationSpace does.
 */
export function activationSpaceOf(graph: Graph, budget: ActivationBudget): ActivationSpace {
  const runner = new InputPolicyRunner(graph);
  try {
    return new ActivationSpace(graph, runner.program.products, budget);
  } finally {
    runner.dispose();
  }
}
