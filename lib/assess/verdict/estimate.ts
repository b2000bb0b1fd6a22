// What an assessment will cost, before it starts: the time of one policy on one sample, measured, times what each stage
// will run.
import { setImmediate } from 'node:timers/promises';
import { type Policy, uniformPolicy } from '../../policy/policy.js';
import type { Measurer } from '../measure/measurer.js';
import type { Samples } from '../samples.js';

/** Seconds that a stage will take. */
export interface StageEstimate {
  readonly stage: string;
  readonly seconds: number;
}

/** Seconds that an assessment will take. */
export interface CostEstimate {
  /** Of one policy on one sample. */
  readonly secondsPerRun: number;
  readonly stages: readonly StageEstimate[];
  readonly seconds: number;
}

/** What a stage runs: policies times samples, and what part of that is computed (shared beginnings are not). */
interface StageWork {
  readonly stage: string;
  readonly policies: number;
  readonly samples: number;
  readonly part: number;
}

/** Enough that one batch's setting up does not count. */
const CALIBRATION_SAMPLES = 64;
/** The fastest of these counts: other work on the machine slows a short run many times. */
const CALIBRATION_RUNS = 3;

/** Seconds of one policy on one sample: the fastest of a few runs after one that packs weights and gets memory. */
export async function secondsPerRun(measurer: Measurer, samples: Samples, signal?: AbortSignal): Promise<number> {
  const count = Math.min(CALIBRATION_SAMPLES, samples.count);
  const few = samples.take(Int32Array.from({ length: count }, (_, i) => i));
  const policies: Policy[] = [uniformPolicy(measurer.graph, 'W8A8')];
  await measurer.run(few, policies, { signal });
  await setImmediate();
  let seconds = Number.POSITIVE_INFINITY;
  for (let run = 0; run < CALIBRATION_RUNS; run++) {
    const start = performance.now();
    await measurer.run(few, policies, { signal });
    seconds = Math.min(seconds, (performance.now() - start) / 1e3);
  }
  return seconds / count;
}

export function estimateCost(perRun: number, work: readonly StageWork[]): CostEstimate {
  const stages = work.map(({ stage, policies, samples, part }) => ({
    stage,
    seconds: policies * samples * part * perRun,
  }));
  return { secondsPerRun: perRun, stages, seconds: stages.reduce((sum, { seconds }) => sum + seconds, 0) };
}

/** Numbers of nodes, of policies and of samples that decide what an assessment runs. */
interface AssessmentSize {
  readonly nodes: number;
  readonly uniform: number;
  /** Policies that all agents may evaluate together. */
  readonly searches: number;
  readonly searched: number;
  readonly judged: number;
  readonly compared: number;
  readonly profiled: number;
  readonly scanned: number;
}

/** Policies of a search share long beginnings, those that differ in one node about half. */
const SHARED = 0.6;
/** What full precision predicts takes a pass forward and one back in float32, of every value. */
const PREDICTION_COST = 20;
/** A profile runs every layer in float32 several times beside. */
const PROFILE_COST = 30;
/** Emulated arithmetic takes about this many times as long. */
const EMULATION = 3;
/** Three other ways to share scales, for two policies. */
const GRANULARITIES = 6;

/** The stages of an assessment in the order they run. */
export function workOf({
  nodes,
  uniform,
  searches,
  searched,
  judged,
  compared,
  profiled,
  scanned,
}: AssessmentSize): StageWork[] {
  return [
    { stage: 'policies', policies: uniform + 1, samples: judged, part: 1 },
    { stage: 'predicted', policies: PREDICTION_COST * uniform, samples: scanned, part: 1 },
    { stage: 'search', policies: searches, samples: searched, part: SHARED },
    { stage: 'found', policies: searches > 0 ? 2 : 0, samples: judged, part: 1 },
    { stage: 'sensitivity', policies: 2 * nodes, samples: searched, part: SHARED },
    { stage: 'profile', policies: PROFILE_COST, samples: profiled, part: 1 },
    { stage: 'remedies', policies: nodes, samples: searched, part: SHARED },
    { stage: 'granularity', policies: GRANULARITIES, samples: compared, part: 1 },
    { stage: 'processors', policies: 2 * EMULATION, samples: compared, part: 1 },
  ];
}
