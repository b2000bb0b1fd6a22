// What lowering one node does to the fitness, spread over bit widths that were not tried.
import type { NodeBits } from '../quant/policy.js';
import type { Estimate } from './climb.js';
import type { Candidate, Environment } from './environment.js';

/** Every node at what spends most, the first of equals. */
export function costliest({ space }: Environment): Candidate {
  return space.names.map((_, node) => extreme(space.optionsOf(node), (bits) => space.cost(node, bits)));
}

/** Every node at what spends least. */
export function cheapest({ space }: Environment): Candidate {
  return space.names.map((_, node) => extreme(space.optionsOf(node), (bits) => -space.cost(node, bits)));
}

function extreme(options: readonly NodeBits[], of: (bits: NodeBits) => number): NodeBits {
  return options.reduce((most, bits) => (of(bits) > of(most) ? bits : most));
}

/**
 * Power of the rounding noise, relative: a step is range / (2^b − 1), a uniform error's power step² / 12; weights and
 * activations add.
 */
export function noise({ weightBits, activationBits }: NodeBits): number {
  return 4 ** -weightBits + 4 ** -activationBits;
}

/**
 * An additive estimate of the fitness: `effects` is what each node does at `low` against `high`, and other bits do as much
 * of it as they have of the noise in between.
 */
export function spreadEffects(effects: ArrayLike<number>, high: Candidate, low: Candidate): Estimate {
  return (node, bits) => {
    const [most, least] = [noise(low[node] as NodeBits), noise(high[node] as NodeBits)];
    return most === least ? 0 : ((effects[node] as number) * (noise(bits) - least)) / (most - least);
  };
}
