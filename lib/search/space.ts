// What agents choose from: the policies of a budget. A static policy is a list of schemes, one for each node of a
// BudgetSpace. A policy by input chooses an option of every node while the network runs, so its space numbers the options
// of the same BudgetSpace and answers, node by node, which of them the budget leaves open.

import { InvalidArgumentError } from '../core/errors.js';
import { formatScheme, isPerSample, type Scheme, withFormats } from '../format/scheme.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { type BudgetOptions, BudgetSpace } from '../policy/budget.js';
import type { Policy } from '../policy/policy.js';
import type { Random } from '../tensor/random.js';

/** The scheme of every node of a space, in its order. */
export type NodeSchemes = readonly Scheme[];

/** As a key: equal for equal schemes. */
export const keyOf = (candidate: NodeSchemes): string => candidate.map(formatScheme).join(' ');

/** The schemes of a policy, in the order of its nodes. */
export const schemesOf = ({ schemes }: Policy): NodeSchemes => [...schemes.values()];

/** The budget of a policy by input: usually activations alone are chosen and counted. */
export type ActivationBudget = Omit<BudgetOptions, 'order'>;

/** The activation bits of a budget, numbered, for choosing them sample by sample. */
export class ActivationSpace {
  readonly names: readonly string[];
  /** What each node may get; its options differ in the bits of its activation alone. */
  readonly schemes: readonly (readonly Scheme[])[];
  /** Activation bits that each node may get. */
  readonly options: readonly (readonly number[])[];
  /** Options of the node that has most. */
  readonly width: number;
  private readonly costs: readonly (readonly number[])[];
  private readonly masks: readonly Map<number, number>[];
  private readonly places = new Map<string, number>();
  private readonly budget: BudgetSpace;

  /**
   * `products`: the nodes as a plan runs them. Throws as BudgetSpace does, and when the options of a node differ in the
   * bits of its weights, which no sample can choose.
   */
  constructor(
    graph: Graph,
    products: readonly Pick<GraphNode, 'name'>[],
    readonly given: ActivationBudget,
  ) {
    const excluded = new Set(given.excluded);
    const order = products.map(({ name }) => name).filter((name) => !excluded.has(name));
    this.budget = new BudgetSpace(graph, { ...given, order });
    this.names = this.budget.names;
    const all = this.names.map((_, node) => this.budget.optionsOf(node));
    all.forEach((options, node) => {
      const [first] = options;
      const others = new Set(
        options.map((each) => first && withFormats(each, { activations: first.activations.format })),
      );
      if (others.size === 1 && options.every(({ activations }) => isPerSample(activations))) return;
      const received = `${options.map(formatScheme).join(', ')} for "${this.names[node]}"`;
      throw new InvalidArgumentError(
        'input policy',
        'choices',
        'the same weight bits in all, activations that are quantized per sample',
        received,
      );
    });
    this.schemes = all;
    this.options = all.map((options) => options.map(({ activations }) => activations.format.bits));
    this.costs = all.map((options, node) => options.map((bits) => this.budget.cost(node, bits)));
    this.width = Math.max(...this.options.map(({ length }) => length));
    this.masks = this.names.map(() => new Map());
    this.names.forEach((name, node) => {
      this.places.set(name, node);
    });
  }

  /** Number of policies. */
  get count(): bigint {
    return this.budget.count;
  }

  /** Number of a node in the order of choice; undefined when it is left in float32. */
  place(name: string): number | undefined {
    return this.places.get(name);
  }

  /** What an option spends. */
  cost(node: number, option: number): number {
    return this.costs[node]?.[option] as number;
  }

  /** Bit k is set when option k of a node can still be completed to the budget after so much was spent. */
  open(node: number, spent: number): number {
    const known = this.masks[node]?.get(spent);
    if (known !== undefined) return known;
    let mask = 0;
    (this.costs[node] ?? []).forEach((cost, k) => {
      if (this.budget.isOpen(node + 1, spent + cost)) mask |= 1 << k;
    });
    this.masks[node]?.set(spent, mask);
    return mask;
  }

  /** Option numbers of a static policy of this space, one for each node. */
  encode(policy: Policy): Uint8Array {
    return Uint8Array.from(this.names, (name, node) => {
      const option = this.schemes[node]?.indexOf(policy.schemes.get(name) as Scheme) ?? -1;
      if (option < 0)
        throw new InvalidArgumentError('input policy', 'policy', `bits of the choices for ${name}`, 'others');
      return option;
    });
  }

  /** The static policy with these option numbers. */
  decode(options: ArrayLike<number>): Policy {
    const schemes = this.names.map(
      (name, node) => [name, this.schemes[node]?.[options[node] as number] as Scheme] as const,
    );
    return { schemes: new Map(schemes), excluded: this.budget.excluded };
  }

  /** Every policy as option numbers. */
  *all(): Generator<Uint8Array> {
    for (const policy of this.budget.policies()) yield this.encode(policy);
  }

  /** One of the policies, all equally likely. */
  sample(random: Random): Uint8Array {
    return this.encode(this.budget.sample(random));
  }
}
