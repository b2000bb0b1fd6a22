// What policies got right on a batch: counted here, or where the logits are, all policies before anything is waited for.

import type { Value } from '../autograd/tape.js';
import { indexOfLargest } from '../tasks/classification.js';
import type { IntegerUse } from './backends/integer.js';
import type { EvaluationData } from './evaluate_policies.js';
import type { Program } from './program.js';

/** Of one policy, over all batches. */
export class Tally {
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
  /** The policies of each set of logits that was counted elsewhere. */
  private readonly counted: (readonly number[])[] = [];

  constructor(
    program: Program<IntegerUse>,
    private readonly tallies: readonly Tally[],
    private readonly data: EvaluationData,
    private readonly start: number,
    private readonly end: number,
  ) {
    const part = (all: ArrayLike<number> | undefined) =>
      all && Int32Array.from({ length: end - start }, (_, i) => all[start + i] as number);
    this.counts = program.counts({
      samples: end - start,
      labels: part(data.labels),
      reference: part(data.reference),
      most: tallies.length,
    });
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
    const { labels, reference } = this.data;
    const values = logits.data;
    let [correct, agreeing] = [0, 0];
    for (let i = 0; i < samples; i++) {
      const best = indexOfLargest(values, i * classes, classes);
      if (labels?.[this.start + i] === best) correct += 1;
      if (reference?.[this.start + i] === best) agreeing += 1;
    }
    this.raise(policies, correct, agreeing);
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
