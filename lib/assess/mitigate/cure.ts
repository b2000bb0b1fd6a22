// What all cures share: a network with the policy that it fails under goes in, a repaired one comes out, or the reason
// why the cure does not apply. No cure sees a label. Whether it helped is measured elsewhere (mitigate.ts), on other
// images.

import type { ImageSet, Normalization } from '../../data/image_set.js';
import type { Graph } from '../../graph/graph.js';
import type { Policy } from '../../policy/policy.js';
import type { SchemeChooser } from '../../runtime/product_scheme.js';
import { InputPolicy } from '../../search/input_policy.js';
import { InputPolicyRunner } from '../../search/runner.js';
import { DEFAULT_TASK } from '../../tasks/index.js';
import type { TeacherLogits } from '../../train/teacher.js';
import { Measurer } from '../measure/measurer.js';
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
  /** The largest of these, [count]. */
  readonly classes: Int32Array;
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

/** The classes that a quantized network says of the images of each. */
export type Said = Readonly<Record<Scene, Int32Array | undefined>>;

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

/** The class that the quantized network says of each sample. */
export async function quantizedClasses(
  { graph, policy }: Candidate,
  samples: Samples,
  signal?: AbortSignal,
): Promise<Int32Array> {
  if (!(policy instanceof InputPolicy)) {
    const measurer = new Measurer(graph);
    try {
      const [outcome] = await measurer.run(samples, [policy], { signal });
      return (outcome as { classes: Int32Array }).classes;
    } finally {
      measurer.dispose();
    }
  }
  const runner = new InputPolicyRunner(graph);
  const classes = new Int32Array(samples.count);
  try {
    for (const data of samples.batches(CHUNK)) {
      const { logits } = await runner.evaluate(policy, data, { signal });
      classes.set(DEFAULT_TASK.answers(logits, data.count), data.start);
    }
    return classes;
  } finally {
    runner.dispose();
  }
}
