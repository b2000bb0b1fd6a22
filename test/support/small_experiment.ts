// Settings of `reproduce` that take seconds, on striped images.
import { join } from 'node:path';
import type { ReproduceSettings } from '../../lib/reproduce/settings.js';
import { writeStripes } from './stripes.js';

/** The settings; their images are written into the folder. */
export function smallExperiment(folder: string): Partial<ReproduceSettings> {
  const data = join(folder, 'stripes.npz');
  writeStripes(data, 1600, 300);
  return {
    data,
    arch: 'convnet2',
    validation: 400,
    budget: 6,
    staticChoices: ['W4A4', 'W4A8', 'W8A8'],
    evaluations: 4,
    searchImages: 200,
    agents: ['greedy', 'random'],
  };
}
