// `faultline reproduce`: the paper's experiment from end to end, with a report.
import { join } from 'node:path';
import type { Command } from 'commander';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../models/index.js';
import { InvalidArgumentError } from '../native/errors.js';
import { buildDocument } from '../report/build.js';
import { terminalReport } from '../report/terminal.js';
import { reproduce } from '../reproduce/reproduce.js';
import { DEFAULTS, type ReproduceSettings } from '../reproduce/settings.js';
import { integerOption } from './options.js';
import { ProgressLine } from './progress.js';

/** What every command that makes such a run takes. */
export interface RunFlags {
  readonly dataDir?: string;
  readonly out: string;
  readonly fresh?: true;
  readonly json?: true;
}

interface ReproduceFlags extends RunFlags {
  readonly data: string;
  readonly arch: string;
  readonly seed?: number;
  readonly seeds?: number;
}

function seedsOf({ seed, seeds }: ReproduceFlags): number[] {
  if (seed !== undefined && seeds !== undefined) {
    throw new InvalidArgumentError('reproduce', '--seed', 'one of --seed and --seeds', 'both');
  }
  return seeds === undefined ? [seed ?? 0] : Array.from({ length: seeds }, (_, i) => i);
}

async function reproduceCommand(flags: ReproduceFlags): Promise<void> {
  if (!ARCHITECTURE_NAMES.includes(flags.arch as ArchitectureName)) {
    throw new InvalidArgumentError('reproduce', '--arch', ARCHITECTURE_NAMES.join(', '), flags.arch);
  }
  const { data, arch } = flags;
  await runReproduction(flags, { data, arch: arch as ArchitectureName, seeds: seedsOf(flags) });
}

/** Runs it, with progress on stderr and the report's summary on stdout; Ctrl-C leaves a run that can be continued. */
export async function runReproduction(flags: RunFlags, settings: Partial<ReproduceSettings>): Promise<void> {
  const abort = new AbortController();
  const stop = () => abort.abort(new Error('interrupted; the same command goes on from here'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const line = new ProgressLine();
  let current = '';
  const report = await reproduce({
    out: flags.out,
    command: ['faultline', ...process.argv.slice(2)].join(' '),
    settings,
    dataDir: flags.dataDir,
    fresh: flags.fresh ?? false,
    signal: abort.signal,
    onProgress: (stage, share) => {
      line.show(stage !== current, () => `${stage} ${Math.round(100 * share)} %`);
      current = stage;
    },
  });
  line.end();
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    process.stdout.write(`${terminalReport(buildDocument(report))}\n\n${join(flags.out, 'report.html')}\n`);
  }
}

export function addReproduceCommand(program: Command): void {
  program
    .command('reproduce')
    .description('teacher, detrimental and robust pairs, gauge attack, search, report')
    .option('--data <name or path>', 'as for train', DEFAULTS.data)
    .option('--data-dir <folder or URL>', 'where the files of a named data set are')
    .option('--arch <name>', ARCHITECTURE_NAMES.join(', '), DEFAULTS.arch)
    .option('--seed <n>', 'of everything that is drawn (default 0)', integerOption('--seed', 0))
    .option('--seeds <n>', 'this many seeds, from 0', integerOption('--seeds', 1))
    .option('--out <folder>', 'the run; continued when it is there', 'runs/reproduce')
    .option('--fresh', 'start over')
    .option('--json', 'the report as JSON on stdout')
    .action(reproduceCommand);
}
