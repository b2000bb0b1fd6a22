// A repaired network beside the original, on images that neither the cures nor their judge saw: in full precision
// and quantized, clean and under one bright pixel.

import { corrupt } from '../../data/corruptions.js';
import type { ImageSet, Normalization } from '../../data/image_set.js';
import { percentScore } from '../../tasks/task.js';
import { float32Policy } from '../measure/figures.js';
import { imageSamples } from '../samples.js';
import { type Candidate, quantizedAnswers } from './cure.js';
import { BRIGHTNESS } from './mitigate.js';

/**
 * Percent: accuracy where the images have labels, else agreement with full precision of the original on the clean
 * images.
 */
export interface Judgement {
  readonly measure: 'accuracy' | 'agreement';
  readonly images: number;
  /** Full precision of the original, and repaired. */
  readonly fp: number;
  readonly fpAfter: number;
  readonly before: number;
  readonly after: number;
}

/** On clean images, and under one bright pixel of `BRIGHTNESS`. */
export interface Judgements {
  readonly clean: Judgement;
  readonly brightPixel: Judgement;
}

/** How `judgeMitigated` judges. */
export interface JudgeOptions {
  /** Of the place of the bright pixel. */
  readonly seed: number;
  readonly layout?: 'nchw' | 'nhwc' | undefined;
  readonly task?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Throws what `corrupt` and the interpreters throw; the signal's reason when called off. */
export async function judgeMitigated(
  before: Candidate,
  after: Candidate,
  set: ImageSet,
  normalization: Normalization,
  { seed, layout, task, signal }: JudgeOptions,
): Promise<Judgements> {
  const inFloat = ({ graph }: Candidate): Candidate => ({
    graph,
    policy: float32Policy(graph),
  });
  const samplesOf = (images: ImageSet) => imageSamples(before.graph, images, normalization, { layout, task });
  const clean = samplesOf(set);
  const reference = set.labels ?? (await quantizedAnswers(inFloat(before), clean, signal));
  const judge = async (samples: typeof clean): Promise<Judgement> => {
    const share = async (one: Candidate) =>
      percentScore(samples.task, await quantizedAnswers(one, samples, signal), reference);
    return {
      measure: set.labels ? 'accuracy' : 'agreement',
      images: set.count,
      fp: await share(inFloat(before)),
      fpAfter: await share(inFloat(after)),
      before: await share(before),
      after: await share(after),
    };
  };
  const bright = await corrupt(set, 'bright_pixel', { strength: BRIGHTNESS }, { seed, normalization, signal });
  return { clean: await judge(clean), brightPixel: await judge(samplesOf(bright)) };
}
