// ONNX's numbers of element types (TensorProto.DataType).
import type { DType } from '../tensor/dtype.js';

/** Other types (complex, float8, float4) are refused. */
const DTYPES: Readonly<Record<number, DType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
};
const NUMBERS = new Map(Object.entries(DTYPES).map(([number, dtype]) => [dtype, Number(number)]));

/** The type of a number; undefined for unsupported ones. */
export function dtypeOfNumber(number: number): DType | undefined {
  return DTYPES[number];
}

export function numberOfDtype(dtype: DType): number {
  return NUMBERS.get(dtype) as number;
}
