// Corruptions of images by native code: arguments and codes of the operations.
import { addon } from './addon.js';
import { CORRUPTION_KIND, RANGE_ATTACK } from './codes.js';

/** Sides and colours of images [images, height, width, channels]. */
interface ImageGeometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export type ImageKernel = keyof typeof CORRUPTION_KIND;
export type RangeKernel = keyof typeof RANGE_ATTACK;

/**
 * y: x with one corruption. x, y: bytes [images, height, width, channels], different memory, 1 or 3 channels. Each
 * image's random numbers come from `seed` and its own bytes. Throws InvalidArgumentError for constants out of bounds.
 */
export function corruptImages(
  kernel: ImageKernel,
  constants: readonly number[],
  geometry: ImageGeometry,
  seed: number,
  x: Uint8Array,
  y: Uint8Array,
): void {
  const { images, height, width, channels } = geometry;
  const kind = CORRUPTION_KIND[kernel];
  addon.corrupt(kind, Float64Array.from(constants), images, height, width, channels, seed, x, y);
}

interface RangeValues {
  /** What bright values become, [channels]. */
  readonly level: Float32Array;
  /** Scaled values become factor · x + shift, shift[channels]. */
  readonly factor: number;
  readonly shift: Float32Array;
}

/** y: x with a few values moved far out. x, y: float32 [images, height, width, channels], different memory. */
export function attackRange(
  kernel: RangeKernel,
  values: RangeValues,
  geometry: ImageGeometry,
  seed: number,
  x: Float32Array,
  y: Float32Array,
): void {
  const { level, factor, shift } = values;
  const { images, height, width, channels } = geometry;
  const kind = RANGE_ATTACK[kernel];
  addon.attackRange(kind, level, factor, shift, images, height, width, channels, seed, x, y);
}
