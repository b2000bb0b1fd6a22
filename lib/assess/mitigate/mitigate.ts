// Repairs a network that fails when quantized, without labels. Cures are applied one after another to what the one before
// left; each is judged on images that no cure saw, by agreement with what the network said at first in full precision,
// and kept only when it is better there for certain. Cures that did not help are in the result too.

import { InvalidArgumentError, requireInteger } from '../../core/errors.js';
import { corrupt } from '../../data/corruptions.js';
import { type ImageSet, type Normalization, subset } from '../../data/image_set.js';
import type { Graph } from '../../graph/graph.js';
import type { Policy } from '../../policy/policy.js';
import type { InputPolicy } from '../../search/input_policy.js';
import { type Answers, percentScore } from '../../tasks/task.js';
import { Random } from '../../tensor/random.js';
import { float32Policy } from '../measure/figures.js';
import { Measurer } from '../measure/measurer.js';
import { freeBatch, imageSamples, type Samples } from '../samples.js';
import { biasCorrection } from './bias_correction.js';
import { channelRescue } from './channel_rescue.js';
import { clipping } from './clipping.js';
import {
  type Calibration,
  type Candidate,
  type Cure,
  type NotApplicable,
  quantizedAnswers,
  type Said,
  type Scene,
} from './cure.js';
import { type Diagnosis, diagnose, type Failure, type Scenes } from './diagnosis.js';
import { equalization } from './equalization.js';
import { inputGuard } from './guard.js';
import { policyRepair } from './policy_repair.js';
import { shortTraining } from './qat.js';

export const CURE_NAMES = [
  'equalization',
  'channel rescue',
  'short QAT',
  'bias correction',
  'clip percentile',
  'clip MSE',
  'policy repair',
  'range guard',
] as const;

/** A way to repair a network. */
export type CureName = (typeof CURE_NAMES)[number];

/** What is to be repaired, and with what. */
export interface MitigateOptions {
  readonly policy: Policy | InputPolicy;
  /** `auto` (default): those of the diagnosis; or these, in this order. */
  readonly cures?: 'auto' | readonly CureName[] | undefined;
  /** Training steps of `short QAT`. */
  readonly steps?: number | undefined;
  /** Effective bits that `policy repair` may add. Default 0: it may redistribute the policy's. */
  readonly moreBits?: number | undefined;
  readonly layout?: 'nchw' | 'nhwc' | undefined;
  /** Name of the task. Default: what the output leaves no doubt of, else classification. */
  readonly task?: string | undefined;
  /**
   * Images that cures learn from, and images that judge them, drawn from all. Defaults: 4,000 judge, or half of less than
   * 8,000; the others teach, up to 4,000.
   */
  readonly calibration?: number | undefined;
  readonly validation?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Sees how far it is. */
  readonly onProgress?:
    | ((progress: { readonly stage: string; readonly done: number; readonly total: number }) => void)
    | undefined;
}

/** Percent of agreement, on the validation images, with what full precision said at first, clean. */
type Agreement = Readonly<Record<Scene, number | undefined>>;

/** What one cure did, on images that it never saw. */
export interface CureResult {
  readonly cure: CureName;
  /** What was done, or why nothing was. */
  readonly what: string;
  readonly applied: boolean;
  readonly before: Agreement;
  readonly after: Agreement;
  /** Better for certain where it is meant to help, by more than it is worse elsewhere. */
  readonly kept: boolean;
  /** It was better, and is not part of the result: a later cure did better without it. */
  readonly takenBack: boolean;
  readonly seconds: number;
}

/** The repaired network with its policy, and what each cure did. */
export interface MitigateResult {
  readonly graph: Graph;
  readonly policy: Policy | InputPolicy;
  readonly diagnosis: Diagnosis;
  readonly cures: readonly CureResult[];
  readonly before: Agreement;
  readonly after: Agreement;
  /** Images used. */
  readonly calibration: number;
  readonly validation: number;
  readonly seconds: number;
}

const OPERATION = 'mitigate';
/** Four times as many to learn from won nothing in so many steps. */
export const CALIBRATION_IMAGES = 4000;
/** Tells half a point of agreement from none; of 1,000, a cure had to win more than a point. */
export const VALIDATION_IMAGES = 4000;
/** Six images that change, all to the better, are the fewest that are not chance (McNemar, p < .05). */
const LEAST_VALIDATION = 6;
/** docs/method.md: the strength at which one pixel takes 70 points from an ordinary network at W4A4. */
export const BRIGHTNESS = 16;
/** Of a cure's effect being chance; below, it counts. */
const SIGNIFICANT = 0.05;

/** Percent of agreement at which `auto` is content: what is left costs less than a point, whatever it flips. */
const NOTHING_LEFT = 99;
/**
 * The same for another policy: one that was chosen is left alone where the cures that keep it come this far. Up to a half
 * of what changes its class is lost accuracy, measured: less than a point from here on.
 */
const POLICY_KEPT = 98;

/**
 * In the order of their application: what changes no function first, what costs bits last, the guard around it all. A
 * learned failure is neither equalized nor corrected before training: either moves it to another rounding grid, from
 * where training gets less far.
 */
const CURED_FAILURES: Readonly<Record<CureName, readonly Failure[]>> = {
  equalization: ['gauge'],
  'channel rescue': ['gauge'],
  'short QAT': ['gauge', 'learned'],
  'bias correction': ['learned'],
  'clip percentile': [],
  'clip MSE': [],
  'policy repair': ['gauge', 'learned'],
  'range guard': ['range'],
};

const cleanOnly = (name: CureName) => name !== 'range guard';

function cureOf(name: CureName, { steps, moreBits = 0 }: MitigateOptions): Cure {
  switch (name) {
    case 'equalization':
      return equalization;
    case 'channel rescue':
      return channelRescue;
    case 'bias correction':
      return biasCorrection;
    case 'clip percentile':
      return clipping('percentile');
    case 'clip MSE':
      return clipping('mse');
    case 'short QAT':
      return shortTraining(steps);
    case 'policy repair':
      return policyRepair(moreBits);
    case 'range guard':
      return inputGuard;
  }
}

/** What full precision says of samples. */
async function floatLogits(graph: Graph, samples: Samples, signal: AbortSignal | undefined) {
  const measurer = new Measurer(graph);
  const parts: Float32Array[] = [];
  try {
    const policy = float32Policy(graph);
    await measurer.visit(samples, [policy], (_policy, logits) => parts.push(logits.slice()), { signal });
  } finally {
    measurer.dispose();
  }
  const logits = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    logits.set(part, at);
    at += part.length;
  }
  const classes = logits.length / samples.count;
  return { count: samples.count, classes, logits, answers: samples.task.answers(logits, samples.count) };
}

interface Judged {
  readonly candidate: Candidate;
  readonly said: Said;
}

interface Attempt extends Judged {
  /** What was done, in words. */
  readonly what: string;
}

class Judge {
  constructor(
    private readonly scenes: Scenes,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async ask(candidate: Candidate): Promise<Said> {
    const { clean, brightPixel } = this.scenes;
    return {
      clean: await quantizedAnswers(candidate, clean, this.signal),
      brightPixel: brightPixel && (await quantizedAnswers(candidate, brightPixel, this.signal)),
    };
  }

  agreement(said: Said): Agreement {
    const { clean, answers: expected } = this.scenes;
    const share = (answers: Answers | undefined) => answers && percentScore(clean.task, answers, expected);
    return { clean: share(said.clean), brightPixel: share(said.brightPixel) };
  }

  clean(said: Said): number {
    return this.agreement(said).clean ?? 0;
  }

  /**
   * Whether `after` is better for certain in this scene, by more than it is worse for certain in the other: where
   * a failing network is right by chance only, a few points less mean little.
   */
  better(before: Said, after: Said, scene: Scene): boolean {
    const gain = (one: Scene): number => {
      const [a, b] = [before[one], after[one]];
      if (!a || !b) return 0;
      const { task } = this.scenes.clean;
      const scores = (answers: Answers) => task.scores(answers, this.scenes.answers);
      const { difference, pValue } = task.difference(scores(b), scores(a));
      return pValue < SIGNIFICANT ? difference : 0;
    };
    const other = scene === 'clean' ? 'brightPixel' : 'clean';
    return gain(scene) > Math.max(0, -gain(other));
  }
}

/** Images for cures and images for judging them, none in both. */
function parted(images: ImageSet, options: MitigateOptions): readonly [ImageSet, ImageSet] {
  const { count } = images;
  const least = 2 * LEAST_VALIDATION;
  if (count < least) throw new InvalidArgumentError(OPERATION, 'images', `at least ${least}: half judge`, `${count}`);
  const judging = options.validation ?? Math.min(VALIDATION_IMAGES, Math.ceil(count / 2));
  const { calibration = Math.min(CALIBRATION_IMAGES, Math.max(1, count - judging)) } = options;
  requireInteger(OPERATION, 'calibration', calibration, 1, count - 1);
  const { validation = Math.min(VALIDATION_IMAGES, count - calibration) } = options;
  requireInteger(OPERATION, 'validation', validation, 1, count - calibration);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  new Random(options.seed ?? 0).split('mitigate').shuffle(order);
  return [
    subset(images, order.subarray(0, calibration).sort()),
    subset(images, order.subarray(calibration, calibration + validation).sort()),
  ];
}

function unlabelled({ count, height, width, channels, pixels }: ImageSet): ImageSet {
  return { count, height, width, channels, pixels };
}

/** Why `auto` has no use for a cure; undefined where it has. */
function reasonToLeave(
  name: CureName,
  { failures }: Diagnosis,
  { clean = 0 }: Agreement,
  { moreBits = 0 }: MitigateOptions,
): string | undefined {
  const expected = CURED_FAILURES[name];
  if (cleanOnly(name) && clean >= NOTHING_LEFT) return `nothing left to repair: ${clean.toFixed(1)} % agree`;
  if (name === 'policy repair' && clean >= POLICY_KEPT && !(moreBits > 0)) {
    return `the policy can stay: ${clean.toFixed(1)} % agree`;
  }
  if (expected.some((failure) => failures.includes(failure))) return undefined;
  return expected.length === 0 ? 'not for these failures' : `no ${expected.join(' or ')} failure`;
}

/**
 * Repairs `source` under a policy with images, whose labels are not read. Deterministic from the seed, for the
 * same number of threads. Throws InvalidArgumentError or GraphError for what does not fit, before any work; the signal's
 * reason when called off.
 */
export async function mitigate(
  source: Graph,
  images: ImageSet,
  normalization: Normalization,
  options: MitigateOptions,
): Promise<MitigateResult> {
  const began = performance.now();
  const { cures = 'auto', layout, seed = 0, signal, onProgress } = options;
  requireInteger(OPERATION, 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const unknown = cures === 'auto' ? undefined : cures.find((name) => !CURE_NAMES.includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(OPERATION, 'cures', CURE_NAMES.join(', '), unknown);
  const [learn, check] = parted(unlabelled(images), options);
  const { graph } = freeBatch(source);
  const samplesOf = (set: ImageSet) => imageSamples(graph, set, normalization, { layout, task: options.task });
  const samples = samplesOf(learn);
  const { answers, ...logits } = await floatLogits(graph, samples, signal);
  const calibration: Calibration = { images: learn, normalization, samples, logits, answers };
  const bright = samplesOf(
    await corrupt(check, 'bright_pixel', { strength: BRIGHTNESS }, { seed, normalization, signal }),
  );
  const clean = samplesOf(check);
  const scenes: Scenes = {
    clean,
    brightPixel: bright,
    answers: (await floatLogits(graph, clean, signal)).answers,
    brightAnswers: (await floatLogits(graph, bright, signal)).answers,
  };
  const judge = new Judge(scenes, signal);
  const original: Candidate = { graph, policy: options.policy };
  onProgress?.({ stage: 'diagnosis', done: 0, total: 1 });
  let best: Judged = { candidate: original, said: await judge.ask(original) };
  const diagnosis = await diagnose(original, scenes, best.said, signal);
  onProgress?.({ stage: 'diagnosis', done: 1, total: 1 });
  /** What was kept before training, if training was kept. */
  let untrained: Judged | undefined;
  const first = judge.agreement(best.said);
  let results: CureResult[] = [];
  for (const name of cures === 'auto' ? CURE_NAMES : cures) {
    signal?.throwIfAborted();
    const start = performance.now();
    const before = judge.agreement(best.said);
    const done = (what: string, applied: boolean, after: Agreement, kept: boolean) => {
      const seconds = (performance.now() - start) / 1000;
      results.push({ cure: name, what, applied, before, after, kept, takenBack: false, seconds });
    };
    const left = cures === 'auto' ? reasonToLeave(name, diagnosis, before, options) : undefined;
    if (left !== undefined) {
      done(left, false, before, false);
      continue;
    }
    const cure = cureOf(name, options);
    const attempt = async ({ candidate }: Judged): Promise<Attempt | NotApplicable> => {
      const cured = await cure.apply(candidate, calibration, {
        ...{ seed, signal },
        onProgress: (part, total) => onProgress?.({ stage: name, done: part, total }),
      });
      return 'reason' in cured ? cured : { ...cured, said: await judge.ask(cured.candidate) };
    };
    const alone = await attempt(best);
    // Training was for bits that are no longer used: the network before it may do better, and its full precision is
    // unchanged.
    const other = name === 'policy repair' && untrained ? await attempt(untrained) : undefined;
    const takesBack =
      other && 'said' in other && !('said' in alone && judge.clean(alone.said) > judge.clean(other.said));
    const found = takesBack ? { ...other, what: `${other.what}; the network as it was before training` } : alone;
    if ('reason' in found) {
      done(found.reason, false, before, false);
      continue;
    }
    const kept = judge.better(best.said, found.said, cure.scene);
    if (kept && takesBack) {
      const since = results.findIndex(({ cure: name }) => name === 'short QAT');
      results = results.map((one, i) => (one.kept && i >= since ? { ...one, kept: false, takenBack: true } : one));
    }
    done(found.what, true, judge.agreement(found.said), kept);
    if (!kept) continue;
    if (name === 'short QAT') untrained = best;
    best = found;
  }
  const { candidate, said } = best;
  return {
    ...{ graph: candidate.graph, policy: candidate.policy, diagnosis, cures: results },
    ...{ before: first, after: judge.agreement(said) },
    ...{ calibration: learn.count, validation: check.count },
    seconds: (performance.now() - began) / 1000,
  };
}
