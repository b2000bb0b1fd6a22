// A run is a directory. Its work is a sequence of stages, each with a result stored as JSON and files beside it; a run
// that was killed reads its finished stages and resumes with the next, with the same results.
import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { plainJson } from '../core/text.js';
import { inspect } from '../native/inspect.js';
import { asJson, readIfThere, sha256, toJson, writeWhole } from './files.js';
import { lockFolder } from './lock.js';

const SCHEMA = 'faultline.run/1';

export class RunError extends Error {
  constructor(
    readonly path: string,
    what: string,
  ) {
    super(`${path}: ${what}`);
    this.name = 'RunError';
  }
}

interface RunOptions {
  /** As typed; recorded in the manifest. */
  readonly command: string;
  /** Everything that decides the result, as JSON: a run is continued only with the same. */
  readonly configuration: unknown;
  /** Removes what an earlier run left in the directory. Default false: resumes it. */
  readonly fresh?: boolean | undefined;
}

interface Manifest {
  readonly schema: string;
  readonly command: string;
  readonly configuration: unknown;
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
  private readonly events: string;

  private constructor(
    readonly path: string,
    /** Whether anything was there already. */
    readonly continued: boolean,
    private readonly unlock: () => void,
  ) {
    this.events = join(path, 'events.jsonl');
  }

  /**
   * Opens a directory for one process, creating or resuming it. Throws RunError when it belongs to another run or has
   * foreign files, an Error when a process is writing there.
   */
  static async open(path: string, options: RunOptions): Promise<RunDirectory> {
    const { command, fresh = false } = options;
    const configuration = asJson(options.configuration);
    const unlock = lockFolder(path);
    try {
      const manifestPath = join(path, 'manifest.json');
      const bytes = await readIfThere(manifestPath);
      const others = (await readdir(path)).filter((name) => name !== 'lock');
      if (!bytes && others.length > 0) {
        throw new RunError(
          path,
          `expected a new folder or one of a run (with manifest.json), received ${others[0]}, …`,
        );
      }
      const before = bytes && parseManifest(manifestPath, bytes);
      const same = before !== undefined && isDeepStrictEqual(before.configuration, configuration);
      if (before && !same && !fresh) {
        const difference = differences(configuration, before.configuration);
        throw new RunError(
          path,
          `expected a run with the same settings, received others (${difference}): name another folder, or --fresh`,
        );
      }
      if (before && fresh) for (const name of others) await rm(join(path, name), { recursive: true, force: true });
      const continued = same && !fresh;
      if (!continued) {
        const { faultline, node, cpu, isa, threads, onednn } = inspect();
        const machine = { faultline, node, cpu: cpu.model, isa: isa.chosen, threads: threads.used, onednn };
        const manifest = { schema: SCHEMA, command, configuration, started: new Date().toISOString(), machine };
        await writeWhole(manifestPath, toJson(manifest));
      }
      const run = new RunDirectory(path, continued, unlock);
      await run.event('opened', { command, continued });
      return run;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /**
   * The result of a stage: computed now, or stored by an earlier process. `compute` returns JSON values (numbers stay
   * exact, typed arrays become arrays, infinity null). Throws RunError when a file of a finished stage was changed.
   */
  async stage<Result>(name: string, compute: (stage: Stage) => Promise<Result>): Promise<Result> {
    const path = join(this.path, 'stages', `${name}.json`);
    const known = await readIfThere(path);
    if (known) {
      const record = JSON.parse(known.toString()) as StageRecord;
      for (const [file, hash] of Object.entries(record.files)) {
        const content = await readIfThere(join(this.path, file));
        if (!content)
          throw new RunError(
            join(this.path, file),
            `expected the file that stage ${name} wrote, received none: use --fresh`,
          );
        if (sha256(content) !== hash) {
          throw new RunError(
            join(this.path, file),
            `expected the file that stage ${name} wrote, received changed content: use --fresh`,
          );
        }
      }
      this.seconds.set(name, record.seconds);
      return record.result as Result;
    }
    const files: Record<string, string> = {};
    const write = async (file: string, content: string | Uint8Array) => {
      await writeWhole(join(this.path, file), content);
      files[file] = sha256(content);
    };
    await this.event('stage begins', { stage: name });
    const started = performance.now();
    // A later process must read exactly what is returned now.
    const result = asJson(await compute({ write }));
    const seconds = (performance.now() - started) / 1000;
    const record: StageRecord = { seconds, result, files };
    await writeWhole(path, toJson(record));
    this.seconds.set(name, seconds);
    await this.event('stage ended', { stage: name, seconds });
    return result as Result;
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
    await writeWhole(this.file(name), content);
  }

  /** A line in events.jsonl. */
  async event(kind: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    await mkdir(this.path, { recursive: true });
    await appendFile(
      this.events,
      `${plainJson(JSON.stringify({ time: new Date().toISOString(), event: kind, ...fields }))}\n`,
    );
  }

  /** Lets other processes write to the directory. */
  close(): void {
    this.unlock();
  }
}

function parseManifest(path: string, bytes: Buffer): Manifest {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(bytes.toString()) as Manifest;
  } catch {
    throw new RunError(path, 'expected JSON, received other text');
  }
  if (manifest?.schema !== SCHEMA) throw new RunError(path, `expected schema ${SCHEMA}, received ${manifest?.schema}`);
  return manifest;
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
