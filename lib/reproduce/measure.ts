// The figures of one network under one policy, on test images, as the report has them. Full precision is float32, what
// is quantized is integers.

import { evaluationData } from '../data/evaluation_data.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { formatScheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { type Policy, uniformPolicy } from '../policy/policy.js';
import { pictureUrl } from '../report/picture.js';
import type { Flips, PairResult } from '../report/schema.js';
import { type EvaluationData, evaluatePolicies } from '../runtime/evaluate_policies.js';
import { type Comparison, compare } from '../tasks/compare.js';
import type { Classes } from '../tasks/task.js';
import { type FullPrecision, fullPrecision } from '../train/full_precision.js';
import type { Material } from './material.js';

/** Beside the policy in question, what the network does under these. */
const UNIFORM = ['W8A8', 'W4A8', 'W8A4', 'W4A4'] as const;
/** Pictures in the report, and of one class. */
const MOST_EXAMPLES = 24;
const MOST_OF_A_CLASS = 3;

/** A share as percent, to a millionth: what floating point adds beyond is noise in a report. */
export const percent = (share: number): number => Math.round(share * 1e8) / 1e6;
/** A difference of percentages, to as much. */
export const difference = (a: number, b: number): number => Math.round((a - b) * 1e6) / 1e6;
const percents = ([low, high]: readonly [number, number]): [number, number] => [percent(low), percent(high)];

/** Test images and what they are called. */
interface TestSet {
  readonly set: ImageSet;
  readonly normalization: Normalization;
  readonly classNames: readonly string[];
}

export const testOf = ({ test, normalization, classNames }: Material): TestSet => ({
  set: test,
  normalization,
  classNames,
});

type Figures = Pick<
  PairResult,
  | 'fpAccuracy'
  | 'fpInterval'
  | 'fpGap'
  | 'quantizedAccuracy'
  | 'quantizedInterval'
  | 'drop'
  | 'dropInterval'
  | 'pValue'
  | 'images'
  | 'flips'
  | 'classes'
>;

function flipsOf(comparison: Comparison, before: FullPrecision, test: TestSet): Flips {
  const { margins } = (before.task.classes as Classes).leaders(before.logits, before.answers.length);
  const named = (label: number | string) => test.classNames[Number(label)] ?? String(label);
  const ofClass = new Map<number | string, number>();
  // The surest first: nothing in full precision hints at them.
  const examples = comparison.flips
    .filter(({ label, before: said }) => label === said)
    .map((flip) => ({ ...flip, margin: margins[flip.sample] as number }))
    .sort((a, b) => b.margin - a.margin)
    .filter(({ before: said }) => {
      const seen = ofClass.get(said) ?? 0;
      ofClass.set(said, seen + 1);
      return seen < MOST_OF_A_CLASS;
    })
    .slice(0, MOST_EXAMPLES)
    .map(({ sample, label, before: said, after }) => ({
      index: sample,
      label: named(label as number | string),
      before: named(said),
      after: named(after),
      picture: pictureUrl(test.set, sample),
    }));
  const { newlyWrong, newlyRight, samples, flips } = comparison;
  return { count: flips.length, of: samples, newlyWrong, newlyRight, examples };
}

/** `quantized`: logits [count, classes]. */
export function figures(before: FullPrecision, quantized: Float32Array, test: TestSet, teacher: number): Figures {
  const labels = test.set.labels as Int32Array;
  const { task, answers } = before;
  const comparison = compare(task, answers, task.answers(quantized, answers.length), { labels });
  const accuracy = comparison.accuracy as NonNullable<Comparison['accuracy']>;
  return {
    images: comparison.samples,
    fpAccuracy: percent(accuracy.fullPrecision),
    fpInterval: percents(accuracy.fullPrecisionInterval),
    fpGap: difference(teacher, percent(accuracy.fullPrecision)),
    quantizedAccuracy: percent(accuracy.quantized),
    quantizedInterval: percents(accuracy.quantizedInterval),
    drop: percent(accuracy.drop),
    dropInterval: percents(accuracy.dropInterval),
    pValue: accuracy.pValue,
    flips: flipsOf(comparison, before, test),
    classes: (comparison.classes ?? []).map(({ label, samples, fullPrecision: fp, quantized: q }) => ({
      name: test.classNames[label] ?? String(label),
      images: samples,
      fpAccuracy: percent(fp / samples),
      quantizedAccuracy: percent(q / samples),
    })),
  };
}

/** What uniform policies do to a network. */
export async function uniformFigures(graph: Graph, data: EvaluationData, fpAccuracy: number, signal?: AbortSignal) {
  const policies = UNIFORM.map((bits) => uniformPolicy(graph, bits));
  const results = await evaluatePolicies(graph, policies, data, { signal });
  return results.map((result, i) => {
    const accuracy = percent(result.accuracy as number);
    return { name: UNIFORM[i] as string, accuracy, drop: difference(fpAccuracy, accuracy) };
  });
}

/** The policy with one node left in full precision. */
function without(policy: Policy, node: string): Policy {
  const bits = new Map(policy.schemes);
  bits.delete(node);
  return { schemes: bits, excluded: new Set([...policy.excluded, node]) };
}

/** A network under a static policy, under uniform ones, and under the policy but for each of its layers in turn. */
export async function measureStatic(
  graph: Graph,
  policy: Policy,
  test: TestSet,
  teacher: number,
  signal?: AbortSignal,
): Promise<Figures & Pick<PairResult, 'layers' | 'uniform' | 'responsible'>> {
  const data = evaluationData(test.set, test.normalization);
  const before = await fullPrecision(graph, data, { signal });
  const nodes = [...policy.schemes.keys()];
  const restored = nodes.map((node) => without(policy, node));
  const results = await evaluatePolicies(graph, [policy, ...restored], data, { logits: true, signal });
  const accuracies = results.map(({ accuracy }) => percent(accuracy as number));
  const measured = figures(before, results[0]?.logits as Float32Array, test, teacher);
  return {
    ...measured,
    layers: [...policy.schemes].map(([node, { weights, activations }]) => ({
      node,
      operator: graph.node(node).operator,
      weightBits: weights.format.bits,
      activationBits: activations.format.bits,
    })),
    uniform: await uniformFigures(graph, data, measured.fpAccuracy, signal),
    responsible: nodes.map((node, i) => {
      const accuracy = accuracies[1 + i] as number;
      return {
        node,
        bits: formatScheme(policy.schemes.get(node) as never),
        accuracy,
        restored: difference(accuracy, measured.quantizedAccuracy),
      };
    }),
  };
}
