// IDX files (LeCun's MNIST format): big-endian magic 00 00 type rank, one 32-bit size a dimension, elements.
import { DataError } from './errors.js';

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
