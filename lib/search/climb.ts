// Additive estimates of the fitness, and local search inside a budget: one node gets less, another more, and what
// improves is kept. Neighbours are tried in the order of what the estimate expects of them; from a policy without
// better neighbours the search starts anew elsewhere.
import type { Scheme } from '../format/scheme.js';
import type { Random } from '../tensor/random.js';
import type { Environment } from './environment.js';
import type { NodeSchemes } from './space.js';

/** Expected contribution of a node's bits to the fitness. */
type EffectEstimate = (node: number, bits: Scheme) => number;

/** Policies of the budget that differ from a candidate in one node or two. */
export function neighbours(environment: Environment, from: NodeSchemes): NodeSchemes[] {
  const { space } = environment;
  const found: NodeSchemes[] = [];
  const changed = (changes: readonly (readonly [number, Scheme])[]) => {
    const next = [...from];
    for (const [node, bits] of changes) next[node] = bits;
    if (space.has(space.policy(next))) found.push(next);
  };
  const others = from.map((chosen, node) => space.optionsOf(node).filter((bits) => !same(bits, chosen)));
  others.forEach((options, node) => {
    for (const bits of options) {
      changed([[node, bits]]);
      for (let second = node + 1; second < from.length; second++) {
        for (const more of others[second] as readonly Scheme[]) {
          changed([
            [node, bits],
            [second, more],
          ]);
        }
      }
    }
  });
  return found;
}

const same = (a: Scheme, b: Scheme) => a === b;

/** Sum of an estimate over a candidate. */
function estimated(candidate: NodeSchemes, estimate: EffectEstimate): number {
  return candidate.reduce((sum, bits, node) => sum + estimate(node, bits), 0);
}

/** Climbs until the environment is done. `from` is evaluated already or will be. */
export async function climb(
  environment: Environment,
  from: NodeSchemes,
  estimate: EffectEstimate,
  random: Random,
): Promise<void> {
  let start: NodeSchemes | undefined = from;
  while (start && !environment.done) {
    const [fitness] = await environment.evaluate([start]);
    if (fitness === undefined) return;
    await ascend(environment, start, fitness, estimate);
    start = environment.unseen(random);
  }
}

async function ascend(
  environment: Environment,
  from: NodeSchemes,
  known: number,
  estimate: EffectEstimate,
): Promise<void> {
  let [top, fitness] = [from, known];
  for (let moved = true; moved; ) {
    moved = false;
    const order = neighbours(environment, top).map((candidate) => ({
      candidate,
      worth: estimated(candidate, estimate),
    }));
    order.sort((a, b) => b.worth - a.worth);
    for (const { candidate } of order) {
      if (environment.done) return;
      const [next] = await environment.evaluate([candidate]);
      if (next === undefined || next <= fitness) continue;
      [top, fitness] = [candidate, next];
      moved = true;
      break;
    }
  }
}

/** Every node at what spends most, the first of equals. */
export function costliest({ space }: Environment): NodeSchemes {
  return space.names.map((_, node) => extreme(space.optionsOf(node), (bits) => space.cost(node, bits)));
}

/** Every node at what spends least. */
export function cheapest({ space }: Environment): NodeSchemes {
  return space.names.map((_, node) => extreme(space.optionsOf(node), (bits) => -space.cost(node, bits)));
}

function extreme(options: readonly Scheme[], of: (bits: Scheme) => number): Scheme {
  return options.reduce((most, bits) => (of(bits) > of(most) ? bits : most));
}

/**
 * Power of the rounding noise, relative: a step is range / (2^b − 1), a uniform error's power step² / 12; weights and
 * activations add.
 */
export function noise({ weights, activations }: Scheme): number {
  return 4 ** -weights.format.bits + 4 ** -activations.format.bits;
}

/**
 * An additive estimate of the fitness: `effects` is what each node does at `low` against `high`, and other bits do as
 * much of it as they have of the noise in between.
 */
export function spreadEffects(effects: ArrayLike<number>, high: NodeSchemes, low: NodeSchemes): EffectEstimate {
  return (node, bits) => {
    const [most, least] = [noise(low[node] as Scheme), noise(high[node] as Scheme)];
    return most === least ? 0 : ((effects[node] as number) * (noise(bits) - least)) / (most - least);
  };
}
