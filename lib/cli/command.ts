// What a command is. The harness (harness.ts) does everything that commands have in common.
//
// To add a command:
// 1. Write lib/cli/<name>.ts that exports `command = defineCommand({ … })`, and nothing that works: the work is a
//    function of the library that takes { signal, onProgress }, and `run` calls it.
// 2. Arguments and options are objects of specs (option.ts, options.ts). A key is the option's name: dataDir is
//    --data-dir; its value in `run` has the spec's type. Groups that several commands have are in inputs.ts, policy.ts, ….
// 3. `out` says whether results go to a folder: then there are --out and --fresh, and a RunDirectory with lock and
//    stages. Long work is a stage: `await stage('scan', () => scan(…))`; a stopped run resumes after its last one, and
//    inside a long one where the library keeps parts (lib/run/parts.ts).
// 4. Pass `signal` on: Ctrl-C aborts it, and the process ends within a second. Show `progress`, never write to stderr.
// 5. Return { result }: JSON with a `schema` that is registered in lib/report/kinds.ts. The harness prints it (--json: as
//    JSON) and writes report.json, report.html, report.md and tables/*.csv to the folder. `exitCode` where it is not 0; other
//    codes than 1 for failures and 2 for refusals are a line in exit_codes.ts.
// 6. Give two examples that run unchanged, on model.onnx and images.npy.
// 7. Add a line to commands.ts: name, group, summary, import. Nothing else is loaded before the command runs.
// 8. Test it in test/lib/cli/<name>.test.ts; test/lib/cli/commands.test.ts parses its examples and measures its help.
import type { RunDirectory, Stage } from '../run/run_directory.js';
import type { ArgumentSpec, OptionSpec, Specs, Values } from './option.js';
import type { Progress } from './progress.js';

/** What `run` gets. */
export interface Context<Arguments, Options> {
  readonly arguments: Arguments;
  readonly options: Options;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** `faultline scan model.onnx`: as it was typed, `--fresh` left out. */
  readonly typed: string;
  /** The folder of the run; undefined where the command goes without one. */
  readonly folder: string | undefined;
  /**
   * The folder as a run, locked, made at the first call; `configuration`: what decides the results, where that is not
   * arguments and options. Throws where there is no folder.
   */
  openRun(configuration?: unknown): Promise<RunDirectory>;
  /** A result, kept in the folder where there is one: computed once, however often the command is stopped. */
  stage<Result>(name: string, compute: (stage: Pick<Stage, 'write'>) => Promise<Result>): Promise<Result>;
}

/** What a command found. */
export interface Outcome {
  /** JSON of a kind that lib/report/kinds.ts knows. */
  readonly result: { readonly schema: string };
  /** Default 0. */
  readonly exitCode?: number | undefined;
  /** Files beside the report, said after it. */
  readonly files?: readonly string[] | undefined;
}

/**
 * Where results go. `none`: to stdout alone; `optional`: to --out as well, where it is set; `required`: --out must be
 * set; `named`: --out, by default runs/<command>-<model>-<hash of the settings>; else --out with this default.
 */
export type OutFolder = 'none' | 'optional' | 'required' | 'named' | { readonly default: string };

export interface CommandDefinition<
  Arguments extends Specs<ArgumentSpec> = Specs<ArgumentSpec>,
  Options extends Specs<OptionSpec> = Specs<OptionSpec>,
> {
  /** As in commands.ts: `bench model`. */
  readonly name: string;
  readonly arguments?: Arguments | undefined;
  readonly options: Options;
  /** Default none. */
  readonly out?: OutFolder | undefined;
  /** Two command lines that run. */
  readonly examples: readonly [string, string];
  /** Paragraphs of the help, after the options. */
  readonly details?: readonly string[] | undefined;
  /** undefined: everything has been said. */
  run(context: Context<Values<Arguments>, Values<Options>>): Promise<Outcome | undefined>;
}

/** A definition, with the types of its options in `run`. */
export function defineCommand<Arguments extends Specs<ArgumentSpec>, Options extends Specs<OptionSpec>>(
  definition: CommandDefinition<Arguments, Options>,
): CommandDefinition {
  return definition as unknown as CommandDefinition;
}
