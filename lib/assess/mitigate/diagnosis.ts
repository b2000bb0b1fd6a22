// Diagnoses a network's failure under a policy by what undoes it, measured without labels: agreement with full
// precision quantized as it is, equalized, with one more bit, with one bright pixel. Learned failures sit on one rounding
// grid and another undoes them; gauge failures are channels at very different scales; range failures need no attack on
// the network, one value far out of range takes all codes.

import { shiftBits } from '../../format/scheme.js';
import { equalize } from '../../graph/channels/equalize.js';
import { prepare } from '../../graph/prepare.js';
import type { Policy } from '../../policy/policy.js';
import { type Answers, percentScore } from '../../tasks/task.js';
import type { Samples } from '../samples.js';
import { type Candidate, quantizedAnswers, type Said, staticPolicy } from './cure.js';
import { disparity } from './equalization.js';

/** What a network fails of: ranges of channels, learned rounding, or ranges of inputs. */
export type Failure = 'gauge' | 'learned' | 'range';

/** Percent of agreement with what the network says of the clean images in full precision. */
export interface Diagnosis {
  readonly failures: readonly Failure[];
  /** Why, in words, a sentence for each failure; or that there is none. */
  readonly reasons: readonly string[];
  readonly agreement: number;
  /** Largest factor that equalization scales a channel by, in powers of two. */
  readonly disparity: number;
  readonly equalized: number;
  /** Undefined where there is no further bit, or an agent chooses. */
  readonly oneMoreBit: number | undefined;
  /** Under the bright pixel, quantized and in full precision; undefined where inputs are no images. */
  readonly brightPixel: { readonly quantized: number; readonly fullPrecision: number } | undefined;
}

export interface Scenes {
  readonly clean: Samples;
  readonly brightPixel: Samples | undefined;
  /** Of full precision, on the clean images. */
  readonly answers: Answers;
  /** Of full precision, under the bright pixel. */
  readonly brightAnswers: Answers | undefined;
}

/** Points of agreement that justify a cure. */
const HARM = 1;
/** Removing a cause recovers at least this share of the loss. */
const CAUSE = 0.25;
/**
 * Powers of two that channels of learned failures and ordinary networks are from an even scale: equalizing these wins
 * back a few points, up to half by chance, and moves a learned failure to another grid. Gauge attacks had 4 to 11.
 */
const EVEN = 1;

/** One bit more everywhere; undefined when all have 8. */
function finer(policy: Policy | undefined): Policy | undefined {
  if (!policy) return undefined;
  const schemes = [...policy.schemes].map(([name, scheme]) => [name, shiftBits(scheme, 1, 1)] as const);
  const raised = schemes.some(([name, scheme]) => scheme !== policy.schemes.get(name));
  return raised ? { ...policy, schemes: new Map(schemes) } : undefined;
}

const written = (value: number) => `${value.toFixed(1)} %`;

/** `said`: by the candidate, of the scenes. */
export async function diagnose(
  candidate: Candidate,
  scenes: Scenes,
  said: Said,
  signal?: AbortSignal,
): Promise<Diagnosis> {
  const { clean, answers, brightAnswers } = scenes;
  const percent = (received: Answers) => percentScore(clean.task, received, answers);
  const share = async (one: Candidate) => percent(await quantizedAnswers(one, clean, signal));
  const agreement = percent(said.clean as Answers);
  const { graph, scales } = equalize(prepare(candidate.graph), { powersOfTwo: true });
  const equalized = await share({ ...candidate, graph });
  const farthest = disparity(scales);
  const more = finer(staticPolicy(candidate));
  const oneMoreBit = more && (await share({ ...candidate, policy: more }));
  const bright = said.brightPixel &&
    brightAnswers && {
      quantized: percent(said.brightPixel),
      fullPrecision: percent(brightAnswers),
    };
  const lost = 100 - agreement;
  const won = equalized - agreement;
  const failures: Failure[] = [];
  const reasons: string[] = [];
  const add = (failure: Failure, reason: string) => {
    failures.push(failure);
    reasons.push(`${failure}: ${reason}`);
  };
  const apart = farthest > EVEN && won > CAUSE * lost;
  if (lost > HARM && apart) {
    add('gauge', `with channels equalized ${written(agreement)} agree → ${written(equalized)}`);
  }
  if (lost > HARM && !(apart && won > (1 - CAUSE) * lost)) {
    const finerGrid =
      oneMoreBit === undefined
        ? `equalized channels give ${written(equalized)}`
        : `one more bit gives ${written(oneMoreBit)}`;
    add('learned', `${written(agreement)} agree on this rounding grid; ${finerGrid}`);
  }
  if (bright && bright.fullPrecision - bright.quantized > HARM) {
    const { quantized, fullPrecision } = bright;
    add('range', `one bright pixel leaves ${written(quantized)}, ${written(fullPrecision)} in full precision`);
  }
  if (failures.length === 0) reasons.push(`no failure: ${written(agreement)} agree`);
  return { failures, reasons, agreement, disparity: farthest, equalized, oneMoreBit, brightPixel: bright };
}
