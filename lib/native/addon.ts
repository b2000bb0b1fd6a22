// Loads the native addon, once, and gives it types. Nothing else in the project touches the binary.
import { createRequire } from 'node:module';
import { InvalidArgumentError } from '../core/errors.js';
import { packageRoot } from '../core/package_root.js';
import { ABI_VERSION } from './codes.js';
import type { FloatAddon } from './float_addon.js';
import type { ParamView } from './granularity.js';
import type { ImageAddon } from './image_addon.js';

/** A packed matrix in native memory. */
export interface NativePackedWeights {
  dispose(): void;
  bytes(): number;
  codes(): Int8Array;
  scales(): Float32Array;
}

/** A packed convolution in native memory. */
export type NativePackedConvWeights = NativePackedWeights;

/** The addon's description of the machine; see lib/native/inspect.ts. */
interface NativeInspection {
  cpu: string;
  isas: { name: string; compiled: boolean; available: boolean }[];
  isa: string;
  isaError: string | undefined;
  threads: number;
  mostThreads: number;
  affinity: number;
  quota: number;
  onednn: string | undefined;
  caches: { l1d: number; l2: number; l3: number; line: number };
}

/** The running sums of an error profile. */
export interface NativeErrorProfile {
  add(x: Float32Array, geometry: Int32Array, operation: string): void;
  read(): {
    outputs: number;
    sums: Float64Array;
    saturations: Float64Array;
    activations: Float64Array;
    activationHistogram: Float64Array;
    weightRoundingSquared: Float64Array;
    weightSmallest: Int32Array;
    weightLargest: Int32Array;
    weightHistogram: Float64Array;
  };
  dispose(): void;
}

type ActivationBits = number | Uint8Array;
type CodeArray = Uint8Array | Int8Array | Uint16Array | Int16Array;

type Bytes = Uint8Array | Int8Array;

/** The first arguments of the ONNX integer products; see native/binding/onnx_integer.cpp. */
export type NativeMatmul = [
  a: Bytes,
  aBatches: number,
  m: number,
  aZeroPoint: Int32Array | undefined,
  b: NativeIntegerOperand,
  products: Int32Array,
];

/** A packed right operand in native memory. */
export interface NativeIntegerOperand {
  dispose(): void;
  bytes(): number;
}

/** How a dynamic product ends; scale and zero point are filled in, one a row or sample. */
export type NativeEnd = [
  out: Float32Array | Int32Array,
  activationBits: ActivationBits,
  perTensor: boolean,
  bias: Float32Array | undefined,
  residual: Float32Array | undefined,
  clipMin: number,
  clipMax: number,
  scale: Float32Array | undefined,
  zeroPoint: Int32Array | undefined,
  saturating16: boolean,
  saturations: Float64Array | undefined,
];

/** The addon's exports. Arguments are positional: reading option objects in C++ would cost more than a small product. */
interface NativeAddon extends FloatAddon, ImageAddon {
  abiVersion: number;
  setErrorClass(errorClass: typeof InvalidArgumentError): void;
  setThreads(count: number): void;
  threads(): number;
  inspect(): NativeInspection;
  /** False when another open file has the lock. */
  lockFile(descriptor: number): boolean;
  PackedWeights: new (
    weights: Float32Array | Int8Array,
    n: number,
    k: number,
    bits: number,
    int4: boolean,
    blockSize: number,
    scales: Float32Array | undefined,
    reduceRange?: boolean,
  ) => NativePackedWeights;
  PackedConvWeights: new (
    weights: Float32Array | Int8Array,
    outChannels: number,
    kernelH: number,
    kernelW: number,
    groupChannels: number,
    groups: number,
    bits: number,
    int4: boolean,
    blockSize: number,
    scales: Float32Array | undefined,
    reduceRange?: boolean,
  ) => NativePackedConvWeights;
  ErrorProfile: new (
    weights: Float32Array,
    outChannels: number,
    kernelH: number,
    kernelW: number,
    groupChannels: number,
    groups: number,
    weightBits: number,
    blockSize: number,
    reduceRange: boolean,
    activationBits: number,
    range: number,
    min: number,
    max: number,
    saturating16: boolean,
  ) => NativeErrorProfile;
  conv2dDynamic(x: Float32Array, geometry: Int32Array, weights: NativePackedConvWeights, ...end: NativeEnd): void;
  matmulDynamic(x: Float32Array, m: number, weights: NativePackedWeights, ...end: NativeEnd): void;
  matmulU8(
    a: Uint8Array,
    m: number,
    weights: NativePackedWeights,
    zeroPoint: Int32Array | undefined,
    acc: Int32Array,
  ): void;
  chooseQParams(
    x: Float32Array,
    ...rest: [
      ...view: ParamView,
      rowLength: number,
      bits: number | Uint8Array,
      symmetric: boolean,
      signed: boolean,
      scale: Float32Array,
      zeroPoint: Int32Array,
    ]
  ): void;
  quantize(
    x: Float32Array,
    ...rest: [
      ...view: ParamView,
      rowLength: number,
      scale: Float32Array,
      zeroPoint: Int32Array | undefined,
      bits: number | Uint8Array,
      symmetric: boolean,
      signed: boolean,
      out: Uint8Array | Int8Array,
    ]
  ): void;
  quantizeLinear(
    x: Float32Array,
    ...rest: [
      ...view: ParamView,
      rowLength: number,
      scale: Float32Array,
      zeroPoint: Int32Array | undefined,
      bits: number,
      y: CodeArray,
    ]
  ): void;
  dequantize(
    codes: CodeArray | Int32Array,
    ...rest: [...view: ParamView, scale: Float32Array, zeroPoint: Int32Array | undefined, out: Float32Array]
  ): void;
  IntegerOperand: new (codes: Bytes, zeroPoint: Int32Array | undefined, shape: Int32Array) => NativeIntegerOperand;
  matMulInteger(...args: [...NativeMatmul, y: Int32Array]): void;
  qLinearMatMul(
    ...args: [
      ...NativeMatmul,
      aScale: Float32Array,
      bScale: Float32Array,
      yScale: Float32Array,
      yZeroPoint: Int32Array,
      y: Bytes,
    ]
  ): void;
  convInteger(
    shape: Int32Array,
    x: Bytes,
    xZeroPoint: Int32Array | undefined,
    w: NativeIntegerOperand,
    y: Int32Array,
  ): void;
  qLinearConv(
    shape: Int32Array,
    x: Bytes,
    xZeroPoint: Int32Array,
    w: NativeIntegerOperand,
    xScale: Float32Array,
    wScale: Float32Array,
    yScale: Float32Array,
    yZeroPoint: Int32Array,
    bias: Int32Array | undefined,
    y: Bytes,
  ): void;
}

/** The error of the package `bindings` lists the places where it looked, but not how to build. */
function located(find: () => NativeAddon): NativeAddon {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof Error && 'tries' in error)) throw error;
    const build = 'npx cmake-js build --out build';
    throw new Error(`faultline: the native addon is not built: run \`${build}\` in ${packageRoot()}`);
  }
}

function load(): NativeAddon {
  const bindings = createRequire(import.meta.url)('bindings') as typeof import('bindings');
  const loaded = located(() => bindings({ bindings: 'faultline.node', module_root: packageRoot() }) as NativeAddon);
  if (loaded.abiVersion !== ABI_VERSION) {
    throw new Error(
      `faultline: expected the native addon in version ${ABI_VERSION}, received ${loaded.abiVersion}: run \`npm run build\``,
    );
  }
  loaded.setErrorClass(InvalidArgumentError);
  return loaded;
}

export const addon: NativeAddon = load();
