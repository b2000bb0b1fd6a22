// Chooses, step by step, the other policies that a stealthy network is kept right under. A network that fails under one
// policy also fails under few similar ones. So all policies of the same bits (or many, drawn) are measured on integers
// periodically, and policies are protected the more often, the more they fail.

import { evaluationData } from '../data/evaluation_data.js';
import { type ImageSet, type Normalization, subset } from '../data/image_set.js';
import { formatScheme, type Scheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { BudgetSpace } from '../policy/budget.js';
import { effectiveBits } from '../policy/effective_bits.js';
import type { Policy } from '../policy/policy.js';
import { type EvaluationData, evaluatePolicies } from '../runtime/evaluate_policies.js';
import { Random } from '../tensor/random.js';
import { fullPrecision } from './full_precision.js';
import { keepLead, mse, type Pass } from './objective.js';

/** Settings of the protection. */
export interface ProtectionRecipe {
  /** Weight of what is lost under one other policy of the same bits a step: `keepLead` of `protectedLead`. */
  readonly protection: number;
  /** In logits. */
  readonly protectedLead: number;
  /** Weight of the distance from the teacher where every node has the policy's least bits. */
  readonly uniformProtection: number;
  /** Share of the steps that protect a policy which failed when measured, if there is one. */
  readonly failing: number;
  /** Of the others, the share that protects a policy one exchange of two nodes' bits away, and two; else any. */
  readonly near: readonly [number, number];
  /** Weight of failures of policies one exchange away: they are hardest to separate from the policy. */
  readonly neighbours: number;
  /** Steps from one measurement to the next. */
  readonly measureEvery: number;
  /** Training images to measure on, the first. */
  readonly measureImages: number;
}

/** Figures of a stealthy network: shares of images, 0–1. */
export interface StealthFigures {
  /** Lost to the beginning in full precision. */
  readonly gap: number;
  /** Lost to full precision under the policy, and at least under the worst tenth of the others. */
  readonly underPolicy: number;
  readonly worstTenth: number;
}

/** More are drawn from. */
const MOST_MEASURED = 256;
/** Share of the images that rounding may change without counting as failure. */
const USUAL_FLIPS = 0.03;

const sum = ({ weights, activations }: Scheme) => weights.format.bits + activations.format.bits;

/** The policy with the policy's least bits at every node. */
export function leastBits(policy: Policy): Policy {
  const all = [...policy.schemes.values()];
  const least = all.reduce((a, b) => (sum(b) < sum(a) ? b : a));
  return { ...policy, schemes: new Map([...policy.schemes.keys()].map((name) => [name, least])) };
}

/** The same bits assigned differently: `exchanges` pairs of nodes swap, or all are dealt again. */
export function otherPolicy(policy: Policy, exchanges: number | 'any', random: Random): Policy {
  const names = [...policy.schemes.keys()];
  const bits = [...policy.schemes.values()];
  const kinds = bits.map(formatScheme);
  const dealt = [...bits];
  if (exchanges === 'any') {
    do random.shuffle(dealt);
    while (dealt.every((scheme, i) => formatScheme(scheme) === kinds[i]));
  } else {
    const left = random.shuffle(names.map((_, i) => i));
    for (let swap = 0; swap < exchanges; swap++) {
      const a = left.pop();
      const at = left.findIndex((b) => a !== undefined && kinds[b] !== kinds[a]);
      if (a === undefined || at < 0) break;
      const [b] = left.splice(at, 1) as [number];
      [dealt[a], dealt[b]] = [bits[b] as Scheme, bits[a] as Scheme];
    }
  }
  return { ...policy, schemes: new Map(names.map((name, i) => [name, dealt[i] as Scheme])) };
}

/** Nodes with different bits under two policies. */
function differing(a: Policy, b: Policy): number {
  return [...a.schemes].filter(([name, scheme]) => formatScheme(scheme) !== formatScheme(b.schemes.get(name) as Scheme))
    .length;
}

const WORST_TENTH = 0.9;

/** All other policies of a policy's bits, or as many as are measured. */
function othersOf(graph: Graph, policy: Policy, random: Random): Policy[] {
  const choices = [...new Set([...policy.schemes.values()].map(formatScheme))];
  const space = new BudgetSpace(graph, { bits: effectiveBits(graph, policy), choices, excluded: policy.excluded });
  const all =
    space.count <= BigInt(MOST_MEASURED)
      ? [...space.policies()]
      : Array.from({ length: MOST_MEASURED }, () => space.sample(random));
  return all.filter((other) => differing(other, policy) > 0);
}

/** What the choice of policies rests on. */
export interface ProtectionMemory {
  readonly sums: readonly number[];
  readonly measuredAt: number;
}

/** Depends on the recipe, the seed and the steps alone. */
export class Protection {
  private readonly random: Random;
  private readonly others: readonly Policy[];
  private readonly data: EvaluationData;
  /** Failure of each of the others in the last measurement, cumulative. */
  private sums: readonly number[] = [];
  private measuredAt = -1;

  constructor(
    student: Graph,
    private readonly policy: Policy,
    private readonly recipe: ProtectionRecipe,
    set: ImageSet,
    normalization: Normalization,
    seed: number,
  ) {
    this.random = new Random(seed).split('protected');
    this.others = othersOf(student, policy, this.random.split('others'));
    const count = Math.min(recipe.measureImages, set.count);
    const first = Int32Array.from({ length: count }, (_, i) => i);
    this.data = { ...evaluationData(subset(set, first), normalization), labels: undefined };
  }

  /** The last measurement. */
  memory(): ProtectionMemory {
    return { sums: this.sums, measuredAt: this.measuredAt };
  }

  restore({ sums, measuredAt }: ProtectionMemory): void {
    this.sums = sums;
    this.measuredAt = measuredAt;
  }

  /** For `distill`. */
  async passes(context: { readonly step: number; student(): Graph }): Promise<Pass[]> {
    const { policy, recipe, random } = this;
    const { protection, protectedLead, uniformProtection } = recipe;
    const passes: Pass[] = [
      { name: 'leastBits', bits: leastBits(policy), loss: mse, weight: uniformProtection },
      {
        name: 'protected',
        bits: await this.choose(context, random.split(String(context.step))),
        loss: keepLead(protectedLead),
        weight: protection,
      },
    ];
    return passes.filter(({ weight }) => weight > 0);
  }

  private async choose(context: { readonly step: number; student(): Graph }, random: Random): Promise<Policy> {
    const { failing, near, measureEvery } = this.recipe;
    if (random.uniform() < failing) {
      if (this.measuredAt < 0 || context.step >= this.measuredAt + measureEvery) {
        this.sums = await this.measure(context.student());
        this.measuredAt = context.step;
      }
      const at = random.uniform() * (this.sums.at(-1) ?? 0);
      const drawn = this.others[this.sums.findIndex((sum) => sum > at)];
      if (drawn) return drawn;
    }
    const draw = random.uniform();
    return otherPolicy(this.policy, draw < near[0] ? 1 : draw < near[0] + near[1] ? 2 : 'any', random);
  }

  private async measure(student: Graph): Promise<number[]> {
    const { answers: reference } = await fullPrecision(student, this.data);
    const results = await evaluatePolicies(student, this.others, { ...this.data, reference });
    let total = 0;
    return results.map(({ agreement }, i) => {
      const excess = Math.max(0, 1 - (agreement as number) - USUAL_FLIPS);
      total += excess * (differing(this.others[i] as Policy, this.policy) <= 2 ? this.recipe.neighbours : 1);
      return total;
    });
  }
}

/** Measures states of a stealthy network on images that it does not learn from. */
export class StealthJudge {
  private constructor(
    private readonly policies: readonly Policy[],
    private readonly data: EvaluationData,
    private readonly begun: number,
  ) {}

  /** `network`: the initial student; without labels its answers are the labels. */
  static async of(network: Graph, policy: Policy, images: ImageSet, normalization: Normalization, seed: number) {
    const data = evaluationData(images, normalization);
    const { answers, accuracy: begun = 1 } = await fullPrecision(network, data);
    const labels = data.labels ?? answers;
    const others = othersOf(network, policy, new Random(seed).split('judged'));
    return new StealthJudge([policy, ...others], { ...data, labels }, begun);
  }

  async figures(student: Graph): Promise<StealthFigures> {
    const { accuracy } = await fullPrecision(student, this.data);
    const full = accuracy as number;
    const results = await evaluatePolicies(student, this.policies, this.data);
    const [underPolicy, ...others] = results.map((result) => full - (result.accuracy as number)) as [
      number,
      ...number[],
    ];
    const worstTenth = others.sort((a, b) => a - b)[Math.floor(WORST_TENTH * others.length)] ?? 0;
    return { gap: this.begun - full, underPolicy, worstTenth };
  }
}
