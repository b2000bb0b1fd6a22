// Policies of an exact budget. Spending is counted in whole numbers (what a node counts for times its bits), so a budget
// is met exactly or not at all. A table of the sums that can be reached, node by node, with the number of ways to
// continue from each, answers everything: whether the budget can be met, by how many policies, which choices are left
// after some were made, how to draw one policy uniformly, and which policy is best where the values of nodes add up.

import { describe, InvalidArgumentError } from '../core/errors.js';
import type { Scheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import type { Random } from '../tensor/random.js';
import { bitUnit, countedBits, type EffectiveBitsOptions, nodeWeights } from './effective_bits.js';
import { type Policy, type PolicyOptions, quantizedNames, toScheme } from './policy.js';

/** The budget that every policy of a space meets. */
export interface BudgetOptions extends PolicyOptions, EffectiveBitsOptions {
  /** Effective bits that every policy has. */
  readonly bits: number;
  /** How far from `bits` the effective bits may lie. Default 0: exactly. */
  readonly tolerance?: number | undefined;
  /** Schemes of a node that is not pinned: `['W4A4', 'W8A8']`. */
  readonly choices: readonly (string | Scheme)[];
  /** Names of the nodes in the order of choice. Default: the order of the graph. */
  readonly order?: readonly string[] | undefined;
}

/** Sums in the table; of weights or multiply-accumulates there can be very many. */
const MAX_STATES = 2 ** 22;
/** Budgets are decimal numbers: 5.3 times ten nodes is not quite 53. */
const ROUNDING = 1e-9;

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** All policies of a budget: counted, listed, drawn and recognised, however many there are. */
export class BudgetSpace {
  /** Nodes in the order of choice, pinned ones among them. */
  readonly names: readonly string[];
  readonly choices: readonly Scheme[];
  readonly excluded: ReadonlySet<string>;
  private readonly inGraph: readonly string[];
  /** Choices of each node. */
  private readonly options: readonly (readonly Scheme[])[];
  /** Cost of each choice. */
  private readonly costs: readonly (readonly number[])[];
  /**
   * ways[i]: sum spent on the nodes before i → number of ways to complete it. Sums that cannot be completed are absent.
   */
  private readonly ways: readonly ReadonlyMap<number, bigint>[];

  /** Throws, before anything else is done: GraphError on unknown nodes, InvalidArgumentError when no policy fits. */
  constructor(graph: Graph, options: BudgetOptions) {
    const { bits, tolerance = 0, pinned, weighting = 'nodes', counted = 'both' } = options;
    if (!Number.isFinite(bits)) throw new InvalidArgumentError('budget', 'bits', 'a number', describe(bits));
    if (!(tolerance >= 0)) throw new InvalidArgumentError('budget', 'tolerance', 'a number ≥ 0', describe(tolerance));
    this.choices = options.choices.map((choice) => toScheme(choice));
    if (this.choices.length === 0) throw new InvalidArgumentError('budget', 'choices', 'one or more', 'none');
    const { names: inGraph, excluded } = quantizedNames(graph, options);
    const names = options.order ?? inGraph;
    const same = names.length === inGraph.length && inGraph.every((name) => names.includes(name));
    if (!same) throw new InvalidArgumentError('budget', 'order', inGraph.join(', '), names.join(', '));
    if (names.length === 0) throw new InvalidArgumentError('budget', 'graph', 'nodes to quantize', 'none');
    this.names = names;
    this.inGraph = inGraph;
    this.excluded = excluded;
    this.options = names.map((name) => {
      const pin = pinned?.get(name);
      return pin ? [pin] : this.choices;
    });
    const weights = nodeWeights(graph, names, weighting);
    const divisor = weights.reduce(gcd);
    const parts = weights.map((weight) => weight / divisor);
    this.costs = this.options.map((node, i) =>
      node.map((choice) => (parts[i] as number) * countedBits(choice, counted)),
    );
    const unit = parts.reduce((sum, part) => sum + part, 0) * bitUnit(counted);
    const [low, high] = [unit * (bits - tolerance), unit * (bits + tolerance)];
    const slack = ROUNDING * unit;
    this.ways = this.countWays(Math.ceil(low - slack), Math.floor(high + slack));
    if (this.count === 0n) {
      throw new InvalidArgumentError(
        'budget',
        'bits',
        this.nearest(unit, (low + high) / 2),
        `${bits} (by ${weighting})`,
      );
    }
  }

  /** The smallest or the largest sum that the nodes from each one on can spend. */
  private extremes(of: (...costs: number[]) => number): number[] {
    const ends = [0];
    for (const costs of [...this.costs].reverse()) ends.push((ends.at(-1) as number) + of(...costs));
    return ends.reverse();
  }

  /** Bounds of the sums spent before each node from which [low, high] may be reachable. */
  private reachable(low: number, high: number): Set<number>[] {
    const [least, most] = [this.extremes(Math.min), this.extremes(Math.max)];
    const levels = [new Set([0])];
    let states = 1;
    this.costs.forEach((costs, i) => {
      const next = new Set<number>();
      for (const spent of levels[i] as Set<number>) {
        for (const cost of costs) {
          const sum = spent + cost;
          const open = sum + (least[i + 1] as number) <= high && sum + (most[i + 1] as number) >= low;
          if (open) next.add(sum);
        }
        if (states + next.size > MAX_STATES) {
          const expected = 'a weighting, choices and tolerance with fewer different sums';
          throw new InvalidArgumentError('budget', 'weighting', expected, `more than ${MAX_STATES}`);
        }
      }
      states += next.size;
      levels.push(next);
    });
    return levels;
  }

  private countWays(low: number, high: number): Map<number, bigint>[] {
    const levels = this.reachable(low, high);
    const ways: Map<number, bigint>[] = [];
    for (let i = levels.length - 1; i >= 0; i--) {
      const later = ways[0];
      const table = new Map<number, bigint>();
      for (const spent of levels[i] as Set<number>) {
        const costs = this.costs[i];
        const count = !later ? 1n : (costs ?? []).reduce((sum, cost) => sum + (later.get(spent + cost) ?? 0n), 0n);
        if (count > 0n) table.set(spent, count);
      }
      ways.unshift(table);
    }
    return ways;
  }

  /** The reachable effective bits on either side of an impossible budget. */
  private nearest(unit: number, target: number): string {
    const all = this.reachable(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).at(-1) as Set<number>;
    let [below, above] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const sum of all) {
      if (sum < target) below = Math.max(below, sum);
      else above = Math.min(above, sum);
    }
    const near = [below, above].filter(Number.isFinite).map((sum) => String(sum / unit));
    return `effective bits that these choices can have, nearest ${near.join(' or ')}`;
  }

  /** Number of policies. */
  get count(): bigint {
    return this.ways[0]?.get(0) ?? 0n;
  }

  /**
   * Choices of the next node with which the budget can still be met, after the bits of the nodes before it, in order.
   * Throws InvalidArgumentError when these cannot be completed themselves.
   */
  allowed(chosen: readonly Scheme[]): Scheme[] {
    const spent = this.spent(chosen);
    const later = this.ways[chosen.length + 1];
    const costs = this.costs[chosen.length] ?? [];
    return (this.options[chosen.length] ?? []).filter((_, k) => later?.has(spent + (costs[k] as number)));
  }

  private spent(chosen: readonly Scheme[]): number {
    const spent = chosen.reduce((sum, bits, i) => sum + this.cost(i, bits), 0);
    if (this.ways[chosen.length]?.has(spent)) return spent;
    throw new InvalidArgumentError('budget', 'chosen', 'bits that some policy of the budget begins with', 'others');
  }

  /** The policy with these bits, in the order of `names`; of any budget. */
  policy(bits: readonly Scheme[]): Policy {
    const chosen = new Map(this.names.map((name, i) => [name, bits[i] as Scheme]));
    return {
      schemes: new Map(this.inGraph.map((name) => [name, chosen.get(name) as Scheme])),
      excluded: this.excluded,
    };
  }

  /** Whether the nodes from this one on can meet the budget when those before it spent so much. */
  isOpen(node: number, spent: number): boolean {
    return this.ways[node]?.has(spent) ?? false;
  }

  /** Choices of a node whatever the budget: one where it is pinned. */
  optionsOf(node: number): readonly Scheme[] {
    return this.options[node] ?? [];
  }

  /** Cost of these bits of a node, in whole numbers. */
  cost(node: number, bits: Scheme): number {
    return this.costs[node]?.[this.optionsOf(node).indexOf(bits)] ?? Number.NaN;
  }

  /**
   * Bits of the policy with the largest sum of `worth` over the nodes, −Infinity for bits that a node must not
   * get: a knapsack of groups, solved exactly over the table of sums. Undefined when no policy of the budget is left.
   */
  optimum(worth: (node: number, bits: Scheme) => number): Scheme[] | undefined {
    const { options, costs, ways } = this;
    let later = new Map<number, { worth: number; choice: number }>();
    for (const sum of ways.at(-1)?.keys() ?? []) later.set(sum, { worth: 0, choice: -1 });
    const levels = [later];
    for (let i = options.length - 1; i >= 0; i--) {
      const level = new Map<number, { worth: number; choice: number }>();
      const worths = (options[i] as readonly Scheme[]).map((bits) => worth(i, bits));
      for (const spent of ways[i]?.keys() ?? []) {
        let best = { worth: Number.NEGATIVE_INFINITY, choice: -1 };
        worths.forEach((value, choice) => {
          const total = value + (later.get(spent + (costs[i]?.[choice] as number))?.worth ?? Number.NEGATIVE_INFINITY);
          if (total > best.worth) best = { worth: total, choice };
        });
        if (best.choice >= 0) level.set(spent, best);
      }
      levels.unshift(level);
      later = level;
    }
    const bits: Scheme[] = [];
    let spent = 0;
    for (let i = 0; i < options.length; i++) {
      const step = levels[i]?.get(spent);
      if (!step) return undefined;
      bits.push((options[i] as readonly Scheme[])[step.choice] as Scheme);
      spent += costs[i]?.[step.choice] as number;
    }
    return bits;
  }

  /** Whether a policy lies in this space. */
  has(policy: Policy): boolean {
    const bits = this.names.map((name) => policy.schemes.get(name));
    if (bits.length !== policy.schemes.size || !bits.every((value) => value !== undefined)) return false;
    try {
      this.spent(bits);
      return true;
    } catch (error) {
      if (error instanceof InvalidArgumentError) return false;
      throw error;
    }
  }

  /** Every policy, choices of the last node changing fastest: neighbours share long prefixes. */
  *policies(): Generator<Policy> {
    const { names, options, costs, ways } = this;
    const chosen: Scheme[] = [];
    const walk = function* (i: number, spent: number): Generator<readonly Scheme[]> {
      if (i === names.length) {
        yield chosen;
        return;
      }
      for (const [k, bits] of (options[i] as readonly Scheme[]).entries()) {
        const sum = spent + (costs[i]?.[k] as number);
        if (!ways[i + 1]?.has(sum)) continue;
        chosen[i] = bits;
        yield* walk(i + 1, sum);
      }
    };
    for (const bits of walk(0, 0)) yield this.policy(bits);
  }

  /**
   * Bits of a policy with a probability proportional to the product of `weight` (≥ 0) over the nodes: nodes
   * draw independently, and only policies of the budget count. Undefined when all of these have weight 0.
   */
  draw(weight: (node: number, bits: Scheme) => number, random: Random): Scheme[] | undefined {
    const { options, costs, ways } = this;
    const weights = options.map((node, i) => node.map((bits) => weight(i, bits)));
    const masses = [new Map([...(ways.at(-1)?.keys() ?? [])].map((sum) => [sum, 1]))];
    const massOf = (later: ReadonlyMap<number, number>, i: number, spent: number, k: number) =>
      (weights[i]?.[k] as number) * (later.get(spent + (costs[i]?.[k] as number)) ?? 0);
    for (let i = options.length - 1; i >= 0; i--) {
      const later = masses[0] as ReadonlyMap<number, number>;
      const level = new Map<number, number>();
      for (const spent of ways[i]?.keys() ?? []) {
        level.set(
          spent,
          (options[i] ?? []).reduce((sum, _, k) => sum + massOf(later, i, spent, k), 0),
        );
      }
      masses.unshift(level);
    }
    if (!((masses[0]?.get(0) ?? 0) > 0)) return undefined;
    let spent = 0;
    return options.map((node, i): Scheme => {
      const later = masses[i + 1] as ReadonlyMap<number, number>;
      let rest = random.uniform() * (masses[i]?.get(spent) as number);
      // Rounding can leave a remainder: then the last possible one.
      let chosen = -1;
      for (let k = 0; k < node.length && rest >= 0; k++) {
        const mass = massOf(later, i, spent, k);
        if (mass > 0) chosen = k;
        rest -= mass;
      }
      spent += costs[i]?.[chosen] as number;
      return node[chosen] as Scheme;
    });
  }

  /** One of the policies, all equally likely. */
  sample(random: Random): Policy {
    let rank = below(random, this.count);
    let spent = 0;
    const chosen = this.options.map((options, i): Scheme => {
      for (const [k, bits] of options.entries()) {
        const sum = spent + (this.costs[i]?.[k] as number);
        const count = this.ways[i + 1]?.get(sum) ?? 0n;
        if (rank < count) {
          spent = sum;
          return bits;
        }
        rank -= count;
      }
      throw new RangeError('budget: the table of ways does not add up');
    });
    return this.policy(chosen);
  }
}

const WORD = 32n;

/** Uniform in [0, bound), without bias. */
function below(random: Random, bound: bigint): bigint {
  const words = Math.ceil(bound.toString(2).length / Number(WORD));
  const range = 1n << (BigInt(words) * WORD);
  for (;;) {
    let value = 0n;
    for (let i = 0; i < words; i++) value = (value << WORD) | BigInt(random.uint32());
    if (value < range - (range % bound)) return value % bound;
  }
}
