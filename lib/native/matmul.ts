// Dynamic matrix product on packed weights.

import { describe, InvalidArgumentError } from '../core/errors.js';
import type { Granularity } from '../format/granularity.js';
import { addon } from './addon.js';
import { matmulWeights, multiplyOnDevice, onDevice } from './cuda_products.js';
import type { Device } from './device_error.js';
import { PackedWeights } from './packed_weights.js';
import { type ArithmeticOptions, type EpilogueOptions, nativeEnd, productEnd } from './product_end.js';

export interface ActivationOptions extends ArithmeticOptions {
  /** Bits of an activation, 2–8: one number, or one for each row. Default 8. */
  readonly activationBits?: number | Uint8Array | undefined;
  /** What shares a range: each row (perSample, default, or perToken), or the whole tensor (perTensor). */
  readonly activationRange?: Granularity | undefined;
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

function requireFloat32(operation: string, argument: string, value: unknown): asserts value is Float32Array {
  if (!(value instanceof Float32Array)) {
    throw new InvalidArgumentError(operation, argument, 'Float32Array', describe(value));
  }
}

/**
 * y[m, n] = dequantize(quantize(x))[m, k] · W[n, k]ᵀ, + bias, + residual, clipped.
 *
 * Each row of x is quantized at run time, asymmetrically, from its minimum and maximum (zero included); at 8 bits
 * and `perTensor` that is ONNX DynamicQuantizeLinear bit for bit. Products are summed exactly in int32. A row's result
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
  const { device, rowScale, rowZeroPoint } = options;
  const end = productEnd('matmulDynamic', 'row', out, m * weights.n, options, {
    scale: rowScale,
    zeroPoint: rowZeroPoint,
  });
  if (!end.saturating16) {
    const there = onDevice('matmulDynamic', device, (cuda) => {
      const uploaded = matmulWeights(cuda, weights);
      multiplyOnDevice(cuda, 'matmulDynamic', 'row', x, end, (array, ...rest) =>
        cuda.addon.matmulDynamic(array, m, uploaded, ...rest),
      );
      return true;
    });
    if (there) return;
  }
  addon.matmulDynamic(x, m, weights.handle, ...nativeEnd(end));
}
