// The corruptions, transformations and range attacks by name, with what each severity means.
//
// The nineteen corruptions and all their constants: Hendrycks & Dietterich, "Benchmarking neural network robustness to
// common corruptions and perturbations" (ICLR 2019), as in the programs published with it that made CIFAR-10-C (images
// of 32×32), Tiny ImageNet-C (64×64) and ImageNet-C (224×224). Transformations and range attacks are ours.
import type { ImageKernel, RangeKernel } from '../native/image.js';

/** `noise` to `digital` are ImageNet-C's. */
export type CorruptionFamily = 'noise' | 'blur' | 'weather' | 'digital' | 'transformation' | 'range';

type Five<T> = readonly [T, T, T, T, T];
/** Constants of severities 1 to 5. */
type Severities = Five<readonly number[]>;

/** Constants of the three published sets, by the size of their images. */
interface BySize {
  readonly small: Severities;
  readonly medium: Severities;
  readonly large: Severities;
}

interface Published {
  readonly kind: 'published';
  readonly family: 'noise' | 'blur' | 'weather' | 'digital';
  /** One of the four that are not in the mean over the fifteen. */
  readonly extra?: true;
  readonly kernel: ImageKernel;
  readonly constants: BySize;
}

interface Transformation {
  readonly kind: 'transformation';
  readonly family: 'transformation';
  readonly kernel: ImageKernel;
  /** What a strength is. */
  readonly unit: string;
  readonly strengths: Five<number>;
  readonly constants: (strength: number) => readonly number[];
}

/** Acts on normalised inputs, which it takes out of the range of a pixel. */
interface Range {
  readonly kind: 'range';
  readonly family: 'transformation' | 'range';
  readonly kernel: RangeKernel;
  readonly unit: string;
  readonly strengths: Five<number>;
}

export type Definition = Published | Transformation | Range;

/** One constant a severity. */
const single = (...values: Five<number>): Severities => values.map((value) => [value]) as unknown as Severities;

/** CIFAR-10-C's and Tiny ImageNet-C's end of the enlargements, in steps of .01. */
const SMALL_ZOOMS: Severities = [
  [1.06, 0.01],
  [1.11, 0.01],
  [1.16, 0.01],
  [1.21, 0.01],
  [1.26, 0.01],
];

/** Strengths of the elastic transform are in sides of the image; ImageNet-C's were written for a side of 244. */
const IMAGENET_SIDE = 244 / 224;
const elastic = (...rows: Five<readonly [number, number, number]>): Severities =>
  rows.map((row) => row.map((value) => value * IMAGENET_SIDE)) as unknown as Severities;

/** The last constant of frost: pixels of the texture for one of the image. CIFAR-10-C shrank its pictures to a fifth. */
const frost = (step: number, ...rows: Five<readonly [number, number]>): Severities =>
  rows.map((row) => [...row, step]) as unknown as Severities;

const published = (
  family: Published['family'],
  kernel: ImageKernel,
  small: Severities,
  medium: Severities,
  large: Severities,
): Published => ({ kind: 'published', family, kernel, constants: { small, medium, large } });

const extra = (definition: Published): Published => ({ ...definition, extra: true });

const transformation = (
  kernel: ImageKernel,
  unit: string,
  strengths: Five<number>,
  constants: (strength: number) => readonly number[] = (strength) => [strength],
): Transformation => ({ kind: 'transformation', family: 'transformation', kernel, unit, strengths, constants });

/** Strengths of the attacks that brighten. */
const BRIGHT: Five<number> = [2, 4, 8, 16, 32];
const range = (kernel: RangeKernel, unit: string, family: Range['family'] = 'range', strengths = BRIGHT): Range => ({
  kind: 'range',
  family,
  kernel,
  unit,
  strengths,
});

export const DEFINITIONS = {
  gaussian_noise: published(
    'noise',
    'gaussian_noise',
    single(0.04, 0.06, 0.08, 0.09, 0.1),
    single(0.04, 0.08, 0.12, 0.15, 0.18),
    single(0.08, 0.12, 0.18, 0.26, 0.38),
  ),
  shot_noise: published(
    'noise',
    'shot_noise',
    single(500, 250, 100, 75, 50),
    single(250, 100, 50, 30, 15),
    single(60, 25, 12, 5, 3),
  ),
  impulse_noise: published(
    'noise',
    'impulse_noise',
    single(0.01, 0.02, 0.03, 0.05, 0.07),
    single(0.01, 0.02, 0.05, 0.08, 0.14),
    single(0.03, 0.06, 0.09, 0.17, 0.27),
  ),
  defocus_blur: published(
    'blur',
    'defocus_blur',
    [
      [0.3, 0.4],
      [0.4, 0.5],
      [0.5, 0.6],
      [1, 0.2],
      [1.5, 0.1],
    ],
    [
      [0.5, 0.6],
      [1, 0.1],
      [1.5, 0.1],
      [2.5, 0.01],
      [3, 0.1],
    ],
    [
      [3, 0.1],
      [4, 0.5],
      [6, 0.5],
      [8, 0.5],
      [10, 0.5],
    ],
  ),
  glass_blur: published(
    'blur',
    'glass_blur',
    [
      [0.05, 1, 1],
      [0.25, 1, 1],
      [0.4, 1, 1],
      [0.25, 1, 2],
      [0.4, 1, 2],
    ],
    [
      [0.1, 1, 1],
      [0.5, 1, 1],
      [0.6, 1, 2],
      [0.7, 2, 1],
      [0.9, 2, 2],
    ],
    [
      [0.7, 1, 2],
      [0.9, 2, 1],
      [1, 2, 3],
      [1.1, 3, 2],
      [1.5, 4, 2],
    ],
  ),
  motion_blur: published(
    'blur',
    'motion_blur',
    [
      [6, 1],
      [6, 1.5],
      [6, 2],
      [8, 2],
      [9, 2.5],
    ],
    [
      [10, 1],
      [10, 1.5],
      [10, 2],
      [10, 2.5],
      [12, 3],
    ],
    [
      [10, 3],
      [15, 5],
      [15, 8],
      [15, 12],
      [20, 15],
    ],
  ),
  zoom_blur: published('blur', 'zoom_blur', SMALL_ZOOMS, SMALL_ZOOMS, [
    [1.11, 0.01],
    [1.16, 0.01],
    [1.21, 0.02],
    [1.26, 0.02],
    [1.31, 0.03],
  ]),
  snow: published(
    'weather',
    'snow',
    [
      [0.1, 0.2, 1, 0.6, 8, 3, 0.95],
      [0.1, 0.2, 1, 0.5, 10, 4, 0.9],
      [0.15, 0.3, 1.75, 0.55, 10, 4, 0.9],
      [0.25, 0.3, 2.25, 0.6, 12, 6, 0.85],
      [0.3, 0.3, 1.25, 0.65, 14, 12, 0.8],
    ],
    [
      [0.1, 0.2, 1, 0.6, 8, 3, 0.8],
      [0.1, 0.2, 1, 0.5, 10, 4, 0.8],
      [0.15, 0.3, 1.75, 0.55, 10, 4, 0.7],
      [0.25, 0.3, 2.25, 0.6, 12, 6, 0.65],
      [0.3, 0.3, 1.25, 0.65, 14, 12, 0.6],
    ],
    [
      [0.1, 0.3, 3, 0.5, 10, 4, 0.8],
      [0.2, 0.3, 2, 0.5, 12, 4, 0.7],
      [0.55, 0.3, 4, 0.9, 12, 8, 0.7],
      [0.55, 0.3, 4.5, 0.85, 12, 8, 0.65],
      [0.55, 0.3, 2.5, 0.85, 12, 12, 0.55],
    ],
  ),
  frost: published(
    'weather',
    'frost',
    frost(5, [1, 0.2], [1, 0.3], [0.9, 0.4], [0.85, 0.4], [0.75, 0.45]),
    frost(10 / 3, [1, 0.3], [0.9, 0.4], [0.8, 0.45], [0.75, 0.5], [0.7, 0.55]),
    frost(1, [1, 0.4], [0.8, 0.6], [0.7, 0.7], [0.65, 0.7], [0.6, 0.75]),
  ),
  fog: published(
    'weather',
    'fog',
    [
      [0.2, 3],
      [0.5, 3],
      [0.75, 2.5],
      [1, 2],
      [1.5, 1.75],
    ],
    [
      [0.4, 3],
      [0.7, 3],
      [1, 2.5],
      [1.5, 2],
      [2, 1.75],
    ],
    [
      [1.5, 2],
      [2, 2],
      [2.5, 1.7],
      [2.5, 1.5],
      [3, 1.4],
    ],
  ),
  brightness: published(
    'weather',
    'brightness',
    single(0.05, 0.1, 0.15, 0.2, 0.3),
    single(0.1, 0.2, 0.3, 0.4, 0.5),
    single(0.1, 0.2, 0.3, 0.4, 0.5),
  ),
  contrast: published(
    'digital',
    'contrast',
    single(0.75, 0.5, 0.4, 0.3, 0.15),
    single(0.4, 0.3, 0.2, 0.1, 0.05),
    single(0.4, 0.3, 0.2, 0.1, 0.05),
  ),
  elastic_transform: published(
    'digital',
    'elastic_transform',
    [
      [0, 0, 0.08],
      [0.05, 0.2, 0.07],
      [0.08, 0.06, 0.06],
      [0.1, 0.04, 0.05],
      [0.1, 0.03, 0.03],
    ],
    [
      [0, 0, 0.08],
      [0.05, 0.3, 0.06],
      [0.1, 0.08, 0.06],
      [0.1, 0.03, 0.03],
      [0.16, 0.03, 0.02],
    ],
    elastic([2, 0.7, 0.1], [2, 0.08, 0.2], [0.05, 0.01, 0.02], [0.07, 0.01, 0.02], [0.12, 0.01, 0.02]),
  ),
  pixelate: published(
    'digital',
    'pixelate',
    single(0.95, 0.9, 0.85, 0.75, 0.65),
    single(0.9, 0.8, 0.7, 0.6, 0.5),
    single(0.6, 0.5, 0.4, 0.3, 0.25),
  ),
  jpeg_compression: published(
    'digital',
    'jpeg_compression',
    single(80, 65, 58, 50, 40),
    single(65, 58, 50, 40, 25),
    single(25, 18, 15, 10, 7),
  ),
  speckle_noise: extra(
    published(
      'noise',
      'speckle_noise',
      single(0.06, 0.1, 0.12, 0.16, 0.2),
      single(0.15, 0.2, 0.25, 0.3, 0.35),
      single(0.15, 0.2, 0.35, 0.45, 0.6),
    ),
  ),
  gaussian_blur: extra(
    published(
      'blur',
      'gaussian_blur',
      single(0.4, 0.6, 0.7, 0.8, 1),
      single(0.5, 0.75, 1, 1.25, 1.5),
      single(1, 2, 3, 4, 6),
    ),
  ),
  spatter: extra(
    published(
      'weather',
      'spatter',
      [
        [0.62, 0.1, 0.7, 0.7, 0.5, 0],
        [0.65, 0.1, 0.8, 0.7, 0.5, 0],
        [0.65, 0.3, 1, 0.69, 0.5, 0],
        [0.65, 0.1, 0.7, 0.69, 0.6, 1],
        [0.65, 0.1, 0.5, 0.68, 0.6, 1],
      ],
      [
        [0.62, 0.1, 0.7, 0.7, 0.6, 0],
        [0.65, 0.1, 0.8, 0.7, 0.6, 0],
        [0.65, 0.3, 1, 0.69, 0.6, 0],
        [0.65, 0.1, 0.7, 0.68, 0.6, 1],
        [0.65, 0.1, 0.5, 0.67, 0.6, 1],
      ],
      [
        [0.65, 0.3, 4, 0.69, 0.6, 0],
        [0.65, 0.3, 3, 0.68, 0.6, 0],
        [0.65, 0.3, 2, 0.68, 0.5, 0],
        [0.65, 0.3, 1, 0.65, 1.5, 1],
        [0.67, 0.4, 1, 0.65, 1.5, 1],
      ],
    ),
  ),
  saturate: extra(
    published(
      'digital',
      'saturate',
      [
        [0.3, 0],
        [0.1, 0],
        [1.5, 0],
        [2, 0.1],
        [2.5, 0.2],
      ],
      [
        [0.3, 0],
        [0.1, 0],
        [2, 0],
        [5, 0.1],
        [30, 0.2],
      ],
      [
        [0.3, 0],
        [0.1, 0],
        [2, 0],
        [5, 0.1],
        [20, 0.2],
      ],
    ),
  ),
  rotation: transformation('rotation', 'degrees, to either side', [5, 10, 15, 20, 30]),
  translation: transformation(
    'translation',
    'share of the side, in one of eight directions',
    [0.05, 0.1, 0.15, 0.2, 0.25],
  ),
  scaling: transformation('scaling', 'larger or smaller by 1 + strength', [0.05, 0.1, 0.2, 0.3, 0.5]),
  shear: transformation('shear', 'pixels a pixel, along either axis', [0.05, 0.1, 0.2, 0.3, 0.4]),
  linear_contrast: transformation(
    'linear',
    'contrast about the middle grey times or divided by 1 + strength',
    [0.1, 0.25, 0.5, 1, 2],
    (strength) => [1 + strength, -strength / 2, 1 / (1 + strength), strength / (2 + 2 * strength)],
  ),
  linear_brightness: transformation(
    'linear',
    'share of white added or taken away',
    [0.05, 0.1, 0.15, 0.2, 0.3],
    (strength) => [1, strength, 1, -strength],
  ),
  intensity_scale: range(
    'intensity_scale',
    'factor of every pixel, beyond white',
    'transformation',
    [1.25, 1.5, 2, 3, 4],
  ),
  inversion: transformation('linear', 'white − pixel, the same at every severity', [1, 1, 1, 1, 1], (strength) => [
    1 - 2 * strength,
    strength,
    1 - 2 * strength,
    strength,
  ]),
  occlusion: transformation('occlusion', 'share of the image under a black square', [0.05, 0.1, 0.15, 0.25, 0.4]),
  bright_pixel: range('bright_pixel', 'one pixel that many times as bright as white'),
  bright_row: range('bright_row', 'one row that many times as bright as white'),
  saturated_patch: range('saturated_patch', 'an eighth of both sides that many times as bright as white'),
  outlier_channel: range('outlier_channel', 'factor of one input channel'),
} as const satisfies Record<string, Definition>;

/** A corruption that `corrupt` makes. */
export type CorruptionName = keyof typeof DEFINITIONS;
