// Dynamic products on the device: packed weights uploaded once, and single products whose operands are the host's.

import { InvalidArgumentError } from '../core/errors.js';
import type { Granularity } from '../format/granularity.js';
import {
  type Cuda,
  chooseDevice,
  type NativeDeviceArray,
  type NativeDeviceWeights,
  type NativeProductEnd,
  requestedDevice,
} from './cuda_addon.js';
import { type Device, DeviceError } from './device_error.js';
import type { ProductEnd } from './product_end.js';

/** Packed weights as the upload reads them. */
interface Packed {
  readonly storage: 'int8' | 'int4';
  readonly granularity: Granularity;
  /** [channels, …] */
  codes(): Int8Array;
  /** [scale groups, channels] */
  scales(): Float32Array;
}

const uploaded = new WeakMap<object, NativeDeviceWeights>();

function upload(weights: Packed, make: () => NativeDeviceWeights): NativeDeviceWeights {
  const before = uploaded.get(weights);
  if (before) return before;
  const made = make();
  uploaded.set(weights, made);
  return made;
}

function blockSize({ granularity }: Packed): number {
  return granularity.kind === 'perGroup' ? granularity.blockSize : 0;
}

/** The weights on the device, uploaded at the first call. */
export function matmulWeights(
  { addon }: Cuda,
  weights: Packed & { readonly n: number; readonly k: number },
): NativeDeviceWeights {
  const { n, k, storage } = weights;
  return upload(
    weights,
    () => new addon.DeviceWeights(weights.codes(), weights.scales(), storage === 'int4', blockSize(weights), n, k),
  );
}

/** The same for a convolution; undefined for scales by block, for which the device has no kernel. */
export function convWeights(
  { addon }: Cuda,
  weights: Packed & { readonly shape: readonly [number, number, number, number]; readonly groups: number },
): NativeDeviceWeights | undefined {
  const { shape, groups, storage } = weights;
  if (blockSize(weights) > 0) return undefined;
  const [channels, ...kernel] = shape;
  const int4 = storage === 'int4';
  return upload(
    weights,
    () => new addon.DeviceWeights(weights.codes(), weights.scales(), int4, 0, channels, ...kernel, groups),
  );
}

/** Frees the device's copy of weights; they may be uploaded again. */
export function forgetWeights(weights: object): void {
  uploaded.get(weights)?.dispose();
  uploaded.delete(weights);
}

/** Clears the mark of NaN and infinity; see FaultMark in native/cuda/quantize_kernels.h. */
export const NO_FAULT = Int32Array.of(-1, -1);

/** The first product of `fault` that read NaN or infinity, and its row or sample. Waits for the device. */
export function readFault(fault: NativeDeviceArray): { call: number; unit: number } | undefined {
  const word = new Int32Array(2);
  fault.read(word);
  const [unit = 0, call = 0] = word;
  return unit === -1 && call === -1 ? undefined : { call, unit };
}

/** The device's result where a device is requested; undefined: use the processor, also after a failure with `auto`. */
export function onDevice<Result>(
  operation: string,
  device: Device | undefined,
  compute: (cuda: Cuda) => Result | undefined,
): Result | undefined {
  try {
    const cuda = chooseDevice(operation, device);
    return cuda && compute(cuda);
  } catch (error) {
    if (error instanceof DeviceError && requestedDevice(operation, device) === 'auto') return undefined;
    throw error;
  }
}

/** One product from the host's arrays to the host's arrays. `unit`: what one range covers, for errors. */
export function multiplyOnDevice(
  { addon }: Cuda,
  operation: string,
  unit: 'row' | 'sample',
  x: Float32Array,
  end: ProductEnd,
  multiply: (x: NativeDeviceArray, ...end: NativeProductEnd) => void,
): void {
  const arrays: NativeDeviceArray[] = [];
  const take = (count: number): NativeDeviceArray => {
    const array = new addon.DeviceArray(count);
    arrays.push(array);
    return array;
  };
  const send = (values: Float32Array | Int32Array): NativeDeviceArray => {
    const array = take(values.length);
    array.write(values);
    return array;
  };
  try {
    const { out, bias, residual } = end;
    const [to, fault] = [take(out.length), send(NO_FAULT)];
    multiply(
      send(x),
      to,
      end.activationBits,
      end.perTensor,
      bias && send(bias),
      residual && send(residual),
      ...end.clip,
      out instanceof Int32Array,
      end.scale,
      end.zeroPoint,
      fault,
      0,
    );
    const bad = readFault(fault);
    if (bad) throw new InvalidArgumentError(operation, 'x', 'finite values', `NaN or infinity in ${unit} ${bad.unit}`);
    to.read(out.subarray(0, end.outputs));
  } finally {
    for (const array of arrays) array.dispose();
  }
}
