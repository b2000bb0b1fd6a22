// Files that are complete or absent: written under another name, synced to disk and renamed.
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { plainJson } from '../core/text.js';

/** Writes a file, its folder too, so that a reader finds either the complete old or the complete new content, on disk. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(
    path,
    typeof content === 'string' ? content : Buffer.from(content.buffer, content.byteOffset, content.byteLength),
  );
}

/** JSON has no typed arrays: they become arrays. It has no infinity either, which becomes null. */
const plainArrays = (_: string, value: unknown): unknown =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value;

/** A value as indented JSON. */
export const toJson = (value: unknown): string => plainJson(`${JSON.stringify(value, plainArrays, 1)}\n`);

/** A value after a round trip through JSON. */
export const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value, plainArrays) ?? 'null');

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A file's content; undefined when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
