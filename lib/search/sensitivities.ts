// What lowering one node does to the fitness, spread over bit widths that were not tried.
import type { NodeBits } from '../quant/policy.js';
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

/** Share of the effect of `low` against `high` that other bits are expected to have. */
export function noiseShare(bits: NodeBits, high: NodeBits, low: NodeBits): number {
  const span = noise(low) - noise(high);
  return span === 0 ? 0 : (noise(bits) - noise(high)) / span;
}
