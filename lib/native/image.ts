// Corruptions of images by native code: what the addon takes and the numbers it knows operations by.
import { addon } from './addon.js';

/** Sides and colours of images [images, height, width, channels]. */
export interface ImageGeometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The order of the list in native/image/corrupt.cpp. */
const KERNELS = [
  'gaussian_noise',
  'shot_noise',
  'impulse_noise',
  'defocus_blur',
  'glass_blur',
  'motion_blur',
  'zoom_blur',
  'snow',
  'frost',
  'fog',
  'brightness',
  'contrast',
  'elastic_transform',
  'pixelate',
  'jpeg_compression',
  'speckle_noise',
  'gaussian_blur',
  'spatter',
  'saturate',
  'rotation',
  'translation',
  'scaling',
  'shear',
  'linear',
  'occlusion',
] as const;
export type ImageKernel = (typeof KERNELS)[number];

/** The order of `RangeAttack` in native/image/corrupt.h. */
const RANGE_KERNELS = ['bright_pixel', 'bright_row', 'saturated_patch', 'outlier_channel', 'intensity_scale'] as const;
export type RangeKernel = (typeof RANGE_KERNELS)[number];

/** Sides that the operations take. */
export const LEAST_SIDE = 8;
export const MOST_SIDE = 4096;

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
  const kind = KERNELS.indexOf(kernel);
  addon.corrupt(kind, Float64Array.from(constants), images, height, width, channels, seed, x, y);
}

export interface RangeValues {
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
  const kind = RANGE_KERNELS.indexOf(kernel);
  addon.attackRange(kind, level, factor, shift, images, height, width, channels, seed, x, y);
}
