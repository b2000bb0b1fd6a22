// A run is a directory. Its work is a sequence of stages, each with a result stored as JSON and files beside it; a run
// that was killed reads its finished stages and resumes inside the next (parts.ts), with the same results.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe } from '../core/errors.js';
import { plainJson } from '../core/text.js';
import { inspect } from '../native/inspect.js';
import {
  appendLines,
  asJson,
  isUnfinished,
  parseJson,
  RunError,
  readIfThere,
  sha256,
  toJson,
  writeWhole,
} from './files.js';
import { type FolderLock, lockFolder } from './lock.js';
import { forgetParts, keepingParts, PARTS } from './parts.js';

const FAMILY = 'faultline.run/';
const SCHEMA = `${FAMILY}2`;

interface RunOptions {
  /** As typed; recorded in the manifest. */
  readonly command: string;
  /** Everything that decides the result, as JSON: a run is continued only with the same. */
  readonly configuration: unknown;
  /** Removes what an earlier run left in the directory. Default false: resumes it. */
  readonly fresh?: boolean | undefined;
  /** Hears what was damaged and is computed again. */
  readonly onNote?: ((note: string) => void) | undefined;
}

interface Manifest {
  readonly schema: string;
  readonly command: string;
  readonly configuration: unknown;
  /** Versions of what computes: another may round otherwise. */
  readonly software: unknown;
}

interface StageRecord {
  readonly seconds: number;
  readonly result: unknown;
  /** SHA-256 of the files that the stage wrote, by path within the run. */
  readonly files: Readonly<Record<string, string>>;
}

/** Context of a stage. */
export interface Stage {
  /** Writes a file of the run. A path passed twice is written twice. */
  write(path: string, content: string | Uint8Array): Promise<void>;
}

export class RunDirectory {
  /** Seconds of each stage, from the process that finished it, in the order of this process. */
  readonly seconds = new Map<string, number>();

  private constructor(
    readonly path: string,
    /** Whether anything was there already. */
    readonly continued: boolean,
    private readonly lock: FolderLock,
    private readonly onNote: (note: string) => void,
  ) {}

  /**
   * Opens a directory for one process, creating or resuming it. Throws RunError when it belongs to another run or has
   * foreign files, or a process is writing there.
   */
  static async open(path: string, options: RunOptions): Promise<RunDirectory> {
    const { command, fresh = false, onNote = () => {} } = options;
    const lock = lockFolder(path);
    try {
      const continued = await begin(path, command, asJson(options.configuration), fresh);
      const run = new RunDirectory(path, continued, lock, onNote);
      await run.event('opened', { command, continued });
      return run;
    } catch (error) {
      lock.release();
      throw RunError.of(path, 'a folder that can be read and written', error);
    }
  }

  /**
   * The result of a stage: computed now, or stored by an earlier process. `compute` returns JSON values (numbers stay
   * exact, typed arrays become arrays, infinity null), and may keep parts (parts.ts). Throws RunError when a finished
   * stage was edited, its files too.
   */
  async stage<Result>(name: string, compute: (stage: Stage) => Promise<Result>): Promise<Result> {
    const known = await this.finished(name);
    if (known) {
      this.seconds.set(name, known.seconds);
      return known.result as Result;
    }
    const files: Record<string, string> = {};
    const write = async (file: string, content: string | Uint8Array) => {
      await this.write(file, content);
      files[file] = sha256(content);
    };
    await this.event('stage begins', { stage: name });
    const started = performance.now();
    // A later process must read exactly what is returned now.
    const result = asJson(await keepingParts(this.path, name, () => compute({ write })));
    const seconds = (performance.now() - started) / 1000;
    const record: StageRecord = { seconds, result, files };
    await this.write(stageFile(name), toJson({ ...record, sha256: sha256(JSON.stringify(record)) }));
    await forgetParts(this.path, name);
    this.seconds.set(name, seconds);
    await this.event('stage ended', { stage: name, seconds });
    return result as Result;
  }

  /** A finished stage, as it was written. One that is cut is none. */
  private async finished(name: string): Promise<StageRecord | undefined> {
    const path = this.file(stageFile(name));
    const bytes = await readIfThere(path);
    if (!bytes) return undefined;
    let read: unknown;
    try {
      read = parseJson(path, bytes);
    } catch (error) {
      this.onNote(`${(error as Error).message}: stage ${name} is computed again`);
      return undefined;
    }
    const { sha256: stated, ...record } = (read ?? {}) as StageRecord & { readonly sha256: string };
    if (stated !== sha256(JSON.stringify(record))) {
      throw new RunError(path, `expected the result of stage ${name}, received changed content: use --fresh`);
    }
    for (const [file, hash] of Object.entries(record.files)) {
      const content = await readIfThere(this.file(file));
      if (content && sha256(content) === hash) continue;
      const received = content ? 'changed content' : 'none';
      throw new RunError(
        this.file(file),
        `expected the file that stage ${name} wrote, received ${received}: use --fresh`,
      );
    }
    return record;
  }

  /** A file of the run, as a path. */
  file(name: string): string {
    return join(this.path, name);
  }

  async read(name: string): Promise<Buffer> {
    return readFile(this.file(name));
  }

  /** Writes a file that belongs to no stage: a report. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    this.requireFolder();
    await writeWhole(this.file(name), content);
  }

  /** A line in events.jsonl. */
  async event(kind: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    this.requireFolder();
    const line = plainJson(JSON.stringify({ time: new Date().toISOString(), event: kind, ...fields }));
    await appendLines(this.file('events.jsonl'), `${line}\n`);
  }

  /** Lets other processes write to the directory. */
  close(): void {
    this.lock.release();
  }

  /** A folder that was removed or replaced is not filled anew with half a run. */
  private requireFolder(): void {
    if (this.lock.held()) return;
    throw new RunError(this.path, 'expected the folder of this run, received one without its lock: was it removed?');
  }
}

const stageFile = (name: string) => join('stages', `${name}.json`);

/** What figures depend on beside the settings: of Node the major version, which brings another V8 and its Math. */
function software() {
  const { faultline, node, isa, onednn } = inspect();
  return { faultline: faultline.version, node: node.version.split('.')[0], isa: isa.chosen, onednn };
}

/** Removes what killed processes left unfinished. */
async function sweep(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (isUnfinished(entry.name)) await rm(path, { force: true, recursive: true });
    else if (entry.isDirectory()) await sweep(path);
  }
}

/** Makes the folder this run's, and says whether it was. */
async function begin(path: string, command: string, configuration: unknown, fresh: boolean): Promise<boolean> {
  const manifestPath = join(path, 'manifest.json');
  const bytes = await readIfThere(manifestPath);
  const others = (await readdir(path)).filter((name) => name !== 'lock' && !isUnfinished(name));
  if (!bytes && others.length > 0) {
    throw new RunError(path, `expected a new folder or one of a run (with manifest.json), received ${others[0]}, …`);
  }
  const before = bytes && parseManifest(manifestPath, bytes, fresh);
  const used = asJson(software());
  if (before && !fresh) {
    const what = isDeepStrictEqual(before.configuration, configuration) ? 'software' : 'configuration';
    const difference = differences({ configuration, software: used }[what], before[what]);
    if (difference !== '') {
      const name = what === 'software' ? 'versions' : 'settings';
      throw new RunError(
        path,
        `expected a run with the same ${name}, received others (${difference}): name another folder, or --fresh`,
      );
    }
  }
  await sweep(path);
  if (before && !fresh) return true;
  // A kill amid this leaves a run: results go before what they rest on, the manifest last.
  const order = ['stages', PARTS, ...others.filter((name) => name !== 'manifest.json')];
  for (const name of order) await rm(join(path, name), { recursive: true, force: true });
  const { cpu, threads } = inspect();
  const machine = { cpu: cpu.model, threads: threads.used };
  const started = new Date().toISOString();
  await writeWhole(manifestPath, toJson({ schema: SCHEMA, command, configuration, software: used, started, machine }));
  return false;
}

/** `any`: of whatever version. */
function parseManifest(path: string, bytes: Buffer, any: boolean): Manifest {
  const manifest = parseJson(path, bytes) as Manifest | null;
  const schema: unknown = manifest?.schema;
  if (manifest && (any ? typeof schema === 'string' && schema.startsWith(FAMILY) : schema === SCHEMA)) return manifest;
  throw new RunError(path, `expected schema ${SCHEMA}, received ${describe(schema)}: name another folder, or --fresh`);
}

/** The settings in which two configurations differ. */
function differences(expected: unknown, received: unknown): string {
  const fields = (value: unknown) =>
    (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const [ours, theirs] = [fields(expected), fields(received)];
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    .filter((key) => !isDeepStrictEqual(ours[key], theirs[key]))
    .map((key) => `${key}: expected ${JSON.stringify(ours[key])}, received ${JSON.stringify(theirs[key])}`)
    .join('; ');
}
