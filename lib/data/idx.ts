// IDX files (LeCun's MNIST format): big-endian magic 00 00 type rank, one 32-bit size a dimension, elements.

import { DataError } from './errors.js';
import { readData, sizeOfFile } from './files.js';
import { type Dataset, imageSet } from './image_set.js';
import { imagesAndLabels, type Reader } from './reader.js';
import { type OpenDataset, openData, plainDataset, storedImages } from './stored_images.js';

const UNSIGNED_BYTE = 0x08;

interface IdxArray {
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Shape of an IDX file of unsigned bytes with `rank` dimensions, `length` bytes in total, and where its elements begin.
 */
function parseHeader(source: string, bytes: Uint8Array, length: number, rank: number) {
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw new DataError(source, `an IDX header of ${header} bytes`, `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const expected = (UNSIGNED_BYTE << 8) | rank;
  if (magic !== expected) {
    const hex = (x: number) => `0x${x.toString(16).padStart(8, '0')}`;
    throw new DataError(source, `IDX magic ${hex(expected)} (unsigned bytes, ${rank} dimensions)`, hex(magic));
  }
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (length !== header + size) {
    throw new DataError(source, `${size} bytes for [${dims.join(',')}]`, String(length - header));
  }
  return { dims, header };
}

/** Parses an IDX file of unsigned bytes with `rank` dimensions; `source` names it in errors. */
export function parseIdx(source: string, bytes: Uint8Array, rank: number): IdxArray {
  const { dims, header } = parseHeader(source, bytes, bytes.length, rank);
  return { dims, data: bytes.subarray(header) };
}

async function readLabels(path: string | undefined): Promise<{ readonly labels?: Int32Array }> {
  return path === undefined ? {} : { labels: Int32Array.from(parseIdx(path, await readData(path), 1).data) };
}

/**
 * Grey images [n, height, width] and, where supplied, their labels [n], gzip or not. Throws DataError naming the file.
 */
export async function loadIdx(imagesPath: string, labelsPath?: string): Promise<Dataset> {
  const { dims, data } = parseIdx(imagesPath, await readData(imagesPath), 3);
  const [, height = 0, width = 0] = dims;
  const parts = { height, width, channels: 1, pixels: data, ...(await readLabels(labelsPath)) };
  return plainDataset(imagesPath, imageSet(imagesPath, parts));
}

/** The same, not compressed, with images that are read on demand. */
async function openIdx(imagesPath: string, labelsPath?: string): Promise<OpenDataset> {
  const { descriptor, length, beginning } = openData(imagesPath, 4 + 4 * 3);
  const { dims, header: offset } = parseHeader(imagesPath, beginning, length, 3);
  const [count = 0, height = 0, width = 0] = dims;
  const file = { path: imagesPath, descriptor, offset, bytes: height * width, decode: (bytes: Uint8Array) => bytes };
  const parts = { count, height, width, channels: 1, ...(await readLabels(labelsPath)) };
  return plainDataset(imagesPath, storedImages(file, parts));
}

const idxFiles = (spec: string) => {
  const files = imagesAndLabels(spec);
  return files && /idx3?(-ubyte)?(\.gz)?$/.test(files.images) ? files : undefined;
};

export const idxReader: Reader = {
  takes: 'IDX files',
  reads: (spec) => idxFiles(spec) !== undefined,
  load: (spec) => loadIdx(idxFiles(spec)?.images as string, idxFiles(spec)?.labels),
  open: async (spec, options, least) => {
    const { images, labels } = idxFiles(spec) as { images: string; labels: string | undefined };
    const stored = !images.endsWith('.gz') && (await sizeOfFile(images)) >= least;
    return stored ? openIdx(images, labels) : idxReader.load(spec, options);
  },
};
