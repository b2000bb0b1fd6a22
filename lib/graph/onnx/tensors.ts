// TensorProto to HostTensor and back, bit for bit: raw bytes or packed arrays in, raw bytes out (strings excepted).

import { sizeOf } from '../../core/shape.js';
import {
  allocate,
  type DType,
  float16ToFloat32Bits,
  float32ToBfloat16Bits,
  float32ToFloat16Bits,
} from '../../tensor/dtype.js';
import { formatDims, type HostTensor, MAX_RANK } from '../../tensor/host_tensor.js';
import { OnnxFormatError } from '../errors.js';
import { dtypeOfNumber, numberOfDtype } from '../onnx_types.js';
import { isExternal, locationOf } from './external.js';
import { type TensorProto, toSafeInteger } from './messages.js';

/** Names of the types that dtypeOfNumber does not know. */
const REFUSED_TYPES: Readonly<Record<number, string>> = {
  0: 'undefined',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  23: 'float4e2m1',
};
/** Limit of the product of dimensions: more elements do not fit in an array. */
const MAX_ELEMENTS = 2 ** 32 - 1;

/** The type behind a TensorProto.DataType number; throws OnnxFormatError for unsupported types. */
export function dtypeFromOnnx(dataType: number, source: string): DType {
  const dtype = dtypeOfNumber(dataType);
  if (dtype) return dtype;
  throw new OnnxFormatError(source, `element type ${REFUSED_TYPES[dataType] ?? dataType} is not supported`);
}

export function dtypeToOnnx(dtype: DType): number {
  return numberOfDtype(dtype);
}

/** Bits of an element in raw_data. */
const BITS: Readonly<Record<Exclude<DType, 'string'>, number>> = {
  float32: 32,
  float64: 64,
  float16: 16,
  bfloat16: 16,
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  bool: 8,
  int4: 4,
  uint4: 4,
};

/** Bytes of raw_data for a tensor's shape and type; undefined for strings. */
export function bytesOfTensor(proto: TensorProto, where: string): number | undefined {
  const dtype = dtypeFromOnnx(proto.dataType ?? 0, where);
  return dtype === 'string' ? undefined : Math.ceil((sizeOf(readDims(proto, where)) * BITS[dtype]) / 8);
}

/** The tensor of a message. Throws OnnxFormatError when data are external, missing, too short or too long. */
export function tensorFromProto(proto: TensorProto, source: string): HostTensor {
  const where = proto.name ? `${source}: tensor "${proto.name}"` : source;
  if (isExternal(proto)) {
    throw new OnnxFormatError(
      where,
      `expected one file with its weights inside, received data in "${locationOf(proto)}"`,
    );
  }
  if (proto.segment) throw new OnnxFormatError(where, 'segmented tensors are not supported');
  const dtype = dtypeFromOnnx(proto.dataType ?? 0, where);
  const dims = readDims(proto, where);
  const length = sizeOf(dims);
  if (dtype === 'string') {
    const strings = (proto.stringData ?? []).map((bytes) => new TextDecoder().decode(bytes));
    checkLength(strings.length, length, dims, where);
    return { dtype, dims, data: strings };
  }
  const raw = proto.rawData?.length ? proto.rawData : packedBytes(proto, dtype, where);
  const expected = Math.ceil((length * BITS[dtype]) / 8);
  if (raw.length !== expected) {
    throw new OnnxFormatError(
      where,
      `expected ${expected} bytes for ${dtype} ${formatDims(dims)}, received ${raw.length}`,
    );
  }
  return { dtype, dims, data: unpack(dtype, length, raw) };
}

function readDims(proto: TensorProto, where: string): number[] {
  const rank = proto.dims?.length ?? 0;
  if (rank > MAX_RANK) throw new OnnxFormatError(where, `expected at most ${MAX_RANK} dimensions, received ${rank}`);
  const dims = (proto.dims ?? []).map((dim) => toSafeInteger(dim) ?? Number.NaN);
  if (!dims.every((dim) => dim >= 0) || sizeOf(dims.map((dim) => dim || 1)) > MAX_ELEMENTS) {
    throw new OnnxFormatError(where, `${formatDims(dims)} is not the shape of a tensor that fits in memory`);
  }
  return dims;
}

function checkLength(received: number, expected: number, dims: readonly number[], where: string): void {
  if (received !== expected) {
    throw new OnnxFormatError(where, `expected ${expected} elements for ${formatDims(dims)}, received ${received}`);
  }
}

/** The contents of raw_data, from the typed fields. */
function packedBytes(proto: TensorProto, dtype: Exclude<DType, 'string'>, where: string): Uint8Array {
  if (dtype === 'float32') return Buffer.concat(proto.floatData ?? []);
  if (dtype === 'float64') return Buffer.concat(proto.doubleData ?? []);
  if (dtype === 'int64') return bytesOf(BigInt64Array.from(varints(Buffer.concat(proto.int64Data ?? []), where)));
  if (dtype === 'uint64' || dtype === 'uint32') {
    const values = varints(Buffer.concat(proto.uint64Data ?? []), where);
    return bytesOf(dtype === 'uint64' ? BigUint64Array.from(values) : Uint32Array.from(values, Number));
  }
  // One int32 an element, in two's complement; float16 and bfloat16 by their bits; int4 two to a byte (as in raw_data).
  const values = varints(Buffer.concat(proto.int32Data ?? []), where).map((value) => Number(BigInt.asIntN(32, value)));
  const narrow = BITS[dtype] === 32 ? Int32Array : BITS[dtype] === 16 ? Int16Array : Int8Array;
  return bytesOf(narrow.from(values));
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The varints of a packed array, as unsigned 64-bit values. */
function varints(bytes: Uint8Array, where: string): bigint[] {
  const values: bigint[] = [];
  let low = 0;
  let high = 0n;
  let shift = 0;
  for (const byte of bytes) {
    if (shift < 28) low += (byte & 0x7f) * 2 ** shift;
    else high |= BigInt(byte & 0x7f) << BigInt(shift);
    shift += 7;
    if (byte < 0x80) {
      values.push(BigInt.asUintN(64, high === 0n ? BigInt(low) : high | BigInt(low)));
      low = 0;
      high = 0n;
      shift = 0;
    } else if (shift >= 70) {
      throw new OnnxFormatError(where, 'expected numbers of at most 10 bytes in its data, received a longer one');
    }
  }
  if (shift !== 0)
    throw new OnnxFormatError(where, 'expected complete numbers, received data that end inside one (truncated)');
  return values;
}

/** Little-endian bytes to the typed array of `dtype`. The host is little-endian, as on every platform of Node. */
function unpack(dtype: Exclude<DType, 'string'>, length: number, raw: Uint8Array): HostTensor['data'] {
  const data = allocate(dtype, length);
  if (dtype === 'int4' || dtype === 'uint4') {
    const nibbles = data as Int8Array;
    for (let i = 0; i < length; i++) {
      const nibble = ((raw[i >> 1] as number) >> (4 * (i & 1))) & 15;
      nibbles[i] = dtype === 'int4' && nibble > 7 ? nibble - 16 : nibble;
    }
  } else if (dtype === 'float16' || dtype === 'bfloat16') {
    const bits = new Uint32Array((data as Float32Array).buffer);
    for (let i = 0; i < length; i++) {
      const half = (raw[2 * i] as number) | ((raw[2 * i + 1] as number) << 8);
      bits[i] = dtype === 'float16' ? float16ToFloat32Bits(half) : half << 16;
    }
  } else {
    bytesOf(data as Float32Array).set(raw);
  }
  return data;
}

/** Little-endian bytes of a tensor's elements, as raw_data holds them. */
function pack(dtype: Exclude<DType, 'string'>, data: Float32Array | Int8Array): Uint8Array {
  if (dtype === 'int4' || dtype === 'uint4') {
    const bytes = new Uint8Array(Math.ceil(data.length / 2));
    for (let i = 0; i < data.length; i++) {
      bytes[i >> 1] = (bytes[i >> 1] as number) | (((data[i] as number) & 15) << (4 * (i & 1)));
    }
    return bytes;
  }
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    return bytesOf(Uint16Array.from(bits, dtype === 'float16' ? float32ToFloat16Bits : float32ToBfloat16Bits));
  }
  return bytesOf(data);
}

/** The message of a tensor. It shares the tensor's memory: encode it before anything changes. */
export function tensorToProto(tensor: HostTensor, name: string): TensorProto {
  const { dtype, dims, data } = tensor;
  const proto: TensorProto = { dims: [...dims], dataType: dtypeToOnnx(dtype), name };
  if (dtype === 'string') {
    proto.stringData = (data as string[]).map((text) => new TextEncoder().encode(text));
  } else {
    proto.rawData = pack(dtype, data as Float32Array);
  }
  return proto;
}
