// What all cures share: a network with the policy that it fails under goes in, a repaired one comes out, or the reason
// why the cure does not apply. No cure sees a label. Whether it helped is measured elsewhere (mitigate.ts), on other
// images.

import type { ImageSet, Normalization } from '../../data/image_set.js';
import type { Graph } from '../../graph/graph.js';
import type { Policy } from '../../policy/policy.js';
import { keepPart } from '../../run/parts.js';
import type { SchemeChooser } from '../../runtime/product_scheme.js';
import { InputPolicy } from '../../search/input_policy.js';
import { InputPolicyRunner } from '../../search/runner.js';
import type { Answers } from '../../tasks/task.js';
import type { TeacherLogits } from '../../train/teacher.js';
import { Measurer, type PolicyAnswers } from '../measure/measurer.js';
import type { Samples } from '../samples.js';

/** Samples in memory at once where an agent chooses bits. */
const CHUNK = 1000;

/** A network and what quantizes it: one policy, or an agent that chooses bits for each input. */
export interface Candidate {
  readonly graph: Graph;
  readonly policy: Policy | InputPolicy;
}

/** Images without labels, for cures to learn from. */
export interface Calibration {
  readonly images: ImageSet;
  readonly normalization: Normalization;
  /** The same as the network's inputs. */
  readonly samples: Samples;
  /** What the network said of them in full precision, before anything was done to it. */
  readonly logits: TeacherLogits;
  /** What the task reads from these. */
  readonly answers: Answers;
}

interface CureOptions {
  /** Of the order of training images and everything else drawn. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Units of work done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Cured {
  readonly candidate: Candidate;
  /** What was done, in words. */
  readonly what: string;
}

/** Why a cure does not apply. */
export interface NotApplicable {
  readonly reason: string;
}

/** Images that a cure is meant for: those of the data, or those with a value far out of range. */
export type Scene = 'clean' | 'brightPixel';

/** What a quantized network answers to the images of each. */
export type Said = Readonly<Record<Scene, Answers | undefined>>;

export interface Cure {
  readonly name: string;
  readonly scene: Scene;
  apply(candidate: Candidate, calibration: Calibration, options: CureOptions): Promise<Cured | NotApplicable>;
}

/** How a batch of so many samples is quantized. */
export function bitsFor({ policy }: Candidate, samples: number): Policy | SchemeChooser {
  return policy instanceof InputPolicy ? policy.begin(samples).choose : policy;
}

/** The same policy for every input; undefined where an agent chooses. */
export function staticPolicy({ policy }: Candidate): Policy | undefined {
  return policy instanceof InputPolicy ? undefined : policy;
}

/** What the quantized network answers to each sample. */
export async function quantizedAnswers(
  { graph, policy }: Candidate,
  samples: Samples,
  signal?: AbortSignal,
): Promise<Answers> {
  if (!(policy instanceof InputPolicy)) {
    const measurer = new Measurer(graph);
    try {
      const [outcome] = await measurer.run(samples, [policy], { signal });
      return (outcome as PolicyAnswers).answers;
    } finally {
      measurer.dispose();
    }
  }
  const runner = new InputPolicyRunner(graph);
  const parts: Answers[] = [];
  try {
    for (const data of samples.batches(CHUNK)) {
      const evaluated = async () => {
        const { logits } = await runner.evaluate(policy, data, { signal });
        return samples.task.answers(logits, data.count);
      };
      parts.push(await keepPart('answers', evaluated));
    }
    return samples.task.join(parts);
  } finally {
    runner.dispose();
  }
}
