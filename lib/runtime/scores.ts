// What policies got right on a batch: scored by the task here, or classes counted where the logits are, all policies before
// anything is waited for.

import type { Value } from '../autograd/tape.js';
import { type Answers, type Task, total } from '../tasks/task.js';
import type { IntegerUse } from './backends/integer.js';
import type { EvaluationData } from './evaluate_policies.js';
import type { Program } from './program.js';

/** Of one policy, over all batches. */
export class Tally {
  /** Sums of scores. */
  correct = 0;
  agreeing = 0;
  /** [count, classes], when kept. */
  logits: Float32Array | undefined;
}

/** Right classes counted elsewhere than on the host. */
export interface SampleCounts {
  /** Compares the classes of these logits, [samples, classes]; false: their elements are the host's. */
  add(logits: Value): boolean;
  /** Pairs (label, reference) of counts, one for each set of logits added. Waits, and throws what went wrong there. */
  read(): Int32Array;
  dispose(): void;
}

/** Of the samples from one number up to another, for all policies. */
export class Scores {
  private readonly counts: SampleCounts | undefined;
  /** Of these samples. */
  private readonly labels: Answers | undefined;
  private readonly reference: Answers | undefined;
  /** The policies of each set of logits that was counted elsewhere. */
  private readonly counted: (readonly number[])[] = [];

  constructor(
    program: Program<IntegerUse>,
    private readonly tallies: readonly Tally[],
    private readonly data: EvaluationData & { readonly task: Task },
    private readonly start: number,
    private readonly end: number,
  ) {
    const samples = Int32Array.from({ length: end - start }, (_, i) => start + i);
    const part = (all: Answers | undefined) => all && data.task.take(all, samples);
    [this.labels, this.reference] = [part(data.labels), part(data.reference)];
    const { classes } = data.task;
    if (!classes?.byLargest) return;
    const numbers = (all: Answers | undefined) => all && classes.of(all);
    const [labels, reference] = [numbers(this.labels), numbers(this.reference)];
    this.counts = program.counts({ samples: end - start, labels, reference, most: tallies.length });
  }

  /** Policies with these logits, which are read at once or in turn. `keep`: total samples, to keep logits of; else 0. */
  add(policies: readonly number[], logits: Value, keep: number): void {
    const samples = this.end - this.start;
    const classes = logits.size / samples;
    if (keep > 0) {
      for (const policy of policies) {
        const tally = this.tallies[policy] as Tally;
        tally.logits ??= new Float32Array(keep * classes);
        tally.logits.set(logits.data, this.start * classes);
      }
    }
    if (this.counts?.add(logits)) {
      this.counted.push(policies);
      return;
    }
    const { task } = this.data;
    const { labels, reference } = this;
    if (!labels && !reference) return;
    const answers = task.answers(logits.data, samples);
    const scored = (expected: Answers | undefined) => (expected ? total(task.scores(answers, expected)) : 0);
    this.raise(policies, scored(labels), scored(reference));
  }

  private raise(policies: readonly number[], correct: number, agreeing: number): void {
    for (const policy of policies) {
      const tally = this.tallies[policy] as Tally;
      tally.correct += correct;
      tally.agreeing += agreeing;
    }
  }

  /** Adds what was counted elsewhere. */
  finish(): void {
    const counts = this.counts?.read();
    if (!counts) return;
    this.counted.forEach((policies, i) => {
      this.raise(policies, counts[2 * i] as number, counts[2 * i + 1] as number);
    });
  }

  dispose(): void {
    this.counts?.dispose();
  }
}
