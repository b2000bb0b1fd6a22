// Greedy: all nodes begin at the most expensive bits; the node whose lowering is best for the objective is lowered,
// until the budget is met. To do harm a node goes straight to the bottom, to do none one step at a time. Where the
// evaluations do not suffice for a sweep over the nodes before each lowering, every sweep decides several. What is left
// goes into swaps.
import type { Scheme } from '../../format/scheme.js';
import { defineAgent } from '../agent.js';
import { cheapest, climb, costliest, noise, spreadEffects } from '../climb.js';
import type { Environment } from '../environment.js';
import type { NodeSchemes } from '../space.js';

interface Move {
  readonly node: number;
  readonly to: NodeSchemes;
}

const lower = (from: NodeSchemes, node: number, bits: Scheme): NodeSchemes =>
  from.map((option, i) => (i === node ? bits : option));

const total = ({ space }: Environment, candidate: NodeSchemes) =>
  candidate.reduce((sum, bits, node) => sum + space.cost(node, bits), 0);

/** Whether some policy of the budget gives no node more than this. */
function feasible({ space }: Environment, most: NodeSchemes): boolean {
  const limits = most.map((bits, node) => space.cost(node, bits));
  return (
    space.optimum((node, bits) => (space.cost(node, bits) <= (limits[node] as number) ? 0 : -Infinity)) !== undefined
  );
}

/** Lowerings of each node from which the budget can be met: to the lowest cost, or to the next. */
function lowerings(environment: Environment, from: NodeSchemes): Move[] {
  const { space } = environment;
  const jump = environment.objective === 'detrimental';
  return from.flatMap((chosen, node): Move[] => {
    const cost = (bits: Scheme) => space.cost(node, bits);
    // Bits that cost more than others and are noisier are skipped, unless the objective is harm.
    const dominated = (bits: Scheme) =>
      space.optionsOf(node).some((other) => cost(other) <= cost(bits) && noise(other) < noise(bits));
    const options = space.optionsOf(node).filter((bits) => cost(bits) < cost(chosen) && (jump || !dominated(bits)));
    options.sort((a, b) => (jump ? cost(a) - cost(b) : cost(b) - cost(a)));
    const first = options.find((bits) => feasible(environment, lower(from, node, bits)));
    if (!first) return [];
    return options.filter((bits) => cost(bits) === cost(first)).map((bits) => ({ node, to: lower(from, node, bits) }));
  });
}

/** How many lowerings each sweep has to decide for the evaluations to suffice; undefined: not even one sweep fits. */
function movesASweep(environment: Environment, from: NodeSchemes, moves: readonly Move[]): number | undefined {
  const { left } = environment;
  const excess = total(environment, from) - total(environment, lowestSums(environment, from));
  const drop = moves.reduce((sum, { to }) => sum + total(environment, from) - total(environment, to), 0) / moves.length;
  const needed = Math.max(1, Math.ceil(excess / drop));
  for (let each = 1; each <= needed; each++) {
    // Several lowerings together were not evaluated yet; nor was the policy before them.
    let cost = (each > 1 ? 1 : 0) + (uniform(environment, from, moves) ? 0 : 1);
    for (let done = 0; done < needed; done += each) {
      cost += Math.max(1, moves.length - (environment.objective === 'detrimental' ? done : 0));
    }
    if (cost <= left) return each;
  }
  return undefined;
}

/** Some policy of the budget that gives no node more than `most`. */
function lowestSums({ space }: Environment, most: NodeSchemes): NodeSchemes {
  const cost = (node: number, bits: Scheme) => space.cost(node, bits);
  const limits = most.map((bits, node) => cost(node, bits));
  const worth = (node: number, bits: Scheme) =>
    cost(node, bits) <= (limits[node] as number) ? -cost(node, bits) : -Infinity;
  return space.optimum(worth) ?? most;
}

/** Whether all moves free the same share of the budget. */
function uniform(environment: Environment, from: NodeSchemes, moves: readonly Move[]): boolean {
  return (
    new Set(
      moves.map(
        ({ node, to }) =>
          environment.space.cost(node, from[node] as Scheme) - environment.space.cost(node, to[node] as Scheme),
      ),
    ).size <= 1
  );
}

/** The moves by what they do for each unit of the budget that they free, best first. */
async function rank(environment: Environment, from: NodeSchemes, moves: readonly Move[]) {
  const drops = moves.map(({ to }) => total(environment, from) - total(environment, to));
  // Where all free the same, no move needs to be compared with none.
  const [unmoved] = uniform(environment, from, moves) ? [] : await environment.evaluate([from]);
  const fitnesses = await environment.evaluate(moves.map(({ to }) => to));
  const base = unmoved ?? (environment.objective === 'detrimental' ? Math.min : Math.max)(...fitnesses);
  const ranked = fitnesses.map((fitness, i) => {
    const effect = fitness - base;
    return { ...(moves[i] as Move), effect, rate: effect / (drops[i] as number) };
  });
  return ranked.sort((a, b) => b.rate - a.rate);
}

export const greedy = defineAgent({
  kind: 'static',
  name: 'greedy',
  description: 'lower the best node, again and again; then swaps',
  play: async (environment, random) => {
    const { space } = environment;
    const [high, low] = [costliest(environment), cheapest(environment)];
    // What lowering each node did when it was last tried: the order for what no sweep decides, the estimate for swaps.
    const effects = new Float64Array(space.names.length);
    let current = high;
    for (let moves = lowerings(environment, current); moves.length > 0; moves = lowerings(environment, current)) {
      const each = movesASweep(environment, current, moves);
      // Evaluations for the policy that comes out and, where moves free different shares, for the one before them.
      const kept = uniform(environment, current, moves) ? 1 : 2;
      const sweep = each === undefined ? moves.slice(0, Math.max(0, environment.left - kept)) : moves;
      if (sweep.length === 0) break;
      const ranked = await rank(environment, current, sweep);
      for (const { node, effect } of [...ranked].reverse()) effects[node] = effect;
      let taken = 0;
      for (const { node, to } of ranked) {
        const next = lower(current, node, to[node] as Scheme);
        if (taken === (each ?? Infinity) || (taken > 0 && !feasible(environment, next))) continue;
        current = next;
        taken += 1;
      }
      if (each === undefined) break;
    }
    for (let moves = lowerings(environment, current); moves.length > 0; moves = lowerings(environment, current)) {
      current = moves.reduce((best, move) =>
        (effects[move.node] as number) > (effects[best.node] as number) ? move : best,
      ).to;
    }
    await climb(environment, current, spreadEffects(effects, high, low), random);
  },
});
