// What an assessment will cost, before it starts: the time of one policy on one sample, measured, times what each stage
// will run.
import { setImmediate } from 'node:timers/promises';
import { type Policy, uniformPolicy } from '../quant/policy.js';
import type { Measurer } from './measure.js';
import type { Samples } from './samples.js';

export interface StageEstimate {
  readonly stage: string;
  readonly seconds: number;
}

export interface CostEstimate {
  /** Of one policy on one sample. */
  readonly secondsPerRun: number;
  readonly stages: readonly StageEstimate[];
  readonly seconds: number;
}

/** What a stage runs: policies times samples, and what part of that is computed (shared beginnings are not). */
export interface StageWork {
  readonly stage: string;
  readonly policies: number;
  readonly samples: number;
  readonly part: number;
}

/** Enough that one batch's setting up does not count. */
const CALIBRATION_SAMPLES = 64;

/** Seconds of one policy on one sample: the second of two runs, when weights are packed and memory is there. */
export async function secondsPerRun(measurer: Measurer, samples: Samples, signal?: AbortSignal): Promise<number> {
  const count = Math.min(CALIBRATION_SAMPLES, samples.count);
  const few = samples.take(Int32Array.from({ length: count }, (_, i) => i));
  const policies: Policy[] = [uniformPolicy(measurer.graph, 'W8A8')];
  await measurer.run(few, policies, { signal });
  await setImmediate();
  const start = performance.now();
  await measurer.run(few, policies, { signal });
  return (performance.now() - start) / 1e3 / count;
}

export function estimateCost(perRun: number, work: readonly StageWork[]): CostEstimate {
  const stages = work.map(({ stage, policies, samples, part }) => ({
    stage,
    seconds: policies * samples * part * perRun,
  }));
  return { secondsPerRun: perRun, stages, seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0) };
}
