// Loads the CUDA addon once, when the device is first requested, and types it. The one place that chooses a device.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, InvalidArgumentError } from '../core/errors.js';
import { packageRoot } from '../core/package_root.js';
import { CUDA_ABI_VERSION } from './codes.js';
import { type Device, DeviceError } from './device_error.js';

/** Four-byte elements in device memory. */
export interface NativeDeviceArray {
  /** The first elements become these. */
  write(values: Float32Array | Int32Array): void;
  /** Waits for the device, then copies the first elements. */
  read(values: Float32Array | Int32Array): void;
  /** Every element becomes 0. */
  clear(): void;
  dispose(): void;
}

export interface NativeDeviceWeights {
  bytes(): number;
  dispose(): void;
}

/** What follows a product; see native/binding/cuda_operations.cpp. */
export type NativeProductEnd = [
  out: NativeDeviceArray,
  activationBits: number | Uint8Array,
  perTensor: boolean,
  bias: NativeDeviceArray | undefined,
  residual: NativeDeviceArray | undefined,
  clipMin: number,
  clipMax: number,
  /** int32 accumulators in place of floats. */
  integers: boolean,
  scale: Float32Array | undefined,
  zeroPoint: Int32Array | undefined,
  fault: NativeDeviceArray,
  call: number,
];

/** Description of an open device. */
export interface DeviceInfo {
  readonly name: string;
  /** `9.0` is sm_90. */
  readonly computeCapability: string;
  readonly multiprocessors: number;
  /** Total device memory. */
  readonly bytes: number;
  /** Newest CUDA that the driver knows. */
  readonly driver: string;
  /** CUDA that the addon was built with. */
  readonly runtime: string;
}

interface DeviceMemoryUse {
  readonly free: number;
  /** Of the device, by this process's addon. */
  readonly held: number;
  /** Of these, in use. */
  readonly inUse: number;
}

interface NativeCuda {
  abiVersion: number;
  setErrorClasses(invalidArgument: typeof InvalidArgumentError, device: typeof DeviceError): void;
  open(): DeviceInfo;
  DeviceArray: new (count: number) => NativeDeviceArray;
  DeviceWeights: new (
    codes: Int8Array,
    scales: Float32Array,
    int4: boolean,
    blockSize: number,
    channels: number,
    ...k: [k: number] | [kernelH: number, kernelW: number, groupChannels: number, groups: number]
  ) => NativeDeviceWeights;
  matmulDynamic(x: NativeDeviceArray, m: number, weights: NativeDeviceWeights, ...end: NativeProductEnd): void;
  conv2dDynamic(
    x: NativeDeviceArray,
    geometry: Int32Array,
    weights: NativeDeviceWeights,
    ...end: NativeProductEnd
  ): void;
  unary(fn: number, p: number, q: number, count: number, x: NativeDeviceArray, y: NativeDeviceArray): void;
  binary(fn: number, walk: Int32Array, a: NativeDeviceArray, b: NativeDeviceArray, y: NativeDeviceArray): void;
  copy(walk: Int32Array, x: NativeDeviceArray, y: NativeDeviceArray): void;
  pool(kind: number, geometry: Int32Array, x: NativeDeviceArray, y: NativeDeviceArray): void;
  score(
    logits: NativeDeviceArray,
    rows: number,
    classes: number,
    labels: NativeDeviceArray | undefined,
    reference: NativeDeviceArray | undefined,
    counts: NativeDeviceArray,
    at: number,
  ): void;
  wait(): void;
  memory(): DeviceMemoryUse;
}

const BUILT = ['build-cuda', 'Release', 'faultline_cuda.node'] as const;

/** An open device. */
export interface Cuda {
  /** @internal */
  readonly addon: NativeCuda;
  readonly info: DeviceInfo;
}

let opened: Cuda | undefined;

/** The device, opened at the first call. Throws DeviceError. `FAULTLINE_CUDA_ADDON` names another file of the addon. */
export function openCuda(): Cuda {
  if (opened) return opened;
  const path = process.env.FAULTLINE_CUDA_ADDON || join(packageRoot(), ...BUILT);
  if (!existsSync(path)) {
    throw new DeviceError(
      'not-built',
      `expected the CUDA addon, received no ${path}: run \`npm run build:cuda\` (needs nvcc)`,
    );
  }
  let addon: NativeCuda;
  try {
    addon = createRequire(import.meta.url)(path) as NativeCuda;
  } catch (error) {
    throw new DeviceError('stale-build', `expected an addon for this machine, received ${(error as Error).message}`);
  }
  if (addon.abiVersion !== CUDA_ABI_VERSION) {
    const versions = `expected the CUDA addon in version ${CUDA_ABI_VERSION}, received ${addon.abiVersion}`;
    throw new DeviceError('stale-build', `${versions}: run \`npm run build:cuda\``);
  }
  addon.setErrorClasses(InvalidArgumentError, DeviceError);
  opened = { addon, info: addon.open() };
  return opened;
}

const DEVICES: readonly Device[] = ['cpu', 'cuda', 'auto'];
/** Read once: a small product takes less time than asking the environment. */
const DEFAULT_DEVICE = process.env.FAULTLINE_DEVICE || 'cpu';

/** The device requested by the caller, else by `FAULTLINE_DEVICE`, else the processor. */
export function requestedDevice(operation: string, device: Device | undefined): Device {
  const requested = device ?? DEFAULT_DEVICE;
  if (requested === 'cpu') return 'cpu';
  if (!DEVICES.includes(requested as Device)) {
    const argument = device === undefined ? 'FAULTLINE_DEVICE' : 'device';
    throw new InvalidArgumentError(operation, argument, '"cpu", "cuda" or "auto"', describe(requested));
  }
  return requested as Device;
}

/** The requested device, open, or undefined for the processor. Throws DeviceError, for `auto` too: see onDevice. */
export function chooseDevice(operation: string, device: Device | undefined): Cuda | undefined {
  return requestedDevice(operation, device) === 'cpu' ? undefined : openCuda();
}
