// Reading data files: from a folder or a web address, gzip undone, checksums compared.
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from './errors.js';

const unzip = promisify(gunzip);

/** A file of a known data set. */
export interface KnownFile {
  /** Without `.gz`; either form is read. */
  readonly name: string;
  /** SHA-256 of the contents, decompressed, in hexadecimal. */
  readonly sha256: string;
}

/** The same memory as a plain Uint8Array: a Buffer's slice() would be a view. */
const plain = (buffer: Buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);

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

/** The bytes of a file, decompressed when they are gzip. Throws DataError when it is missing or damaged. */
export async function readData(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = plain(await readFile(path));
  } catch (error) {
    throw new DataError(path, 'a readable file', (error as NodeJS.ErrnoException).code ?? String(error));
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return plain(await unzip(bytes));
  } catch (error) {
    throw new DataError(path, 'a whole gzip file', (error as Error).message);
  }
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
    check(url, file, await unzip(packed).then(plain, () => packed));
    const path = join(folder, `${file.name}.gz`);
    await writeFile(`${path}.part`, packed);
    await rename(`${path}.part`, path);
  }
}
