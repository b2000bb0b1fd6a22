// Files that are whole or not there: written under another name, forced to the disk and renamed.
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file and waits until it is on the disk. A process killed meanwhile leaves a part of it. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes a file, its folder too, so that whoever reads it finds the old content or the new, whole. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const unfinished = `${path}.unfinished-${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeDurably(unfinished, content);
  await rename(unfinished, path);
}

/** JSON has no typed arrays: they become arrays. It has no infinity either, which becomes null. */
const plainArrays = (_: string, value: unknown): unknown =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float64Array) : value;

/** A value as a file of JSON that people can read. */
export const toJson = (value: unknown): string => `${JSON.stringify(value, plainArrays, 1)}\n`;

/** A value as a reader of its file would find it. */
export const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value, plainArrays) ?? 'null');

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A file's content; undefined when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
