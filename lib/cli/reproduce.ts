// `faultline reproduce`: the paper's experiment from end to end, with a report.
import type { Command } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { integerOption } from './options.js';
import { addRunOptions, type RunFlags, runReproduction, runSettings } from './run_options.js';

interface ReproduceFlags extends RunFlags {
  readonly seed?: number;
  readonly seeds?: number;
}

function seedsOf({ seed, seeds }: ReproduceFlags): number[] {
  if (seed !== undefined && seeds !== undefined) {
    throw new InvalidArgumentError('reproduce', '--seed', 'one of --seed and --seeds', 'both');
  }
  return seeds === undefined ? [seed ?? 0] : Array.from({ length: seeds }, (_, i) => i);
}

export function addReproduceCommand(program: Command): void {
  const command = program
    .command('reproduce')
    .description('teacher, detrimental and robust pairs, gauge attack, search, report')
    .option('--seed <n>', 'of everything that is drawn (default 0)', integerOption('--seed', 0))
    .option('--seeds <n>', 'this many seeds, from 0', integerOption('--seeds', 1));
  addRunOptions(command, 'runs/reproduce').action((flags: ReproduceFlags) =>
    runReproduction(flags, { ...runSettings('reproduce', flags), seeds: seedsOf(flags) }),
  );
}
