// Element types of tensors, ONNX's names for them in lower case, and the typed array that holds each on the host.

/** Held as Float32Array: float16 and bfloat16 too (all their values are float32). Held as bytes: bool, int4. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool'
  | 'int4'
  | 'uint4'
  | 'string';

export interface DTypeArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Float32Array;
  bfloat16: Float32Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
  int4: Int8Array;
  uint4: Uint8Array;
  string: string[];
}

export type TensorData = DTypeArrays[DType];

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  int4: Int8Array,
  uint4: Uint8Array,
  string: Array,
} as const;

/** Zeros (empty strings) of a type. */
export function allocate<Type extends DType>(dtype: Type, length: number): DTypeArrays[Type] {
  if (dtype === 'string') return new Array<string>(length).fill('') as DTypeArrays[Type];
  return new (ARRAYS[dtype] as Float32ArrayConstructor)(length) as DTypeArrays[Type];
}

/** Whether `data` is the kind of array that holds `dtype`. */
export function holds(dtype: DType, data: unknown): boolean {
  return data instanceof ARRAYS[dtype];
}

export function isFloat(dtype: DType): dtype is 'float32' | 'float64' | 'float16' | 'bfloat16' {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** Bits of a float16 to the bits of the same value as a float32; a NaN keeps its payload. */
export function float16ToFloat32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0; // 112 = 127 − 15, the biases
  f32[0] = fraction * 2 ** -24; // subnormal: exact in float32
  return (sign | (u32[0] as number)) >>> 0;
}

/** Bits of a float32 to the bits of the nearest float16, half to even; a NaN keeps the upper bits of its payload. */
export function float32ToFloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7c00 | ((magnitude >>> 13) & 0x3ff || 1);
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and above round to infinity
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13); // normal: ≥ 2^−14
  u32[0] = magnitude;
  return sign | roundHalfEven((f32[0] as number) * 2 ** 24);
}

/** Bits of a float32 to the bits of the nearest bfloat16, half to even; a NaN keeps the upper bits of its payload. */
export function float32ToBfloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | (bits & 0x7f0000 ? 0 : 0x40);
  return roundShift(bits, 16);
}

/** value / 2^shift, half to even, for an unsigned 32-bit value. */
function roundShift(value: number, shift: number): number {
  return roundHalfEven((value >>> 0) / 2 ** shift);
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
