// From what a person writes after --data to a data set.
import { DataError } from './errors.js';
import type { Dataset } from './image_set.js';
import type { LoadOptions, Reader } from './reader.js';
import * as readers from './readers.js';
import type { OpenDataset } from './stored_images.js';

/** Names come before paths: a folder called mnist does not hide the data set. */
const READERS: readonly Reader[] = Object.values<Reader>(readers).sort(
  (a, b) => Number(b.names !== undefined) - Number(a.names !== undefined),
);

async function readerOf(spec: string): Promise<Reader> {
  for (const reader of READERS) if (await reader.reads(spec)) return reader;
  throw new DataError(spec, READERS.map(({ takes }) => takes).join(', '), 'none of them');
}

/**
 * `spec`: a name (fashion-mnist, mnist, cifar10, cifar100), a folder of pictures, a .npz file, a .npy file of images,
 * `images.npy,labels.npy`, or IDX files in the same form. Throws DataError, which names the file, what was expected and
 * what was received.
 */
export async function loadDataset(spec: string, options: LoadOptions = {}): Promise<Dataset> {
  return (await readerOf(spec)).load(spec, options);
}

/** Bytes of images from which on they are not taken into memory. */
const LEAST_STORED = 2 ** 28;

/**
 * As `loadDataset`, but images of a large .npy file, a large IDX file (not compressed) or a large folder are not taken
 * into memory: they are read when they are needed. `least`: what large is, in bytes; 256 MB by default.
 */
export async function openDataset(
  spec: string,
  options: LoadOptions & { readonly least?: number } = {},
): Promise<OpenDataset> {
  const { least = LEAST_STORED, ...load } = options;
  const reader = await readerOf(spec);
  return reader.open ? reader.open(spec, load, least) : reader.load(spec, load);
}
