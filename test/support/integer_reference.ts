// The ONNX integer products in plain numbers, from their definitions.
import type { ConvAttributes } from '../../lib/native/onnx_conv_geometry.js';
import { type ByteTensor, onnxTensor } from '../../lib/native/onnx_tensor.js';
import type { Random } from '../../lib/tensor/random.js';

export const BYTE_TYPES = ['uint8', 'int8'] as const;
/** Types of a left and a right operand. */
export const PAIRS = BYTE_TYPES.flatMap((a) => BYTE_TYPES.map((b) => [a, b] as const));

/** Codes from the whole range of a type. */
export function bytes(random: Random, dtype: 'uint8' | 'int8', dims: readonly number[]): ByteTensor {
  const low = dtype === 'uint8' ? 0 : -128;
  const tensor = onnxTensor(dtype, dims);
  tensor.data.forEach((_, i) => {
    tensor.data[i] = low + random.integer(256);
  });
  return tensor as ByteTensor;
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** saturate(round(float(acc) · fl(fl(a · b) / y)) + zero). */
export function requantized(acc: number, a: number, b: number, y: number, zero: number, dtype: string): number {
  const multiplier = Math.fround(Math.fround(a * b) / y);
  const code = roundHalfEven(Math.fround(Math.fround(acc) * multiplier)) + zero;
  return dtype === 'uint8' ? Math.min(255, Math.max(0, code)) : Math.min(127, Math.max(-128, code));
}

/** Parameter i, or the only one. */
export const at = (values: ArrayLike<number>, i: number) => values[values.length === 1 ? 0 : i] as number;

/** Σ_k (A − za[row]) · (B − zb[column]) of one matrix each. */
export function referenceMatmul(
  a: ByteTensor,
  b: ByteTensor,
  za: ArrayLike<number>,
  zb: ArrayLike<number>,
): Int32Array {
  const [m, k] = a.dims as [number, number];
  const n = b.dims[1] as number;
  return Int32Array.from({ length: m * n }, (_, index) => {
    const [row, column] = [Math.floor(index / n), index % n];
    let sum = 0;
    for (let i = 0; i < k; i++) {
      sum += ((a.data[row * k + i] as number) - at(za, row)) * ((b.data[i * n + column] as number) - at(zb, column));
    }
    return sum;
  });
}

/** Σ over the window, from the definition; x [N, C, H, W], pads [top, left, bottom, right]. */
export function referenceConv(
  x: ByteTensor,
  w: ByteTensor,
  zx: number,
  zw: ArrayLike<number>,
  how: Required<ConvAttributes>,
) {
  const [n, c, h, width] = x.dims as [number, number, number, number];
  const [channels, groupC, kh, kw] = w.dims as [number, number, number, number];
  const [top, left, bottom, right] = how.pads as [number, number, number, number];
  const [sh, sw] = how.strides as [number, number];
  const [dh, dw] = how.dilations as [number, number];
  const outH = Math.floor((h + top + bottom - (kh - 1) * dh - 1) / sh) + 1;
  const outW = Math.floor((width + left + right - (kw - 1) * dw - 1) / sw) + 1;
  const acc: number[] = [];
  for (let image = 0; image < n; image++) {
    for (let oc = 0; oc < channels; oc++) {
      const firstC = Math.floor(oc / (channels / how.group)) * groupC;
      for (let oy = 0; oy < outH; oy++) {
        for (let ox = 0; ox < outW; ox++) {
          let sum = 0;
          for (let tap = 0; tap < groupC * kh * kw; tap++) {
            const [ci, ky, kx] = [Math.floor(tap / (kh * kw)), Math.floor(tap / kw) % kh, tap % kw];
            const [y, z] = [oy * sh + ky * dh - top, ox * sw + kx * dw - left];
            if (y < 0 || y >= h || z < 0 || z >= width) continue;
            const value = x.data[((image * c + firstC + ci) * h + y) * width + z] as number;
            sum += (value - zx) * ((w.data[oc * groupC * kh * kw + tap] as number) - at(zw, oc));
          }
          acc.push(sum);
        }
      }
    }
  }
  return { dims: [n, channels, outH, outW], acc: Int32Array.from(acc) };
}
