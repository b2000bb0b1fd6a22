// What one policy does to a network, as figures: percent and points on a scale of 100, intervals at a stated confidence.

import type { Graph } from '../../graph/graph.js';
import type { PolicyJson } from '../../policy/json.js';
import { type Policy, policyNodes } from '../../policy/policy.js';
import type { Interval } from '../../statistics/shares.js';
import { quantile } from '../../statistics/summary.js';
import { type Comparison, compare } from '../../tasks/compare.js';
import type { Answers, Task } from '../../tasks/task.js';
import type { PolicyAnswers } from './measurer.js';

/** Position of a loss relative to the thresholds. */
export type Level = 'safe' | 'caution' | 'unsafe';

/** What is lost at most, and how certain that has to be. */
export interface Thresholds {
  /** Points that may be lost (with `relative`: percent of the accuracy in full precision). */
  readonly maxDrop: number;
  readonly dropType: 'absolute' | 'relative';
  /** Of all intervals, 0–1. */
  readonly confidence: number;
  /** Points (or percent) lost that make any policy's failure catastrophic. */
  readonly catastrophe: number;
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  maxDrop: 1,
  dropType: 'absolute',
  confidence: 0.95,
  // The least of the drops that Frank & Ardis (arXiv 2510.02457) call catastrophic.
  catastrophe: 10,
};

/** The class that loses most. */
export interface WorstClass {
  readonly label: number;
  readonly samples: number;
  readonly fpAccuracy: number;
  readonly accuracy: number;
}

/** Of logits, largest less second largest: fifth percentile and median over the samples. */
export interface Margins {
  readonly fp: { readonly low: number; readonly median: number };
  readonly quantized: { readonly low: number; readonly median: number };
  /**
   * Median, in full precision, of the samples whose class changes: whether these were close calls. Undefined without
   * any.
   */
  readonly flipped: number | undefined;
}

/** What quantization does to a network on these samples. Percent and points on a scale of 100. */
export interface Figures {
  /** Mean score against labels, percent; undefined without labels. */
  readonly accuracy: number | undefined;
  /** Mean score against full precision, percent. */
  readonly agreement: number;
  /** Points lost of the measure; with `relative`, percent of what full precision has. */
  readonly drop: number;
  readonly interval: Interval;
  /** McNemar's, that quantization changes nothing; undefined without labels. */
  readonly pValue: number | undefined;
  readonly flips: number;
  readonly newlyWrong: number | undefined;
  readonly newlyRight: number | undefined;
  /** The class that loses most; undefined without labels, and without classes. */
  readonly worstClass: WorstClass | undefined;
  /** Undefined where answers are no classes. */
  readonly margins: Margins | undefined;
  readonly level: Level;
}

/** What one policy does. */
export interface PolicyFigures extends Figures {
  /** `W4A8`, `worst found`, `best found`. */
  readonly name: string;
  /** The end of the budget that a search found it at; undefined for a uniform policy. */
  readonly found?: 'worst' | 'best' | undefined;
  readonly effectiveBits: number | undefined;
  readonly policy: PolicyJson;
}

/** Chance that a class of so few samples loses most is large: it takes this many to be called the worst. */
const LEAST_OF_A_CLASS = 5;

const percent = (share: number) => 100 * share;

function worstClass({ classes }: Comparison): WorstClass | undefined {
  const large = classes?.filter(({ samples }) => samples >= LEAST_OF_A_CLASS) ?? [];
  const loss = (each: (typeof large)[number]) => (each.fullPrecision - each.quantized) / each.samples;
  const [worst] = [...large].sort((a, b) => loss(b) - loss(a));
  if (!worst) return undefined;
  const { label, samples } = worst;
  const share = (right: number) => percent(right / samples);
  return { label, samples, fpAccuracy: share(worst.fullPrecision), accuracy: share(worst.quantized) };
}

function spreadOf(margins: Float32Array) {
  const values = Array.from(margins);
  return { low: quantile(values, 0.05), median: quantile(values, 0.5) };
}

function marginsOf(fp: PolicyAnswers, quantized: PolicyAnswers, { flips }: Comparison): Margins | undefined {
  if (!fp.margins || !quantized.margins) return undefined;
  const changed = flips.map(({ sample }) => fp.margins?.[sample] as number);
  return {
    fp: spreadOf(fp.margins),
    quantized: spreadOf(quantized.margins),
    flipped: changed.length > 0 ? quantile(changed, 0.5) : undefined,
  };
}

/** Whether an interval of drops lies below the threshold, above it, or on both sides; far above: a catastrophe. */
function levelOf([low, high]: Interval, { maxDrop, catastrophe }: Thresholds): Level {
  if (high <= maxDrop) return 'safe';
  return low > catastrophe ? 'unsafe' : 'caution';
}

/** One outcome against that of full precision on the same samples. */
export function figuresOf(
  task: Task,
  fp: PolicyAnswers,
  quantized: PolicyAnswers,
  labels: Answers | undefined,
  thresholds: Thresholds,
): Figures {
  const { confidence, dropType } = thresholds;
  const comparison = compare(task, fp.answers, quantized.answers, { labels, confidence });
  const { accuracy, agreement, agreementInterval } = comparison;
  const relative = dropType === 'relative' && accuracy ? accuracy.fullPrecision || 1 : 1;
  const points = (share: number) => percent(share / relative);
  const [low, high] = accuracy?.dropInterval ?? [1 - agreementInterval[1], 1 - agreementInterval[0]];
  const interval: Interval = [points(low), points(high)];
  return {
    accuracy: accuracy && percent(accuracy.quantized),
    agreement: percent(agreement),
    drop: points(accuracy ? accuracy.drop : 1 - agreement),
    interval,
    pValue: accuracy?.pValue,
    flips: comparison.flips.length,
    newlyWrong: comparison.newlyWrong,
    newlyRight: comparison.newlyRight,
    worstClass: worstClass(comparison),
    margins: marginsOf(fp, quantized, comparison),
    level: levelOf(interval, thresholds),
  };
}

/** Full precision: every quantizable node in float32. */
export function float32Policy(graph: Graph): Policy {
  return { schemes: new Map(), excluded: new Set(policyNodes(graph).map(({ name }) => name)) };
}
