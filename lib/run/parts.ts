// What a stage has so far. A long computation keeps the results of its parts (a chunk of samples, an evaluation of a
// search, a state of training), and after a kill it is run again from its beginning with these results at hand: the same
// calls in the same order, so the same result.
//
// The stage in progress is found through AsyncLocalStorage: between a stage and a batch lie a dozen functions that have
// no use for it. Outside of a stage everything is computed and nothing kept.
import { AsyncLocalStorage } from 'node:async_hooks';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appendLines, makeFolder, RunError, readIfThere, sha256 } from './files.js';

/**
 * Work that a kill may cost: parts finished since are written together, so that short stages write none. States of
 * training are larger, and are saved less often where that would take more than this share of the time.
 */
export const keeping = { everyMs: 2000, share: 0.02 };

const TYPED_ARRAYS = {
  Float32Array,
  Float64Array,
  Int32Array,
  Uint32Array,
  Int16Array,
  Uint16Array,
  Int8Array,
  Uint8Array,
};
type Tagged = { readonly '': string; readonly value: string };

/** JSON that keeps what JSON drops: typed arrays, −0, NaN and infinity. */
function encode(_: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { '': value.constructor.name, value: bytes.toString('base64') } satisfies Tagged;
  }
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { '': 'Number', value: Object.is(value, -0) ? '-0' : String(value) } satisfies Tagged;
}

function decode(_: string, value: unknown): unknown {
  const kind = (value as Tagged | null)?.[''];
  if (kind === undefined) return value;
  const text = (value as Tagged).value;
  if (kind === 'Number') return Number(text);
  const bytes = Buffer.from(text, 'base64');
  const Kind = TYPED_ARRAYS[kind as keyof typeof TYPED_ARRAYS];
  return new Kind(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** A value as JSON from which it comes back as it was. */
export const exactJson = (value: unknown): string => JSON.stringify(value ?? null, encode);
export const parseExactJson = (json: string): unknown => JSON.parse(json, decode);

const FILE = 'parts.jsonl';
const CHECK_DIGITS = 16;
const checked = (json: string) => `${sha256(json).slice(0, CHECK_DIGITS)} ${json}\n`;

/** Results of parts by name, in lines that begin with their checksum; a damaged line is no result. */
class Journal {
  private readonly pending: string[] = [];
  private last = performance.now();

  private constructor(
    readonly folder: string,
    readonly known: Map<string, unknown>,
  ) {}

  static async open(folder: string): Promise<Journal> {
    const known = new Map<string, unknown>();
    const text = (await readIfThere(join(folder, FILE)))?.toString() ?? '';
    for (const line of text.split('\n')) {
      const json = line.slice(CHECK_DIGITS + 1);
      if (checked(json) !== `${line}\n`) continue;
      const [name, value] = parseExactJson(json) as [string, unknown];
      known.set(name, value);
    }
    return new Journal(folder, known);
  }

  async add(name: string, json: string): Promise<void> {
    this.pending.push(checked(`[${JSON.stringify(name)},${json}]`));
    if (performance.now() - this.last >= keeping.everyMs) await this.flush();
  }

  async flush(): Promise<void> {
    const lines = this.pending.splice(0);
    this.last = performance.now();
    if (lines.length === 0) return;
    try {
      makeFolder(this.folder);
    } catch (error) {
      throw RunError.of(this.folder, 'a folder that can be made', error);
    }
    await appendLines(join(this.folder, FILE), lines.join(''));
  }
}

/** Where names of parts are counted: a stage, or a part of it. */
interface Scope {
  readonly journal: Journal;
  readonly prefix: string;
  readonly counts: Map<string, number>;
}

const current = new AsyncLocalStorage<Scope | undefined>();

/** The name of the next part called so. */
function nextName({ prefix, counts }: Scope, name: string): string {
  const count = counts.get(name) ?? 0;
  counts.set(name, count + 1);
  return `${prefix}${name}-${count}`;
}

/** Where the parts of stages are, in a run's folder. */
export const PARTS = 'partial';

/** Removes the parts of a stage, and what folders this leaves empty. */
export async function forgetParts(run: string, stage: string): Promise<void> {
  const folder = join(run, PARTS, stage);
  await rm(folder, { recursive: true, force: true });
  for (let empty = dirname(folder); empty.length > run.length; empty = dirname(empty)) {
    if (
      !(await rmdir(empty)
        .then(() => true)
        .catch(() => false))
    )
      return;
  }
}

/** Computes a stage with its parts kept in its folder. */
export async function keepingParts<Result>(
  run: string,
  stage: string,
  compute: () => Promise<Result>,
): Promise<Result> {
  const journal = await Journal.open(join(run, PARTS, stage));
  try {
    return await current.run({ journal, prefix: '', counts: new Map() }, compute);
  } catch (error) {
    await journal.flush().catch(() => {}); // the first error says more
    throw error;
  }
}

/**
 * A part of the stage in progress: computed now, or as it was kept. Of a result JSON's kinds come back, typed arrays and
 * all numbers to the bit; maps and classes do not.
 */
export async function keepPart<Result>(name: string, compute: () => Promise<Result>): Promise<Result> {
  const scope = current.getStore();
  if (!scope) return compute();
  const { journal } = scope;
  const key = nextName(scope, name);
  if (journal.known.has(key)) {
    const value = journal.known.get(key) as Result;
    journal.known.delete(key);
    return value;
  }
  const value = await current.run({ journal, prefix: `${key}/`, counts: new Map() }, compute);
  const json = exactJson(value);
  await journal.add(key, json);
  return parseExactJson(json) as Result;
}

/** A folder of the stage in progress for states of a loop, which is resumed from the latest; its parts are not kept. */
export function loopFolder(name: string): string | undefined {
  const scope = current.getStore();
  return scope && join(scope.journal.folder, ...nextName(scope, name).split('/'));
}

/** Computes without parts: what is resumed in its middle would take others' for its own. */
export function withoutParts<Result>(compute: () => Result): Result {
  return current.run(undefined, compute);
}
