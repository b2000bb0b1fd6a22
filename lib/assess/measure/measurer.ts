// Runs of one network under many policies on samples that may not fit in memory as floats: classes and margins are kept,
// logits are not.

import { sizeOf } from '../../core/shape.js';
import type { Graph } from '../../graph/graph.js';
import type { Policy } from '../../policy/policy.js';
import type { IntegerOptions } from '../../runtime/backends/integer.js';
import { type EvaluationData, PolicyEvaluator } from '../../runtime/evaluate_policies.js';
import { DEFAULT_TASK } from '../../tasks/index.js';
import type { Answers, Task } from '../../tasks/task.js';
import { classesOf, freeBatch, type Samples } from '../samples.js';

/** How the integer plan quantizes, policies aside. */
export type PlanOptions = IntegerOptions;

export interface MeasureOptions {
  readonly plan?: PlanOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Policies times samples done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Floats of the inputs that are in memory at once: 64 MB. */
const CHUNK_ELEMENTS = 2 ** 24;
/** Samples that share a range where the whole tensor has one. */
const SHARED_BATCH = 64;
/** Logits of all policies of one call that are: 64 MB. */
const LOGIT_ELEMENTS = 2 ** 24;
const LEAST_POLICIES = 16;
/** Where shapes leave it open: as many as ImageNet's. */
const MOST_CLASSES = 1000;

/** Sees the logits of one policy on one chunk: [count, classes], from sample `start` on. */
type Visit = (policy: number, logits: Float32Array, start: number, count: number) => void;

/** One network, its packed weights kept from run to run; `dispose` frees them. */
export class Measurer {
  readonly graph: Graph;
  private readonly batch: number | undefined;
  private readonly classes: number;
  private readonly evaluators = new Map<string, PolicyEvaluator>();

  /** `sample`: dimensions of one sample, where the network leaves them open. */
  constructor(
    source: Graph,
    sample?: readonly number[],
    readonly task: Task = DEFAULT_TASK,
  ) {
    const { graph, batch } = freeBatch(source, sample);
    this.graph = graph;
    this.batch = batch;
    this.classes = classesOf(graph) ?? MOST_CLASSES;
  }

  private evaluator(plan: PlanOptions): PolicyEvaluator {
    const key = JSON.stringify(plan);
    let evaluator = this.evaluators.get(key);
    if (!evaluator) {
      evaluator = new PolicyEvaluator(this.graph, plan);
      this.evaluators.set(key, evaluator);
    }
    return evaluator;
  }

  /** Frees what was made for another than the usual plan. */
  forget(plan: PlanOptions): void {
    const key = JSON.stringify(plan);
    this.evaluators.get(key)?.dispose();
    this.evaluators.delete(key);
  }

  async visit(
    samples: Samples,
    policies: readonly Policy[],
    visit: Visit,
    options: MeasureOptions = {},
  ): Promise<void> {
    const { plan = {}, signal, onProgress } = options;
    const evaluator = this.evaluator(plan);
    const chunk = Math.max(1, Math.min(samples.count, Math.floor(CHUNK_ELEMENTS / sizeOf(samples.dims))));
    const total = policies.length * samples.count;
    let done = 0;
    for (const data of samples.batches(chunk)) {
      const { start, count } = data;
      const group = Math.max(LEAST_POLICIES, Math.floor(LOGIT_ELEMENTS / (count * this.classes)));
      for (let from = 0; from < policies.length; from += group) {
        const grouped = policies.slice(from, from + group);
        const results = await evaluator.evaluate(grouped, plainData(data), {
          logits: true,
          batchSize: this.batch ?? (grouped.some(sharesRanges) ? SHARED_BATCH : undefined),
          signal,
          onProgress: (part) => onProgress?.(done + part, total),
        });
        results.forEach(({ logits }, i) => {
          visit(from + i, logits as Float32Array, start, count);
        });
        done += grouped.length * count;
      }
    }
  }

  /** One outcome for each policy, in order. */
  async run(samples: Samples, policies: readonly Policy[], options: MeasureOptions = {}): Promise<Answers[]> {
    const outcomes = policies.map(() => ({
      classes: new Int32Array(samples.count),
      margins: new Float32Array(samples.count),
    }));
    const visit: Visit = (policy, logits, start, count) => {
      const { classes, margins } = outcomes[policy] as Answers;
      const read = this.task.read(logits, count);
      classes.set(read.classes, start);
      margins.set(read.margins, start);
    };
    await this.visit(samples, policies, visit, options);
    return outcomes;
  }

  dispose(): void {
    for (const evaluator of this.evaluators.values()) evaluator.dispose();
    this.evaluators.clear();
  }
}

/** Whether samples of a batch share ranges under a policy: its figures then depend on the batch. */
function sharesRanges({ schemes }: Policy): boolean {
  return [...schemes.values()].some(({ activations }) => activations.granularity.kind === 'perTensor');
}

/** Labels are compared here, not by the evaluator. */
function plainData({ dims, inputs, layout }: EvaluationData): EvaluationData {
  return { dims, inputs, layout };
}
