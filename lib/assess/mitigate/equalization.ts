// Cross-layer equalization as a cure: the answer to channels at very different scales (gauge failures). By powers of two,
// so that full precision keeps every bit.
import { equalize } from '../../graph/channels/equalize.js';
import { prepare } from '../../graph/prepare.js';
import type { Cure } from './cure.js';

/** How far channels are from an even scale: the largest factor, in powers of two. */
export function disparity(scales: ArrayLike<number>): number {
  return Array.from(scales).reduce((most, scale) => Math.max(most, Math.abs(Math.log2(scale))), 0);
}

export const equalization: Cure = {
  name: 'equalization',
  scene: 'clean',
  async apply({ graph, policy }) {
    // Batch norms between layers pin their channels.
    const { graph: equalized, groups, scales } = equalize(prepare(graph), { powersOfTwo: true });
    if (groups.groups.length === 0) return { reason: 'no channel can be rescaled without changing the function' };
    const moved = Array.from(scales).filter((scale) => scale !== 1).length;
    if (moved === 0) return { reason: 'the channels are even already' };
    const what = `${moved} of ${scales.length} channel groups rescaled, by up to 2^${disparity(scales)}`;
    return { candidate: { graph: equalized, policy }, what };
  },
};
