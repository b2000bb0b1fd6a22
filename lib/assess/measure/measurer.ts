// Runs of one network under many policies on samples that may not fit in memory as floats: answers and margins are kept,
// outputs are not.

import { sizeOf } from '../../core/shape.js';
import type { Graph } from '../../graph/graph.js';
import { outputOf } from '../../graph/output.js';
import type { Policy } from '../../policy/policy.js';
import { keepPart } from '../../run/parts.js';
import type { IntegerOptions } from '../../runtime/backends/integer.js';
import { type EvaluationData, PolicyEvaluator } from '../../runtime/evaluate_policies.js';
import type { Answers } from '../../tasks/task.js';
import { freeBatch, type Samples } from '../samples.js';

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
/** Of an output, where shapes leave it open: as many as ImageNet has classes. */
const MOST_WIDTH = 1000;

/** Sees the logits of one policy on one chunk: [count, classes], from sample `start` on. */
type Visit = (policy: number, logits: Float32Array, start: number, count: number) => void;

/** What a network answers under one policy. */
export interface PolicyAnswers {
  readonly answers: Answers;
  /** How far each answer is from another one; undefined where they are no classes. */
  readonly margins: Float32Array | undefined;
}

/** One network, its packed weights kept from run to run; `dispose` frees them. */
export class Measurer {
  readonly graph: Graph;
  private readonly batch: number | undefined;
  private readonly width: number;
  private readonly evaluators = new Map<string, PolicyEvaluator>();

  /** `sample`: dimensions of one sample, where the network leaves them open. */
  constructor(source: Graph, sample?: readonly number[]) {
    const { graph, batch } = freeBatch(source, sample);
    this.graph = graph;
    this.batch = batch;
    this.width = outputOf(graph).width ?? MOST_WIDTH;
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

  /** Policies on samples, as many of both at once as memory allows: logits of each, from one policy and sample on. */
  private async *groups(samples: Samples, policies: readonly Policy[], options: MeasureOptions) {
    const { plan = {}, signal, onProgress } = options;
    const evaluator = this.evaluator(plan);
    const chunk = Math.max(1, Math.min(samples.count, Math.floor(CHUNK_ELEMENTS / sizeOf(samples.dims))));
    const total = policies.length * samples.count;
    let [done, said] = [0, 0];
    const say = (now: number) => {
      if (now === said) return;
      said = now;
      onProgress?.(now, total);
    };
    for (const data of samples.batches(chunk)) {
      const { start, count } = data;
      const group = Math.max(LEAST_POLICIES, Math.floor(LOGIT_ELEMENTS / (count * this.width)));
      for (let from = 0; from < policies.length; from += group) {
        const grouped = policies.slice(from, from + group);
        const evaluate = async () => {
          const results = await evaluator.evaluate(grouped, plainData(data), {
            logits: true,
            batchSize: this.batch ?? (grouped.some(sharesRanges) ? SHARED_BATCH : undefined),
            signal,
            onProgress: (part) => say(done + part),
          });
          return results.map(({ logits }) => logits as Float32Array);
        };
        yield { from, start, count, evaluate };
        done += grouped.length * count;
        say(done);
      }
    }
  }

  async visit(
    samples: Samples,
    policies: readonly Policy[],
    visit: Visit,
    options: MeasureOptions = {},
  ): Promise<void> {
    for await (const { from, start, count, evaluate } of this.groups(samples, policies, options)) {
      (await evaluate()).forEach((logits, i) => {
        visit(from + i, logits, start, count);
      });
    }
  }

  /** One outcome for each policy, in order. */
  async run(samples: Samples, policies: readonly Policy[], options: MeasureOptions = {}): Promise<PolicyAnswers[]> {
    const { task, count: all } = samples;
    const parts = policies.map((): Answers[] => []);
    const margins = policies.map(() => task.classes && new Float32Array(all));
    for await (const { from, start, count, evaluate } of this.groups(samples, policies, options)) {
      const found = await keepPart('answers', async () =>
        (await evaluate()).map((logits) => ({
          answers: task.answers(logits, count),
          margins: task.classes?.margins(logits, count),
        })),
      );
      found.forEach((each, i) => {
        parts[from + i]?.push(each.answers);
        if (each.margins) margins[from + i]?.set(each.margins, start);
      });
    }
    return parts.map((each, policy) => ({ answers: task.join(each), margins: margins[policy] }));
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
function plainData({ dims, inputs, layout, task, start }: EvaluationData): EvaluationData {
  return { dims, inputs, layout, task, start };
}
