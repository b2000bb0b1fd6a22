// IDX files (LeCun's MNIST format): big-endian magic 00 00 type rank, one 32-bit size a dimension, elements.
import { DataError } from './errors.js';
import { readData } from './files.js';
import { type Dataset, imageSet } from './image_set.js';

const UNSIGNED_BYTE = 0x08;

export interface IdxArray {
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** Parses an IDX file of unsigned bytes with `rank` dimensions; `source` names it in errors. */
export function parseIdx(source: string, bytes: Uint8Array, rank: number): IdxArray {
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw new DataError(source, `an IDX header of ${header} bytes`, `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const wanted = (UNSIGNED_BYTE << 8) | rank;
  if (magic !== wanted) {
    const hex = (x: number) => `0x${x.toString(16).padStart(8, '0')}`;
    throw new DataError(source, `IDX magic ${hex(wanted)} (unsigned bytes, ${rank} dimensions)`, hex(magic));
  }
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (bytes.length !== header + size) {
    throw new DataError(source, `${size} bytes for [${dims.join(',')}]`, String(bytes.length - header));
  }
  return { dims, data: bytes.subarray(header) };
}

/** Grey images [n, height, width] and, where given, their labels [n], gzip or not. Throws DataError naming the file. */
export async function loadIdx(imagesPath: string, labelsPath?: string): Promise<Dataset> {
  const { dims, data } = parseIdx(imagesPath, await readData(imagesPath), 3);
  const classes = labelsPath === undefined ? undefined : parseIdx(labelsPath, await readData(labelsPath), 1).data;
  const labels = classes && Int32Array.from(classes);
  const [, height = 0, width = 0] = dims;
  const parts = { height, width, channels: 1, pixels: data };
  const count = labels ? labels.reduce((most, label) => Math.max(most, label + 1), 0) : 0;
  return {
    name: imagesPath,
    classNames: Array.from({ length: count }, (_, i) => String(i)),
    normalization: { mean: [0], std: [1] },
    test: imageSet(imagesPath, labels ? { ...parts, labels } : parts),
  };
}
