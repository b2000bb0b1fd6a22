// Files that are complete or absent: written under a name nobody can guess, synced to disk and renamed, the folder synced.
import { createHash, randomBytes } from 'node:crypto';
import { constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { lstat, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { plainJson } from '../core/text.js';

/** A file or folder of a run that is not what it has to be; `code`: of the system's error, where there was one. */
export class RunError extends Error {
  constructor(
    readonly path: string,
    what: string,
    readonly code?: string | undefined,
  ) {
    super(`${path}: ${what}`);
    this.name = 'RunError';
  }

  /** Of a system call that failed. */
  static of(path: string, expected: string, error: unknown): unknown {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (error instanceof RunError || code === undefined || errno === undefined) return error;
    const [, meaning = code] = getSystemErrorMap().get(errno) ?? [];
    return new RunError(path, `expected ${expected}, received ${code} (${meaning})`, code);
  }
}

/** Unfinished files have names of their own, however long that of the finished one is; nobody else's look like these. */
const UNFINISHED = /^\.unfinished-[0-9a-f]{16}$/;
export const isUnfinished = (name: string): boolean => UNFINISHED.test(name);

/** Nothing that was put there is opened or followed. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const ANYONE = 0o666;

/** Makes what happened to the names in a folder last. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a folder and those above it, where others may do so too; the first that was made. Node's own goes round for ever
 * where a folder takes no others (/proc).
 */
export function makeFolder(path: string): string | undefined {
  const missing = [path];
  for (let above = dirname(path); !existsSync(above) && dirname(above) !== above; above = dirname(above)) {
    missing.unshift(above);
  }
  let first: string | undefined;
  for (const folder of missing) {
    try {
      mkdirSync(folder);
      first ??= folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(folder).isDirectory()) throw error;
    }
  }
  return first;
}

async function replace(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  const made = makeFolder(folder);
  const before = await lstat(path).catch(() => undefined);
  const unfinished = join(folder, `.unfinished-${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(unfinished, NEW_FILE, before?.isFile() ? before.mode & ANYONE : ANYONE);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
  if (made !== undefined) await syncFolder(dirname(made));
}

/**
 * Writes a file, its folder too, so that a reader finds either the complete old or the complete new content, on disk. A
 * link is replaced, not followed. Throws RunError.
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await replace(path, content).catch((error: unknown) => {
    throw RunError.of(path, 'a file that can be written', error);
  });
}

const APPENDED = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

/** Adds lines to a file, on disk; where a kill cut its last line, they begin on a new one. Throws RunError. */
export async function appendLines(path: string, lines: string): Promise<void> {
  try {
    const file = await open(path, APPENDED, ANYONE);
    try {
      const { size } = await file.stat();
      const { buffer } = size > 0 ? await file.read(Buffer.alloc(1), 0, 1, size - 1) : { buffer: Buffer.from('\n') };
      await file.writeFile(buffer.toString() === '\n' ? lines : `\n${lines}`);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw RunError.of(path, 'a file that can be written', error);
  }
}

/** JSON has no typed arrays: they become arrays. It has no infinity either, which becomes null. */
const plainArrays = (_: string, value: unknown): unknown =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value;

/** A value as indented JSON. */
export const toJson = (value: unknown): string => plainJson(`${JSON.stringify(value, plainArrays, 1)}\n`);

/** A value after a round trip through JSON. */
export const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value, plainArrays) ?? 'null');

/** What JSON says; the error of other text names its file. */
export function parseJson(path: string, content: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof content === 'string' ? content : Buffer.from(content).toString());
  } catch {
    throw new RunError(path, `expected JSON, received ${content.length === 0 ? 'nothing' : 'other or truncated text'}`);
  }
}

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A file's content; undefined when there is none. Throws RunError. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw RunError.of(path, 'a file that can be read', error);
  });
}
