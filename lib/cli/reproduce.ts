// `faultline reproduce`: the paper's experiment from end to end, with a report.
import { defineCommand } from './command.js';
import { refuse, wholeNumber } from './option.js';
import { RUN_OPTIONS, runReproduction } from './run_options.js';

function seedsOf(seed: number | undefined, seeds: number | undefined): number[] {
  if (seed !== undefined && seeds !== undefined) refuse('--seed', 'one of --seed and --seeds', 'both');
  return seeds === undefined ? [seed ?? 0] : Array.from({ length: seeds }, (_, i) => i);
}

export const command = defineCommand({
  name: 'reproduce',
  options: {
    seed: wholeNumber('<n>', 'of everything that is drawn (default: 0)', 0),
    seeds: wholeNumber('<n>', 'this many seeds, from 0', 1),
    ...RUN_OPTIONS,
  },
  out: { default: 'runs/reproduce' },
  examples: ['faultline reproduce', 'faultline reproduce --arch convnet2 --seeds 3 --out runs/three'],
  details: [
    'A teacher, detrimental and robust pairs, the gauge attack, the search beside its baselines, and a report.',
  ],
  async run(context) {
    const { data, arch, seed, seeds } = context.options;
    return runReproduction(context, { data, arch, seeds: seedsOf(seed, seeds) });
  },
});
