// Dynamic matrix product on packed weights.
import { addon } from './addon.js';
import { matmulWeights, multiplyOnDevice, onDevice } from './cuda_products.js';
import type { Device } from './device_error.js';
import { describe, InvalidArgumentError } from './errors.js';
import { PackedWeights } from './packed_weights.js';

/** What happens to a float output after dequantization, in this order: + bias, + residual, clip. */
export interface EpilogueOptions {
  /** [n] */
  readonly bias?: Float32Array | undefined;
  /** Same shape as the output. */
  readonly residual?: Float32Array | undefined;
  /** [min, max]; `[0, Infinity]` is ReLU, `[0, 6]` ReLU6. */
  readonly clip?: readonly [number, number] | undefined;
}

/** How products are summed. */
export interface ArithmeticOptions {
  /**
   * `"exact"` (default): every product summed in int32, as VNNI, AMX and NEON do.
   *
   * `"saturating16"`: bit for bit what an x86 server without VNNI computes with `vpmaddubsw`: pairs of products along k,
   * (0, 1), (2, 3), …, summed and saturated to 16 bits, then summed exactly. It is the arithmetic of the u8·s8 kernels
   * of ONNX Runtime and oneDNN for AVX2 and AVX-512 without VNNI (both take k in quads from 0, two pairs a quad).
   * The zero point is subtracted afterwards, from the sum of the weights, as they do.
   */
  readonly arithmetic?: 'exact' | 'saturating16' | undefined;
  /** With `"saturating16"`: raised by the number of saturated pairs of each output channel, [n]. */
  readonly saturations?: Float64Array | undefined;
}

export interface ActivationOptions extends ArithmeticOptions {
  /** Bits of an activation, 2–8: one number, or one for each row. Default 8. */
  readonly activationBits?: number | Uint8Array | undefined;
  /** What shares a range: each row (default), or the whole tensor. */
  readonly activationRange?: 'perRow' | 'perTensor' | undefined;
  /** Filled with the scale each row was quantized with, [m]. */
  readonly rowScale?: Float32Array | undefined;
  /** Filled with the zero point of each row, [m]. */
  readonly rowZeroPoint?: Int32Array | undefined;
  /**
   * Where; the bits are the same, and what only the processor has (`saturating16`, convolutions with scales by block) is
   * done there. `cuda` throws DeviceError where there is no GPU, `auto` takes the processor then. Default:
   * `FAULTLINE_DEVICE`, else the processor.
   */
  readonly device?: Device | undefined;
}

export interface MatmulDynamicOptions extends EpilogueOptions, ActivationOptions {
  /** [m, n]; allocated when absent. May not overlap x. */
  readonly out?: Float32Array | undefined;
}

const NO_OPTIONS: MatmulDynamicOptions = {};

function rowsOf(operation: string, x: ArrayBufferView & { length: number }, weights: PackedWeights): number {
  if (!(weights instanceof PackedWeights)) {
    throw new InvalidArgumentError(operation, 'weights', 'PackedWeights', describe(weights));
  }
  const m = x.length / weights.k;
  if (!Number.isInteger(m)) {
    throw new InvalidArgumentError(operation, 'x', `a multiple of k = ${weights.k} elements`, String(x.length));
  }
  return m;
}

/** @internal */
export function checkArithmetic(operation: string, { arithmetic = 'exact', saturations }: ArithmeticOptions): void {
  if (arithmetic !== 'exact' && arithmetic !== 'saturating16') {
    throw new InvalidArgumentError(operation, 'arithmetic', '"exact" or "saturating16"', describe(arithmetic));
  }
  if (saturations !== undefined && arithmetic === 'exact') {
    throw new InvalidArgumentError(operation, 'saturations', 'arithmetic: "saturating16"', '"exact"');
  }
}

function requireFloat32(operation: string, argument: string, value: unknown): asserts value is Float32Array {
  if (!(value instanceof Float32Array)) {
    throw new InvalidArgumentError(operation, argument, 'Float32Array', describe(value));
  }
}

/**
 * y[m, n] = dequantize(quantize(x))[m, k] · W[n, k]ᵀ, + bias, + residual, clipped.
 *
 * Each row of x is quantized at run time, asymmetrically, from its own minimum and maximum (zero included); at 8 bits
 * and `"perTensor"` that is ONNX DynamicQuantizeLinear bit for bit. Products are summed exactly in int32. A row's result
 * never depends on the other rows, and is the same on every processor.
 *
 * Throws InvalidArgumentError on wrong lengths and on NaN or infinity in x (naming the row).
 */
export function matmulDynamic(
  x: Float32Array,
  weights: PackedWeights,
  options: MatmulDynamicOptions = NO_OPTIONS,
): Float32Array {
  requireFloat32('matmulDynamic', 'x', x);
  const m = rowsOf('matmulDynamic', x, weights);
  const out = options.out ?? new Float32Array(m * weights.n);
  multiply(x, m, weights, out, options);
  return out;
}

/** The integers inside matmulDynamic: acc[m, n] = Σ_k (q[m, k] − zeroPoint[m]) · W[n, k], exact. */
export function matmulDynamicAccumulators(
  x: Float32Array,
  weights: PackedWeights,
  options: ActivationOptions & { readonly out?: Int32Array } = {},
): Int32Array {
  requireFloat32('matmulDynamicAccumulators', 'x', x);
  const m = rowsOf('matmulDynamicAccumulators', x, weights);
  const { out = new Int32Array(m * weights.n), ...activation } = options;
  multiply(x, m, weights, out, activation);
  return out;
}

function multiply(
  x: Float32Array,
  m: number,
  weights: PackedWeights,
  out: Float32Array | Int32Array,
  options: EpilogueOptions & ActivationOptions,
): void {
  const clip = options.clip;
  if (clip !== undefined && !(clip[0] <= clip[1])) {
    throw new InvalidArgumentError('matmulDynamic', 'clip', '[min, max] with min ≤ max', JSON.stringify(clip));
  }
  checkArithmetic('matmulDynamic', options);
  if (options.arithmetic !== 'saturating16') {
    const there = onDevice('matmulDynamic', options.device, (cuda) => {
      const uploaded = matmulWeights(cuda, weights);
      const end = {
        out,
        outputs: m * weights.n,
        activationBits: options.activationBits ?? 8,
        perTensor: options.activationRange === 'perTensor',
        bias: options.bias,
        residual: options.residual,
        clip,
        scale: options.rowScale,
        zeroPoint: options.rowZeroPoint,
      };
      multiplyOnDevice(cuda, 'matmulDynamic', 'row', x, end, (array, ...rest) =>
        cuda.addon.matmulDynamic(array, m, uploaded, ...rest),
      );
      return true;
    });
    if (there) return;
  }
  addon.matmulDynamic(
    x,
    m,
    weights.handle,
    out,
    options.activationBits ?? 8,
    options.activationRange === 'perTensor',
    options.bias,
    options.residual,
    clip === undefined ? Number.NEGATIVE_INFINITY : clip[0],
    clip === undefined ? Number.POSITIVE_INFINITY : clip[1],
    options.rowScale,
    options.rowZeroPoint,
    options.arithmetic === 'saturating16',
    options.saturations,
  );
}
