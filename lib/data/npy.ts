// NumPy's .npy format, versions 1–3 (numpy.lib.format), as numpy.load reads it without pickles.
import { requireWithin } from '../core/limits.js';
import { sizeOf, stridesOf } from '../core/shape.js';
import { float16ToFloat32Bits } from '../tensor/dtype.js';
import { DataError } from './errors.js';

type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** Elements in row-major order; `bool`: bytes that are 0 or 1. */
export interface NpyArray {
  readonly dims: readonly number[];
  readonly data: NumericArray;
  readonly bool: boolean;
}

/** A type of elements: its size, and how bytes of this machine's order become numbers. */
interface Elements {
  readonly bytes: number;
  readonly read: (buffer: ArrayBuffer) => NumericArray;
}

function elements(Type: { new (buffer: ArrayBuffer): NumericArray; readonly BYTES_PER_ELEMENT: number }): Elements {
  return { bytes: Type.BYTES_PER_ELEMENT, read: (buffer) => new Type(buffer) };
}

function readHalves(buffer: ArrayBuffer): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), float16ToFloat32Bits).buffer);
}

/** Kind and size, without the order of bytes. */
const TYPES: Readonly<Record<string, Elements>> = {
  b1: elements(Uint8Array),
  u1: elements(Uint8Array),
  i1: elements(Int8Array),
  u2: elements(Uint16Array),
  i2: elements(Int16Array),
  u4: elements(Uint32Array),
  i4: elements(Int32Array),
  u8: elements(BigUint64Array),
  i8: elements(BigInt64Array),
  f2: { bytes: 2, read: readHalves },
  f4: elements(Float32Array),
  f8: elements(Float64Array),
};

/** Why other kinds are no numbers of a network. */
const REFUSED: Readonly<Record<string, string>> = {
  '[': 'a structured array: save its fields as arrays',
  c: 'complex numbers: save real and imaginary parts as floats',
  O: 'Python objects (pickled), which are not executed: save an array of numbers',
  f: 'floats of another size: astype(float32)',
  S: 'strings of bytes',
  U: 'strings',
  V: 'raw or structured bytes',
  M: 'dates',
  m: 'time differences',
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"

/** Where the elements of a .npy file are, and what they are. */
interface NpyHeader {
  readonly dims: readonly number[];
  readonly type: Elements;
  readonly bool: boolean;
  /** Whether bytes of an element are in the other order than this machine's. */
  readonly swapped: boolean;
  /** Column-major: the first index runs fastest. */
  readonly fortran: boolean;
  /** Offset of the first element. */
  readonly dataAt: number;
  /** Of all elements. */
  readonly bytes: number;
}

/** Longest header that is read: the shape of an array takes a hundred bytes. */
export const NPY_HEADER_BYTES = 2 ** 16;
/** As numpy. */
const MOST_DIMS = 32;

/** One entry of the dictionary that a header is; structured types are not read further. */
const ENTRY = /\s*(?:'(\w+)'|"(\w+)")\s*:\s*('[^']*'|"[^"]*"|True|False|\([^()]*\)|\[)\s*(?:,\s*(?=['"}])|(?=\}))/y;

/** The entries of `{'descr': …, 'fortran_order': …, 'shape': …}`; undefined where the text is something else. */
function entriesOf(header: string): Readonly<Record<string, string>> | undefined {
  const text = header.trim();
  if (!text.startsWith('{')) return undefined;
  if (/'descr'\s*:\s*\[/.test(text)) return { descr: '[', fortran_order: 'False', shape: '()' };
  const entries: Record<string, string> = {};
  ENTRY.lastIndex = 1;
  let end = 1;
  for (let entry = ENTRY.exec(text); entry; entry = ENTRY.exec(text)) {
    entries[(entry[1] ?? entry[2]) as string] = entry[3] as string;
    end = ENTRY.lastIndex;
  }
  const whole = text.slice(end).trim() === '}' && Object.keys(entries).sort().join() === 'descr,fortran_order,shape';
  return whole ? entries : undefined;
}

function shapeOf(source: string, text: string): number[] {
  const parts = text.slice(1, -1).split(',');
  // A tuple of one has a comma, and any may end in one.
  if ((parts.at(-1) ?? '').trim() === '') parts.pop();
  else if (parts.length === 1) throw new DataError(source, 'a shape that is a tuple', text);
  const dims = parts.map((part) => (/^\s*\d{1,16}L?\s*$/.test(part) ? Number.parseInt(part, 10) : Number.NaN));
  if (dims.length > MOST_DIMS || !dims.every(Number.isSafeInteger)) {
    throw new DataError(source, `a shape of at most ${MOST_DIMS} integers ≥ 0`, text.slice(0, 100));
  }
  return dims;
}

function typeOf(source: string, text: string): Pick<NpyHeader, 'type' | 'swapped' | 'bool'> {
  const descr = text.replace(/^['"]|['"]$/g, '');
  const [, order = '', name = descr] = /^([<>|=]?)(.*)$/.exec(descr) ?? [];
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (!type) {
    const why = REFUSED[name[0] ?? ''];
    const expected = `numbers (dtype ${Object.keys(TYPES).join(' ')})`;
    throw new DataError(source, expected, descr === '[' ? `${why}` : `'${descr}'${why ? `, ${why}` : ''}`);
  }
  return { type, swapped: order === '>' && type.bytes > 1, bool: name === 'b1' };
}

/** Parses the beginning of a .npy file; `source` names it in errors. */
export function parseNpyHeader(source: string, bytes: Uint8Array): NpyHeader {
  if (bytes.length < 12 || !MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new DataError(source, 'a .npy file', `${bytes.length} bytes that do not begin with \\x93NUMPY`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [major = 0, minor] = bytes.subarray(6, 8);
  if (major < 1 || major > 3 || minor !== 0) {
    throw new DataError(source, '.npy of version 1.0, 2.0 or 3.0', `${major}.${minor}`);
  }
  const headerAt = major === 1 ? 10 : 12;
  const dataAt = headerAt + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataAt > NPY_HEADER_BYTES) throw new DataError(source, `a header of ${NPY_HEADER_BYTES} bytes`, String(dataAt));
  if (dataAt > bytes.length) throw new DataError(source, 'a whole .npy header', 'a truncated one');
  const header = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(headerAt, dataAt));
  const entries = entriesOf(header);
  if (!entries) {
    const expected = "a .npy header {'descr': …, 'fortran_order': …, 'shape': …}";
    throw new DataError(source, expected, JSON.stringify(header.trim().slice(0, 100)));
  }
  const { descr = '', fortran_order: order = '', shape = '' } = entries;
  const type = typeOf(source, descr);
  if (!/^(True|False)$/.test(order)) throw new DataError(source, 'fortran_order True or False', order);
  if (!shape.startsWith('(')) throw new DataError(source, 'a shape that is a tuple', shape);
  const dims = shapeOf(source, shape);
  const total = sizeOf(dims) * type.type.bytes;
  requireWithin('valueBytes', `${source}: shape (${dims.join(', ')})`, total);
  return { dims, ...type, fortran: order === 'True', dataAt, bytes: total };
}

/** Throws DataError unless a file of `length` bytes is this array and no more. */
export function checkNpyLength(source: string, { dims, dataAt, bytes }: NpyHeader, length: number): void {
  const received = length - dataAt;
  if (received === bytes) return;
  const rest = received > bytes ? `: ${received - bytes} bytes after the array` : ': a truncated file';
  throw new DataError(source, `${bytes} bytes for (${dims.join(', ')})`, `${received}${rest}`);
}

/** Bytes of elements as numbers, in the order that they have. `bytes` is overwritten. */
export function readElements(source: string, header: NpyHeader, bytes: Uint8Array<ArrayBuffer>): NumericArray {
  const { type, swapped, bool } = header;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (swapped) buffer[`swap${(8 * type.bytes) as 16 | 32 | 64}`]();
  if (bool && bytes.some((byte) => byte > 1)) throw new DataError(source, 'booleans, 0 or 1', 'other bytes');
  return type.read(bytes.buffer);
}

/** Column-major → row-major. */
function rowMajor(data: NumericArray, dims: readonly number[]): NumericArray {
  const result = data.slice();
  const strides = stridesOf([...dims].reverse()).reverse();
  const at = new Array<number>(dims.length).fill(0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from] as never;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      if (++(at[axis] as number) < (dims[axis] as number)) break;
      from -= (strides[axis] as number) * (dims[axis] as number);
      at[axis] = 0;
    }
  }
  return result;
}

/** Parses a .npy file; `source` names it in errors. */
export function parseNpy(source: string, bytes: Uint8Array): NpyArray {
  const header = parseNpyHeader(source, bytes);
  const { dims, dataAt, bool, fortran } = header;
  checkNpyLength(source, header, bytes.length);
  const data = readElements(source, header, new Uint8Array(bytes.slice(dataAt)));
  return { dims, data: fortran && dims.length > 1 ? rowMajor(data, dims) : data, bool };
}

/** Bytes of a .npy file in all, from how it begins. */
export function npyFileBytes(source: string): (beginning: Uint8Array) => number {
  return (beginning) => {
    const { dataAt, bytes } = parseNpyHeader(source, beginning);
    return dataAt + bytes;
  };
}

/** The nearest float32 of a 64-bit integer, rounded once: its upper bits decide, and whether any lower one is set. */
function floatOf(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  const upper = value >> 11n;
  return Number((value & 2047n) === 0n ? upper : upper | 1n) * 2048;
}

/** Numbers as float32, each rounded once. */
export function asFloats(data: NumericArray): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const result = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) result[i] = floatOf(data[i] as bigint);
    return result;
  }
  return new Float32Array(data);
}
