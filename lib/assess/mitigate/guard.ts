// The range guard as a cure: inputs are held in the range of the calibration images, the answer to one bright pixel.

import type { Cure } from './cure.js';
import { guardRanges } from './range_guard.js';

const text = (value: number) => String(Number(value.toPrecision(4)));

export const inputGuard: Cure = {
  name: 'range guard',
  scene: 'brightPixel',
  async apply({ graph, policy }, { samples }, { signal, onProgress }) {
    const { graph: guarded, ranges } = await guardRanges(graph, samples, { signal, onProgress });
    const held = [...ranges].map(([name, [low, high]]) => `"${name}" held in ${text(low)} … ${text(high)}`);
    return { candidate: { graph: guarded, policy }, what: held.join(', ') };
  },
};
