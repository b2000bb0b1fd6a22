// Runs a command: reads its line, stops it on Ctrl-C, keeps its run, prints and writes what it found, ends with its code.
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CommanderError } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { plain } from '../core/text.js';
import { modelDigest } from '../graph/onnx/codec.js';
import { checkResult } from '../report/kinds.js';
import { render } from '../report/render.js';
import { writeResult } from '../report/write.js';
import { asJson, RunError, sha256 } from '../run/files.js';
import { RunDirectory } from '../run/run_directory.js';
import type { CommandDefinition, Context, Outcome } from './command.js';
import { type ExitCodes, exitCodesOf } from './exit_codes.js';
import { isFile } from './option.js';
import { complain, print } from './output.js';
import { type CommandLine, parseCommandLine } from './parse.js';
import { Progress } from './progress.js';

/** As a shell has it: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** From the signal to the end of the process, however busy: a run is whole at any time. */
const GRACE_MS = 800;

/** Why a command stopped. */
class Interrupted extends Error {
  constructor(
    readonly exitCode: number,
    folder: string | undefined,
  ) {
    super(folder === undefined ? 'interrupted' : `interrupted; the same command resumes in ${folder}`);
  }
}

/** Of system calls on files that were named wrongly: RunError says the same of a run's files, which is a failure. */
const NOT_READABLE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG']);

/** The exit code of an error. */
function exitCodeOf(error: unknown, codes: ExitCodes): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : codes.refused;
  const { code, syscall } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  const missing = syscall !== undefined && NOT_READABLE.has(code ?? '');
  return missing || error instanceof InvalidArgumentError ? codes.refused : codes.failed;
}

/** Bytes up to which a file is known by its content; a larger one by its size and when it was last changed. */
const MOST_HASHED = 2 ** 28;

async function contentOf(path: string): Promise<string> {
  if (path.endsWith('.onnx')) return modelDigest(path);
  const { size, mtimeMs } = await stat(path);
  return size <= MOST_HASHED ? sha256(await readFile(path)) : `${size} bytes of ${mtimeMs}`;
}

/** A value that decides what is computed; of a file, or of several between commas, the content. */
async function decisive(value: unknown): Promise<unknown> {
  const paths = typeof value === 'string' ? value.split(',') : [];
  return paths.length > 0 && paths.every(isFile) ? Promise.all(paths.map(contentOf)) : value;
}

/** All settings that decide the results: a run resumes only with the same. */
async function configurationOf({ name, options }: CommandDefinition, line: CommandLine) {
  const decided = Object.entries(line.options).filter(([key]) => options[key]?.decides !== false);
  const configuration: Record<string, unknown> = { command: name };
  for (const [key, value] of [...Object.entries(line.arguments), ...decided])
    configuration[key] = await decisive(value);
  return configuration;
}

function folderOf({ name, out }: CommandDefinition, { arguments: all, common }: CommandLine, configuration: unknown) {
  if (common.out !== undefined || out !== 'named') return common.out;
  const [first] = Object.values(all);
  const model = typeof first === 'string' ? [basename(first).replace(/\.[^.]*$/, '')] : [];
  const key = sha256(JSON.stringify(asJson(configuration))).slice(0, 8);
  return join('runs', [name.replaceAll(' ', '-'), ...model, key].join('-'));
}

/** Errors of a folder that the option can name another for; a full disk or too many open files are failures. */
const OTHER_FOLDER = new Set([
  'ENOENT',
  'EEXIST',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENAMETOOLONG',
  'ELOOP',
  'EINVAL',
]);

/** What a folder cannot be is refused as an option is. */
async function openFolder(folder: string, options: Parameters<typeof RunDirectory.open>[1]): Promise<RunDirectory> {
  return RunDirectory.open(folder, options).catch((error: Error) => {
    if (!(error instanceof RunError && OTHER_FOLDER.has(error.code ?? ''))) throw error;
    const received = error.message.replace(/expected .*, received /, '');
    throw new InvalidArgumentError('faultline', '--out', 'a folder that can be written', received);
  });
}

/** The line without what decides how a run starts alone: a resumed one has the results of a fresh one. */
const typedAs = ({ name }: CommandDefinition, argv: readonly string[]): string =>
  ['faultline', name, ...argv.filter((word) => word !== '--fresh')].join(' ');

/** A command at work: its context, and what has to be put in order after it. */
class Execution {
  readonly progress: Progress;
  private readonly abort = new AbortController();
  private run: Promise<RunDirectory> | undefined;

  constructor(
    private readonly definition: CommandDefinition,
    private readonly line: CommandLine,
    private readonly typed: string,
    private readonly configuration: unknown,
    readonly folder: string | undefined,
  ) {
    this.progress = new Progress(line.common.quiet);
  }

  static async of(definition: CommandDefinition, line: CommandLine, typed: string): Promise<Execution> {
    const { out } = definition;
    const configuration =
      line.common.out !== undefined || out === 'named' ? await configurationOf(definition, line) : {};
    return new Execution(definition, line, typed, configuration, folderOf(definition, line, configuration));
  }

  context(): Context<Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>> {
    const { typed, folder, progress, line } = this;
    return {
      ...{ arguments: line.arguments, options: line.options, signal: this.abort.signal, progress, typed, folder },
      openRun: (configuration) => this.openRun(configuration),
      stage: async (name, compute) => {
        if (folder !== undefined) return (await this.openRun()).stage(name, compute);
        return compute({ write: async () => {} });
      },
    };
  }

  private openRun(configuration: unknown = this.configuration): Promise<RunDirectory> {
    if (this.folder === undefined) throw new Error(`${this.definition.name}: a run without a folder`);
    const { typed: command, line } = this;
    const onNote = (note: string) => this.progress.say(note);
    this.run ??= openFolder(this.folder, { command, configuration, fresh: line.common.fresh ?? false, onNote });
    return this.run;
  }

  /** A second signal ends the process at once: nothing listens any more. */
  async interruptible<Result>(work: () => Promise<Result>): Promise<Result> {
    const stop = (signal: NodeJS.Signals) => {
      release();
      const reason = new Interrupted(SIGNALS[signal as keyof typeof SIGNALS], this.run && this.folder);
      this.abort.abort(reason);
      setTimeout(() => {
        this.progress.end();
        complain(reason);
        process.exit(reason.exitCode);
      }, GRACE_MS).unref();
    };
    const release = () => {
      for (const name of Object.keys(SIGNALS)) process.off(name, stop);
    };
    for (const name of Object.keys(SIGNALS)) process.on(name, stop);
    try {
      return await work();
    } catch (error) {
      throw this.abort.signal.aborted ? this.abort.signal.reason : error;
    } finally {
      release();
    }
  }

  /** Prints a result and writes its files. */
  async publish({ result, files = [] }: Outcome): Promise<void> {
    const { omissions } = this.progress;
    const checked = await checkResult(omissions.length > 0 ? { ...result, leftOut: omissions } : result);
    const written = [...files];
    if (this.folder !== undefined) {
      const run = await this.openRun();
      await writeResult((name, content) => run.write(name, content), checked);
      written.push(run.file('report.html'));
    }
    this.progress.end();
    const format = this.line.common.json ? 'json' : 'terminal';
    const end = format === 'terminal' && written.length > 0 ? `\n${written.map(plain).join('\n')}\n` : '';
    print((await render(format, checked)) + end);
  }

  async close(): Promise<void> {
    this.progress.end();
    (await this.run?.catch(() => undefined))?.close();
  }
}

/** Runs a command to its end and returns the exit code; says on stderr what went wrong. */
export async function runCommand(
  definition: CommandDefinition,
  argv: readonly string[],
  summary?: string,
): Promise<number> {
  try {
    const line = parseCommandLine(definition, argv, summary);
    const execution = await Execution.of(definition, line, typedAs(definition, argv));
    try {
      return await execution.interruptible(async () => {
        const outcome = await definition.run(execution.context());
        if (outcome) await execution.publish(outcome);
        return outcome?.exitCode ?? 0;
      });
    } finally {
      await execution.close();
    }
  } catch (error) {
    // Commander has said it.
    if (!(error instanceof CommanderError)) complain(error, typedAs(definition, argv));
    return exitCodeOf(error, exitCodesOf(definition.name));
  }
}
