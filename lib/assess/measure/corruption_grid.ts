// Corruptions × severities × policies: how much accuracy each corruption takes in full precision, and how much more
// quantization takes under it. Every policy sees the same corrupted images, so drops are of paired samples.

import { InvalidArgumentError } from '../../core/errors.js';
import {
  type CorruptionFamily,
  type CorruptionLevel,
  type CorruptionName,
  type CorruptionRequest,
  corrupt,
  corruptionInfo,
} from '../../data/corruptions.js';
import { type ImageSet, type Normalization, subset } from '../../data/image_set.js';
import type { Graph } from '../../graph/graph.js';
import type { Policy } from '../../policy/policy.js';
import { keepPart } from '../../run/parts.js';
import { DEFAULT_CONFIDENCE, type Interval } from '../../statistics/shares.js';
import { compare } from '../../tasks/compare.js';
import { type Answers, type Task, total } from '../../tasks/task.js';
import { Random } from '../../tensor/random.js';
import { imageSamples } from '../samples.js';
import { CorruptionErrors, type RobustnessSummary } from './corruption_errors.js';
import { float32Policy } from './figures.js';
import { Measurer, type PlanOptions } from './measurer.js';

/** The name of the network in full precision among policies. */
export const FULL_PRECISION = 'fp32';

/** A policy under a name for reports. */
export interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

/** What a grid is over. */
export interface CorruptionGridOptions {
  readonly policies: readonly NamedPolicy[];
  readonly corruptions: readonly CorruptionRequest[];
  /** At most so many images, drawn by the seed. Default: all. */
  readonly count?: number | undefined;
  /** Of the draw and of everything random in corruptions. Default 0. */
  readonly seed?: number | undefined;
  /** Whose errors are 100 % in mCE: `fp32`, or the name of a policy. Default `fp32`. */
  readonly baseline?: string | undefined;
  readonly layout?: 'nchw' | 'nhwc' | undefined;
  /** Name of the task. Default: what the output leaves no doubt of, else classification. */
  readonly task?: string | undefined;
  /** From the corrupted images to those that the network takes, say with red and blue exchanged. */
  readonly prepare?: ((set: ImageSet) => ImageSet) | undefined;
  readonly plan?: PlanOptions | undefined;
  /** Of all intervals. Default .95. */
  readonly confidence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Conditions (corruptions at one level, and the clean images) done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Shares, 0–1. */
export interface CorruptionFigures {
  readonly policy: string;
  readonly accuracy: number;
  readonly accuracyInterval: Interval;
  /** Accuracy in full precision less this one, on the same corrupted images: what quantization adds. */
  readonly drop: number;
  readonly dropInterval: Interval;
  /** That both err alike, McNemar's exact test. */
  readonly pValue: number;
  /** Images whose answer differs from full precision, and how many of these became wrong, and right. */
  readonly flips: number;
  readonly newlyWrong: number;
  readonly newlyRight: number;
}

/** One corruption at one level; without a name, the clean images. */
export interface CorruptionCondition {
  readonly corruption: CorruptionName | undefined;
  readonly family: CorruptionFamily | undefined;
  readonly level: CorruptionLevel | undefined;
  readonly fpAccuracy: number;
  readonly fpAccuracyInterval: Interval;
  readonly policies: readonly CorruptionFigures[];
}

/** Accuracy of every policy under every corruption. */
export interface CorruptionGrid {
  readonly schema: 'faultline.corruptions/1';
  readonly images: number;
  readonly seed: number;
  readonly confidence: number;
  readonly baseline: string;
  readonly clean: CorruptionCondition;
  readonly conditions: readonly CorruptionCondition[];
  /** Full precision first, then the policies in order. */
  readonly summary: readonly RobustnessSummary[];
}

const OPERATION = 'corruptionGrid';

function check(set: ImageSet, options: CorruptionGridOptions): asserts set is ImageSet & { labels: Int32Array } {
  const { policies, corruptions, baseline } = options;
  if (!set.labels) throw new InvalidArgumentError(OPERATION, 'set', 'images with labels', 'images without');
  if (policies.length === 0) throw new InvalidArgumentError(OPERATION, 'policies', 'one or more', 'none');
  if (corruptions.length === 0) throw new InvalidArgumentError(OPERATION, 'corruptions', 'one or more', 'none');
  const names = [FULL_PRECISION, ...policies.map(({ name }) => name)];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InvalidArgumentError(OPERATION, 'policies', 'names that differ', `${twice} twice`);
  if (baseline !== undefined && !names.includes(baseline)) {
    throw new InvalidArgumentError(OPERATION, 'baseline', names.join(', '), baseline);
  }
}

/** Images drawn by the seed, in their order. */
function drawn(set: ImageSet, count: number | undefined, seed: number): ImageSet {
  if (count === undefined || count >= set.count) return set;
  const order = new Random(seed).split('samples').shuffle(Int32Array.from({ length: set.count }, (_, i) => i));
  return subset(set, order.subarray(0, count).sort());
}

/**
 * Accuracy under every corruption at every requested level, in full precision and under each policy on integers, with
 * intervals; and over all of them mean drops and mean corruption errors. `set`: labelled images, bytes (floats for range
 * attacks alone). Throws InvalidArgumentError, before any work, for what does not fit; the signal's reason when called
 * off.
 */
export async function corruptionGrid(
  graph: Graph,
  set: ImageSet,
  normalization: Normalization,
  options: CorruptionGridOptions,
): Promise<CorruptionGrid> {
  check(set, options);
  const { policies, corruptions, seed = 0, baseline = FULL_PRECISION, confidence = DEFAULT_CONFIDENCE } = options;
  const { prepare = (images: ImageSet) => images, layout, plan, signal, onProgress } = options;
  const images = drawn(set, options.count, seed);
  const labels = images.labels as Int32Array;
  const names = [FULL_PRECISION, ...policies.map(({ name }) => name)];
  const tried = [float32Policy(graph), ...policies.map(({ policy }) => policy)];
  const requests = corruptions.flatMap(({ name, levels }) => levels.map((level) => ({ name, level })));
  const errors = new CorruptionErrors(names, images.count);
  const measurer = new Measurer(graph);

  const samplesOf = (shown: ImageSet) =>
    imageSamples(graph, prepare(shown), normalization, { layout, task: options.task });
  const { task } = samplesOf(images);
  const measure = async (show: () => Promise<ImageSet>, name?: CorruptionName, level?: CorruptionLevel) => {
    const all = await keepPart('condition', async () => {
      const outcomes = await measurer.run(samplesOf(await show()), tried, { plan, signal });
      return outcomes.map(({ answers }) => answers);
    });
    errors.add(
      name,
      all.map((answers) => task.scores(answers, labels)),
    );
    return condition(task, names, all, labels, confidence, name, level);
  };

  try {
    onProgress?.(0, requests.length + 1);
    const clean = await measure(async () => images);
    const conditions: CorruptionCondition[] = [];
    for (const { name, level } of requests) {
      signal?.throwIfAborted();
      onProgress?.(conditions.length + 1, requests.length + 1);
      const show = () => corrupt(images, name, level, { seed, normalization, signal });
      conditions.push(await measure(show, name, level));
    }
    onProgress?.(requests.length + 1, requests.length + 1);
    const summary = errors.summaries(baseline, confidence);
    const schema = 'faultline.corruptions/1';
    return { schema, images: images.count, seed, confidence, baseline, clean, conditions, summary };
  } finally {
    measurer.dispose();
  }
}

function condition(
  task: Task,
  names: readonly string[],
  answers: readonly Answers[],
  labels: Answers,
  confidence: number,
  corruption: CorruptionName | undefined,
  level: CorruptionLevel | undefined,
): CorruptionCondition {
  const [fp, ...quantized] = answers as [Answers, ...Answers[]];
  const policies = quantized.map((policyAnswers, i): CorruptionFigures => {
    const {
      accuracy,
      flips,
      newlyWrong = 0,
      newlyRight = 0,
    } = compare(task, fp, policyAnswers, { labels, confidence });
    if (!accuracy) throw new InvalidArgumentError(OPERATION, 'set', 'images with labels', 'images without');
    return {
      policy: names[i + 1] as string,
      accuracy: accuracy.quantized,
      accuracyInterval: accuracy.quantizedInterval,
      drop: accuracy.drop,
      dropInterval: accuracy.dropInterval,
      pValue: accuracy.pValue,
      flips: flips.length,
      newlyWrong,
      newlyRight,
    };
  });
  const right = task.scores(fp, labels);
  return {
    corruption,
    family: corruption && corruptionInfo(corruption).family,
    level,
    fpAccuracy: total(right) / labels.length,
    fpAccuracyInterval: task.interval(right, confidence),
    policies,
  };
}
