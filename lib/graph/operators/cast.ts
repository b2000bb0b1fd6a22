// Cast: the same values in another type: floats towards zero to integers, integers wrapped, all but zero to true.
import {
  allocate,
  type DType,
  float16ToFloat32Bits,
  float32ToBfloat16Bits,
  float32ToFloat16Bits,
  isFloat,
} from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { dtypeOfNumber } from '../onnx_types.js';
import { defineOperator, elementType, int, none, required, unknown } from '../operator.js';

/** Rounds float32 values to those of a narrower float, in place. */
function narrow(data: Float32Array, dtype: 'float16' | 'bfloat16'): void {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < bits.length; i++) {
    const wide = bits[i] as number;
    bits[i] =
      dtype === 'float16' ? float16ToFloat32Bits(float32ToFloat16Bits(wide)) : float32ToBfloat16Bits(wide) << 16;
  }
}

/** A tensor's values in another type. */
function castTo(input: HostTensor, dtype: Exclude<DType, 'string'>): HostTensor {
  if (input.dtype === dtype) return input;
  const from = input.data as unknown as ArrayLike<number | bigint | string>;
  const data = allocate(dtype as DType, from.length) as unknown as (number | bigint)[];
  if (dtype === 'bool') {
    for (let i = 0; i < from.length; i++) data[i] = Number(from[i]) !== 0 ? 1 : 0;
  } else if (dtype === 'int64' || dtype === 'uint64') {
    for (let i = 0; i < from.length; i++) {
      const value = from[i] as number | bigint | string;
      if (typeof value === 'bigint') data[i] = value;
      else {
        const number = Math.trunc(Number(value));
        data[i] = Number.isFinite(number) ? BigInt(number) : 0n;
      }
    }
  } else {
    const wide = input.dtype === 'int64' || input.dtype === 'uint64';
    const integer = !isFloat(dtype);
    for (let i = 0; i < from.length; i++) {
      const value = from[i] as number | bigint | string;
      data[i] = integer && wide ? Number(BigInt.asIntN(32, value as bigint)) : Number(value);
    }
    if (dtype === 'float16' || dtype === 'bfloat16') narrow(data as unknown as Float32Array, dtype);
  }
  return { dtype, dims: input.dims, data } as unknown as HostTensor;
}

export const Cast = defineOperator({
  name: 'Cast',
  readout: 'same',
  attributes: { to: elementType(), saturate: int(1) },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  spans: { saturate: { since: 19 } },
  shape: (call) => {
    const input = required(call.inputs, 0);
    const dtype = dtypeOfNumber(call.attributes.to ?? 0);
    if (!dtype || dtype === 'string' || input.dtype === 'string' || dtype === 'int4' || dtype === 'uint4') {
      return call.fail(`expected types of numbers, received ${input.dtype} to type ${call.attributes.to}`);
    }
    return [{ dtype, dims: input.dims }];
  },
  // Values on the tape are float32: nothing to do where they stay so.
  float: (call) => {
    const x = required(call.inputs, 0);
    return call.dtype === 'float32' ? call.tape.alias(x, call.dims, x.layout) : undefined;
  },
  forward: (call) => {
    return [castTo(required(call.inputs, 0), required(call.outputs, 0).dtype as Exclude<DType, 'string'>)];
  },
});
