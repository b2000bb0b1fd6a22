// Many static policies on the same data. Policies that begin alike share their beginning: they form a tree, one level for
// each product in the order it runs, which is walked depth first, so that a layer is computed once for each different
// sequence of bits up to it. Packed weights are shared by all.

import { setImmediate } from 'node:timers/promises';
import { toRows } from '../autograd/ops/layout.js';
import { Tape, Value } from '../autograd/tape.js';
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { formatScheme, type Scheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { prepare } from '../graph/prepare.js';
import { requestedDevice } from '../native/cuda_addon.js';
import { onDevice } from '../native/cuda_products.js';
import { type Device, DeviceError } from '../native/device_error.js';
import { checkPolicy, type Policy } from '../policy/policy.js';
import { keepPart } from '../run/parts.js';
import { taskOf } from '../tasks/index.js';
import type { Answers, Task } from '../tasks/task.js';
import { Memory } from '../tensor/memory.js';
import { device } from './backends/device.js';
import { type FloatUse, float } from './backends/float.js';
import { type IntegerOptions, type IntegerUse, integer } from './backends/integer.js';
import { requireFinite } from './finite.js';
import { compile, type Program } from './program.js';
import type { Feeds, Run } from './run.js';
import { Scores, Tally } from './scores.js';

/** What a network with one float32 input is evaluated on. */
export interface EvaluationData {
  /** Shape of all samples, [count, channels, height, width] for images. */
  readonly dims: readonly number[];
  readonly inputs: Float32Array;
  /** Order of `inputs` in memory: as `dims` says (`rows`, default), or images [count, height, width, channels]. */
  readonly layout?: 'rows' | 'channelsLast' | undefined;
  /** Number of the first sample, for errors. Default 0. */
  readonly start?: number | undefined;
  /** What a good answer is. Default: the task of the network's output. */
  readonly task?: Task | undefined;
  /** Expected answer to each sample, a class in numbers: gives accuracy. */
  readonly labels?: Answers | undefined;
  /** What full precision answers: gives agreement. */
  readonly reference?: Answers | undefined;
}

/** What one policy does to the samples. */
export interface PolicyResult {
  readonly samples: number;
  /** Mean score against labels. */
  readonly accuracy: number | undefined;
  /** Mean score against `reference`. */
  readonly agreement: number | undefined;
  /** With `logits`: [count, classes] */
  readonly logits: Float32Array | undefined;
}

/** How policies are run. */
export interface EvaluatePoliciesOptions {
  /** Samples at a time, by default what fits the cache. Results do not depend on it (but with per-tensor ranges). */
  readonly batchSize?: number | undefined;
  /** Keep all logits. Default false. */
  readonly logits?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Policies times samples done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Events are let in after as many policies of a batch. */
const POLICIES_BETWEEN_EVENTS = 32;

interface Branch {
  readonly children: Map<string, { readonly bits: Scheme | undefined; readonly branch: Branch }>;
  /** Numbers of the policies that end here. */
  readonly policies: number[];
}

/** Numbers of policies, and their logits. */
interface Ends {
  readonly ends: readonly number[];
  readonly logits: Value;
}

const emptyBranch = (): Branch => ({ children: new Map(), policies: [] });

/** How an evaluator quantizes, and where it runs. */
export interface EvaluatorOptions extends IntegerOptions {
  /**
   * Where; results are the same. `cuda` throws DeviceError where there is no GPU or it fails, `auto` continues on the
   * processor then. Default: `FAULTLINE_DEVICE`, else the processor.
   */
  readonly device?: Device | undefined;
}

/** A network ready to be evaluated under any policies, again and again; `dispose` frees it. */
export class PolicyEvaluator {
  private program: Program<IntegerUse>;
  /** Number of the first step of each level: a product and what follows it. */
  private readonly levels: readonly number[];
  private readonly names: readonly string[];
  private full: FullPrecision | undefined;

  /** Throws GraphError when the graph cannot run on integers, DeviceError when there is no such device. */
  constructor(
    readonly graph: Graph,
    private readonly options: EvaluatorOptions = {},
  ) {
    const exact = options.arithmetic !== 'saturating16';
    const there = exact && onDevice('PolicyEvaluator', options.device, () => compile(graph, device(options)));
    this.program = there || compile(graph, integer(options));
    this.names = this.program.products.map(({ name }) => name);
    this.levels = this.program.steps.flatMap(({ quantizable }, index) => (quantizable ? [index] : []));
  }

  /** Where it runs; `auto` may have gone over to the processor. */
  get device(): 'cpu' | 'cuda' {
    return this.program.device;
  }

  /** One result for each policy, in order. Everything is checked before anything runs. */
  async evaluate(
    policies: readonly Policy[],
    data: EvaluationData,
    options: EvaluatePoliciesOptions = {},
  ): Promise<PolicyResult[]> {
    try {
      return await this.evaluateAll(policies, data, options);
    } catch (error) {
      const goOn = error instanceof DeviceError && requestedDevice('PolicyEvaluator', this.options.device) === 'auto';
      if (!goOn || this.device === 'cpu') throw error;
      this.program.dispose();
      this.program = compile(this.graph, integer(this.options));
      return await this.evaluateAll(policies, data, options);
    } finally {
      this.program.end();
    }
  }

  private async evaluateAll(
    policies: readonly Policy[],
    data: EvaluationData,
    options: EvaluatePoliciesOptions,
  ): Promise<PolicyResult[]> {
    const { batchSize = this.program.batchSize, signal, onProgress } = options;
    requireInteger('evaluatePolicies', 'batchSize', batchSize, 1, 2 ** 31 - 1);
    for (const policy of policies) checkPolicy(this.graph, policy);
    const count = this.checkData(data);
    const { start: first = 0 } = data;
    const root = this.tree(policies);
    const unquantized = [...policies.keys()].filter((index) => policies[index]?.schemes.size === 0);
    const tallies = policies.map(() => new Tally());
    const total = policies.length * count;
    let done = 0;
    for (let start = 0; start < count; start += batchSize) {
      signal?.throwIfAborted();
      const end = Math.min(count, start + batchSize);
      const value = batchOf(data, start, end);
      const scores = new Scores(this.program, tallies, { ...data, task: data.task ?? taskOf(this.graph) }, start, end);
      try {
        let before = 0;
        for (const { ends, logits } of this.logitsOf(root, unquantized, value)) {
          if (this.device === 'cpu') requireFinite(this.graph, logits.data, end - start, value, first + start);
          scores.add(ends, logits, options.logits ? count : 0);
          done += ends.length * (end - start);
          before += 1;
          if (before % POLICIES_BETWEEN_EVENTS !== 0) continue;
          onProgress?.(done, total);
          await setImmediate();
          signal?.throwIfAborted();
        }
        scores.finish();
      } finally {
        scores.dispose();
      }
      onProgress?.(done, total);
      await setImmediate();
    }
    return tallies.map(({ correct, agreeing, logits }) => ({
      samples: count,
      accuracy: data.labels && correct / count,
      agreement: data.reference && agreeing / count,
      logits,
    }));
  }

  private checkData({ dims, inputs, labels, reference }: EvaluationData): number {
    const operation = 'evaluatePolicies';
    const [count = 0] = dims;
    if (this.graph.inputs.length !== 1 || this.graph.inputs[0]?.dtype !== 'float32') {
      throw new InvalidArgumentError(operation, 'graph', 'one float32 input', `${this.graph.inputs.length} inputs`);
    }
    if (!(count > 0)) throw new InvalidArgumentError(operation, 'data', 'one or more samples', String(count));
    if (inputs.length !== sizeOf(dims)) {
      throw new InvalidArgumentError(operation, 'inputs', `${sizeOf(dims)} elements`, String(inputs.length));
    }
    for (const [name, values] of Object.entries({ labels, reference })) {
      if (values && values.length !== count) {
        throw new InvalidArgumentError(operation, name, `${count} answers`, String(values.length));
      }
    }
    return count;
  }

  private tree(policies: readonly Policy[]): Branch {
    const root = emptyBranch();
    policies.forEach((policy, index) => {
      if (policy.schemes.size === 0) return;
      let branch = root;
      for (const name of this.names) {
        const bits = policy.schemes.get(name);
        const key = bits ? formatScheme(bits) : '';
        let child = branch.children.get(key);
        if (!child) {
          child = { bits, branch: emptyBranch() };
          branch.children.set(key, child);
        }
        branch = child.branch;
      }
      branch.policies.push(index);
    });
    return root;
  }

  /** Logits of every different policy on a batch, valid until the next are requested. */
  private *logitsOf(root: Branch, unquantized: readonly number[], x: Value): Generator<Ends> {
    const feeds = { [this.graph.inputs[0]?.name ?? '']: x };
    if (unquantized.length > 0) {
      this.full ??= new FullPrecision(prepare(this.graph));
      yield { ends: unquantized, logits: this.full.run(feeds) };
    }
    if (root.children.size === 0) return;
    const run = this.program.begin(feeds, {});
    this.program.advance(run, 0, this.levels[0] ?? this.program.steps.length, {});
    yield* this.walk(root, run);
  }

  private *walk(branch: Branch, run: Run, level = 0): Generator<Ends> {
    const { program } = this;
    if (branch.policies.length > 0) {
      const logits = program.results(run).get(this.graph.outputs[0]?.name ?? '') as Value;
      yield { ends: branch.policies, logits };
    }
    const from = this.levels[level] as number;
    const to = this.levels[level + 1] ?? program.steps.length;
    let left = branch.children.size;
    for (const { bits, branch: child } of branch.children.values()) {
      left -= 1;
      const branch = left > 0 ? run.fork() : run;
      program.advance(branch, from, to, { bits: () => bits });
      yield* this.walk(child, branch, level + 1);
      branch.letGo();
    }
  }

  /** Memory held for packed weights and for values, in bytes. */
  get bytes(): number {
    return this.program.bytes;
  }

  /** Frees packed weights and values. */
  dispose(): void {
    this.full = undefined;
    this.program.dispose();
  }
}

/** What policies without a scheme get: the float backend. */
class FullPrecision {
  private readonly program: Program<FloatUse>;
  private readonly parameters: Parameters;
  private readonly memory = new Memory();

  constructor(private readonly graph: Graph) {
    this.program = compile(graph, float());
    this.parameters = new Parameters(graph);
  }

  /** Logits, row-major; valid until the next run. */
  run(feeds: Feeds): Value {
    this.memory.reset();
    const tape = new Tape({ memory: this.memory, training: false, record: false });
    const results = this.program.run(feeds, { tape, parameters: this.parameters });
    return toRows(tape, results.get(this.graph.outputs[0]?.name ?? '') as Value);
  }
}

function batchOf({ dims, inputs, layout = 'rows' }: EvaluationData, start: number, end: number): Value {
  const size = sizeOf(dims.slice(1));
  const batch = Memory.borrow(inputs.subarray(start * size, end * size));
  return new Value([end - start, ...dims.slice(1)], layout, batch, false);
}

/**
 * Accuracy, agreement with full precision and logits of many static policies, on integers. Throws GraphError when a
 * policy or the data does not fit the graph, before any work; the signal's reason when called off.
 */
export async function evaluatePolicies(
  graph: Graph,
  policies: readonly Policy[],
  data: EvaluationData,
  options: EvaluatePoliciesOptions & EvaluatorOptions = {},
): Promise<PolicyResult[]> {
  const evaluate = async () => {
    const evaluator = new PolicyEvaluator(graph, options);
    try {
      return await evaluator.evaluate(policies, data, options);
    } finally {
      evaluator.dispose();
    }
  };
  return options.logits ? evaluate() : keepPart('policies', evaluate);
}
