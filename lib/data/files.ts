// Reading data files: regular files alone, gzip undone within limits, checksums compared; downloads.
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { access, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createGunzip, createInflateRaw } from 'node:zlib';
import { limitOf, requireWithin } from '../core/limits.js';
import { DataError } from './errors.js';

/** A file of a known data set. */
export interface KnownFile {
  /** Without `.gz`; either form is read. */
  readonly name: string;
  /** SHA-256 of the contents, decompressed, in hexadecimal. */
  readonly sha256: string;
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Bytes of a file; 0 where there is none. */
export async function sizeOfFile(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** `name.gz` or `name` in a folder, whichever is there. */
async function locate(folder: string, name: string): Promise<string | undefined> {
  for (const path of [join(folder, `${name}.gz`), join(folder, name)]) if (await exists(path)) return path;
  return undefined;
}

/** A file open for reading. */
export interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  /** Bytes of it. */
  readonly length: number;
}

/** Opens a regular file: a pipe would be waited for without end. Throws DataError naming it. */
export function openRegular(path: string): OpenFile {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const received = code === 'ENOENT' ? 'no such file' : (code ?? String(error));
    throw new DataError(path, 'a readable file', received, { cause: error });
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return { path, descriptor, length: stats.size };
  closeSync(descriptor);
  const received = stats.isDirectory() ? 'a folder' : stats.isFIFO() ? 'a pipe' : 'a device or socket';
  throw new DataError(path, 'a regular file', received);
}

/** Bytes that one call of the system reads. */
const MOST_READ = 2 ** 30;

/** Fills `into` from an offset. Throws DataError when the file ends before. */
export function readAt({ path, descriptor }: Omit<OpenFile, 'length'>, into: Uint8Array, offset: number): void {
  for (let done = 0; done < into.length; ) {
    const count = readSync(descriptor, into, done, Math.min(into.length - done, MOST_READ), offset + done);
    if (count === 0) throw new DataError(path, `${offset + into.length} bytes`, `${offset + done}`);
    done += count;
  }
}

/** All bytes of a regular file, within the limit. */
export function readRegular(path: string): Uint8Array {
  const file = openRegular(path);
  try {
    requireWithin('fileBytes', path, file.length);
    const bytes = new Uint8Array(file.length);
    readAt(file, bytes, 0);
    return bytes;
  } finally {
    closeSync(file.descriptor);
  }
}

/** Bytes of the contents, from how they begin. */
type ContentBytes = (beginning: Uint8Array) => number;

/** Deflate makes no more bytes of one. */
const MOST_INFLATED = 1032;
/** Inflated at once; headers are shorter. */
const PART = 2 ** 18;

/** Compressed bytes as they were, at most as many as `contentBytes` says or the limit allows. Throws DataError. */
export async function inflate(
  source: string,
  packed: Uint8Array,
  form: 'gzip' | 'deflate',
  contentBytes?: ContentBytes,
): Promise<Uint8Array> {
  const stream = (form === 'gzip' ? createGunzip : createInflateRaw)({ chunkSize: PART });
  let most = limitOf('inflatedBytes');
  let length = 0;
  const parts: Uint8Array[] = [];
  try {
    stream.end(packed);
    for await (const part of stream as AsyncIterable<Uint8Array>) {
      if (length === 0 && contentBytes) {
        const expected = contentBytes(part);
        requireWithin('inflatedBytes', source, expected);
        if (expected > packed.length * MOST_INFLATED) {
          throw new DataError(source, `${expected} bytes when inflated`, `${packed.length} bytes, too few for them`);
        }
        most = expected;
      }
      length += part.length;
      if (length > most && contentBytes) throw new DataError(source, `${most} bytes when inflated`, 'more');
      requireWithin('inflatedBytes', source, length);
      parts.push(part);
    }
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    throw new DataError(source, `whole ${form} data`, (error as Error).message);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * The bytes of a file, inflated when they are gzip; `contentBytes` says from their beginning how many there are. Throws
 * DataError when it is missing, damaged or no regular file, LimitError when it is too large.
 */
export async function readData(path: string, contentBytes?: ContentBytes): Promise<Uint8Array> {
  const bytes = readRegular(path);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? inflate(path, bytes, 'gzip', contentBytes) : bytes;
}

/** The first of `folders` that holds `name` or `name.gz`; undefined when none does. */
export async function findFolder(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) if (await locate(folder, name)) return folder;
  return undefined;
}

function check(path: string, file: KnownFile, bytes: Uint8Array): Uint8Array {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== file.sha256)
    throw new DataError(path, `SHA-256 ${file.sha256}`, `${sha256}: a damaged or another file`);
  return bytes;
}

/** A known file from a folder: `name.gz` or `name`. Throws DataError when missing, damaged or not the published one. */
export async function readKnown(folder: string, file: KnownFile): Promise<Uint8Array> {
  const path = await locate(folder, file.name);
  if (!path) throw new DataError(join(folder, `${file.name}.gz`), 'a file of the data set', 'none');
  return check(path, file, await readData(path));
}

/** Where downloads are kept: `$XDG_CACHE_HOME/faultline`, by default `~/.cache/faultline`. */
export function cacheFolder(name: string): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'faultline', name);
}

/** Fetches the files that `folder` lacks from `base`/name.gz and keeps them there once their checksum is right. */
export async function download(base: string, folder: string, files: readonly KnownFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    if (await findFolder([folder], file.name)) continue;
    const url = `${base.replace(/\/$/, '')}/${file.name}.gz`;
    const response = await fetch(url).catch((error: Error) => {
      throw new DataError(url, 'an answer', String(error.cause ?? error.message));
    });
    if (!response.ok) throw new DataError(url, 'the file', `HTTP ${response.status}`);
    const packed = new Uint8Array(await response.arrayBuffer());
    check(url, file, await inflate(url, packed, 'gzip').catch(() => packed));
    const path = join(folder, `${file.name}.gz`);
    await writeFile(`${path}.part`, packed);
    await rename(`${path}.part`, path);
  }
}
