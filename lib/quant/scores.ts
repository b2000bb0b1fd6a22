// What policies got right on a batch: counted here, or on the device where the logits are, all policies before anything is
// waited for.
import type { Value } from '../autograd/tape.js';
import type { NativeDeviceArray } from '../native/cuda_addon.js';
import { indexOfLargest } from '../tasks/classification.js';
import { DevicePlan } from './device_plan.js';
import type { EvaluationData } from './evaluate_policies.js';
import type { IntegerPlan } from './integer_plan.js';

/** Of one policy, over all batches. */
export class Tally {
  correct = 0;
  agreeing = 0;
  /** [count, classes], when kept. */
  logits: Float32Array | undefined;
}

/** Of the samples from one number up to another, for all policies. */
export class Scores {
  private readonly plan: DevicePlan | undefined;
  private readonly arrays: NativeDeviceArray[] = [];
  private readonly labels: NativeDeviceArray | undefined;
  private readonly reference: NativeDeviceArray | undefined;
  private readonly counts: NativeDeviceArray | undefined;
  /** The policies of each pair of counts on the device. */
  private readonly counted: (readonly number[])[] = [];

  constructor(
    plan: IntegerPlan,
    private readonly tallies: readonly Tally[],
    private readonly data: EvaluationData,
    private readonly start: number,
    private readonly end: number,
  ) {
    if (!(plan instanceof DevicePlan)) return;
    this.plan = plan;
    const take = (count: number) => {
      const array = new plan.native.DeviceArray(count);
      this.arrays.push(array);
      return array;
    };
    const classes = (all: ArrayLike<number> | undefined) => {
      if (!all) return undefined;
      const array = take(end - start);
      array.write(Int32Array.from({ length: end - start }, (_, i) => all[start + i] as number));
      return array;
    };
    this.labels = classes(data.labels);
    this.reference = classes(data.reference);
    this.counts = take(2 * tallies.length);
    this.counts.clear();
  }

  /** Policies with these logits, which are read at once or in turn. `keep`: samples in all, to keep logits of; else 0. */
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
    const there = this.plan?.deviceArray(logits);
    if (there && this.counts) {
      const at = this.counted.push(policies) - 1;
      this.plan?.native.score(there, samples, classes, this.labels, this.reference, this.counts, at);
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

  /** Waits for the device, and throws what went wrong on it. */
  finish(): void {
    if (!this.plan || !this.counts) return;
    const counts = new Int32Array(2 * this.counted.length);
    this.counts.read(counts);
    this.plan.checkFault();
    this.counted.forEach((policies, i) => {
      this.raise(policies, counts[2 * i] as number, counts[2 * i + 1] as number);
    });
  }

  dispose(): void {
    for (const array of this.arrays) array.dispose();
  }
}
