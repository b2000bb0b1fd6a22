// What `reproduce`, `pair` and `attack` have in common: options of a run, their settings, and the run itself.
import { join } from 'node:path';
import type { Command } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { ARCHITECTURE_NAMES } from '../models/index.js';
import { buildDocument } from '../report/build.js';
import { terminalReport } from '../report/terminal.js';
import { reproduce } from '../reproduce/reproduce.js';
import { DEFAULTS, type ReproduceSettings } from '../reproduce/settings.js';
import { integerOption } from './options.js';
import { Progress } from './progress.js';

export interface RunFlags {
  readonly data: string;
  readonly dataDir?: string;
  readonly arch: string;
  readonly out: string;
  readonly fresh?: true;
  readonly json?: true;
}

/** Of a run with one seed, from a teacher that may be there already. */
export interface TaughtFlags extends RunFlags {
  readonly teacher?: string;
  readonly seed: number;
}

/** `out`: where a run goes that does not say; undefined: it must. */
export function addRunOptions(command: Command, out?: string): Command {
  const folder = ['--out <folder>', 'the run; continued when it is there'] as const;
  command
    .option('--data <name or path>', 'as for train', DEFAULTS.data)
    .option('--data-dir <folder or URL>', 'where the files of a named data set are')
    .option('--arch <name>', ARCHITECTURE_NAMES.join(', '), DEFAULTS.arch);
  if (out === undefined) command.requiredOption(...folder);
  else command.option(...folder, out);
  return command.option('--fresh', 'start over').option('--json', 'the report as JSON on stdout');
}

export function addTaughtOptions(command: Command): Command {
  return addRunOptions(command)
    .option('--teacher <model.onnx>', 'a network of your own in place of a trained one')
    .option('--seed <n>', 'of everything that is drawn', integerOption('--seed', 0), 0);
}

/** One of the names an option can have. Throws InvalidArgumentError. */
export function choice<Name extends string>(
  command: string,
  option: string,
  names: readonly Name[],
  text: string,
): Name {
  const name = names.find((each) => each === text);
  if (name !== undefined) return name;
  throw new InvalidArgumentError(command, option, names.join(', '), text);
}

export function runSettings(command: string, { data, arch }: RunFlags): Pick<ReproduceSettings, 'data' | 'arch'> {
  return { data, arch: choice(command, '--arch', ARCHITECTURE_NAMES, arch) };
}

/** Nothing but what is asked for beside them. */
export function taughtSettings(command: string, flags: TaughtFlags) {
  const { teacher, seed } = flags;
  return {
    ...{ ...runSettings(command, flags), seeds: [seed], pairs: [], attacks: [], gauge: false, search: false },
    stress: undefined,
    ...(teacher === undefined ? {} : { teacherModel: teacher }),
  } satisfies Partial<ReproduceSettings>;
}

/** Runs it, with progress on stderr and the report's summary on stdout; Ctrl-C leaves a run that can be continued. */
export async function runReproduction(flags: RunFlags, settings: Partial<ReproduceSettings>): Promise<void> {
  const abort = new AbortController();
  const stop = () => abort.abort(new Error('interrupted; the same command goes on from here'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const line = new Progress();
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
