// Corrupts images: ImageNet-C's and CIFAR-10-C's corruptions, transformations, or a few values far outside the range
// that a network was trained on. Severities are in corruption_list.ts.
//
// Deterministic: an image's random numbers come from the seed and from the image itself, so a set corrupted whole, in
// parts, in another order or by other numbers of threads gives the same images. Severities share their random numbers
// wherever the published constants allow, which makes them comparable image by image.
import { setImmediate } from 'node:timers/promises';
import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { LEAST_SIDE, MOST_SIDE } from '../native/codes.js';
import { attackRange, corruptImages } from '../native/image.js';
import { type CorruptionFamily, type CorruptionName, DEFINITIONS, type Definition } from './corruption_list.js';
import { type ImageSet, imageSize, type Normalization } from './image_set.js';
import { Loader } from './loader.js';

export type { CorruptionFamily, CorruptionName } from './corruption_list.js';

/** Every corruption that `corrupt` makes. */
export const CORRUPTION_NAMES = Object.keys(DEFINITIONS) as readonly CorruptionName[];

/** The families in which corruptions come. */
export const CORRUPTION_FAMILIES: readonly CorruptionFamily[] = [
  'noise',
  'blur',
  'weather',
  'digital',
  'transformation',
  'range',
];

/** ImageNet-C's severities. */
export const SEVERITIES = [1, 2, 3, 4, 5] as const;

/** From 1, hardly seen, to 5. */
export type Severity = (typeof SEVERITIES)[number];

/** A severity, or for what has one number, that number. */
export type CorruptionLevel = Severity | { readonly strength: number };

/** What is known of a corruption. */
export interface CorruptionInfo {
  readonly name: CorruptionName;
  readonly family: CorruptionFamily;
  /** One of the fifteen that ImageNet-C's mean corruption error is over. */
  readonly benchmark: boolean;
  /** What `strength` is, for transformations and range attacks, and its values at severities 1 to 5. */
  readonly strength: { readonly unit: string; readonly severities: readonly number[] } | undefined;
  /** Gives normalised inputs, float32, instead of bytes: its values are no pixels any more. */
  readonly givesInputs: boolean;
}

const definitionOf = (name: CorruptionName): Definition => {
  const definition = Object.hasOwn(DEFINITIONS, name) ? DEFINITIONS[name] : undefined;
  if (definition) return definition;
  throw new InvalidArgumentError('corrupt', 'name', CORRUPTION_NAMES.join(', '), describe(name));
};

/** What a corruption is. Throws InvalidArgumentError for other names. */
export function corruptionInfo(name: CorruptionName): CorruptionInfo {
  const definition = definitionOf(name);
  const { kind, family } = definition;
  return {
    name,
    family,
    benchmark: kind === 'published' && !definition.extra,
    strength: kind === 'published' ? undefined : { unit: definition.unit, severities: definition.strengths },
    givesInputs: kind === 'range',
  };
}

/** Sides up to which CIFAR-10-C's constants are used, then up to which Tiny ImageNet-C's: halfway to the next set's. */
const SMALL_SIDE = 45;
const MEDIUM_SIDE = 120;

/** Whose constants images of this size get. */
export function constantsFor({ height, width }: Pick<ImageSet, 'height' | 'width'>): 'small' | 'medium' | 'large' {
  const side = Math.min(height, width);
  if (side <= SMALL_SIDE) return 'small';
  return side <= MEDIUM_SIDE ? 'medium' : 'large';
}

/** What a corruption needs beside images. */
export interface CorruptOptions {
  /** Of everything random. Default 0. */
  readonly seed?: number | undefined;
  /** The network's; for what gives inputs (range attacks, intensity_scale). */
  readonly normalization?: Normalization | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Images done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Values between two looks at the clock: a second of the slowest corruption, at most. */
const CHUNK_VALUES = 2 ** 21;

function checkSet(set: ImageSet): void {
  const { height, width, channels } = set;
  const fits = Math.min(height, width) >= LEAST_SIDE && Math.max(height, width) <= MOST_SIDE;
  if (fits && (channels === 1 || channels === 3)) return;
  const expected = `sides from ${LEAST_SIDE} to ${MOST_SIDE} and 1 or 3 channels`;
  throw new InvalidArgumentError('corrupt', 'set', expected, `${height}×${width}×${channels}`);
}

/** The strength of a level; `undefined` for published corruptions, which have severities only. */
function strengthOf(name: CorruptionName, definition: Definition, level: CorruptionLevel): number | undefined {
  if (typeof level === 'number') {
    requireInteger('corrupt', 'severity', level, 1, SEVERITIES.length);
    return definition.kind === 'published' ? undefined : definition.strengths[level - 1];
  }
  if (definition.kind === 'published') {
    throw new InvalidArgumentError('corrupt', 'level', `a severity from 1 to 5: ${name} has no strength`, 'a strength');
  }
  if (!Number.isFinite(level?.strength) || level.strength < 0) {
    throw new InvalidArgumentError(
      'corrupt',
      'strength',
      `a number ≥ 0 (${definition.unit})`,
      describe(level?.strength),
    );
  }
  return level.strength;
}

function constantsOf(set: ImageSet, name: CorruptionName, definition: Definition, level: CorruptionLevel) {
  const strength = strengthOf(name, definition, level);
  if (definition.kind === 'published') {
    return definition.constants[constantsFor(set)][(level as Severity) - 1] as readonly number[];
  }
  return definition.kind === 'transformation' ? definition.constants(strength as number) : [strength as number];
}

/**
 * The set with one corruption: bytes [count, height, width, channels] for corruptions and transformations; for range
 * attacks and intensity_scale float32 inputs of the network, from bytes or from such inputs. Labels are kept. Grey images
 * are treated as colour images of three equal channels, seen as luminance, with noise drawn once a pixel. `frost` lays
 * generated textures over the image, so its figures are not comparable with published ones. Throws InvalidArgumentError,
 * before any work, for what does not fit; the signal's reason when called off.
 */
export async function corrupt(
  set: ImageSet,
  name: CorruptionName,
  level: CorruptionLevel,
  options: CorruptOptions = {},
): Promise<ImageSet> {
  const definition = definitionOf(name);
  const { seed = 0 } = options;
  requireInteger('corrupt', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  checkSet(set);
  const constants = constantsOf(set, name, definition, level);
  if (definition.kind === 'range') return rangeAttack(set, definition, constants[0] as number, seed, options);
  const { pixels: x } = set;
  if (!(x instanceof Uint8Array)) {
    throw new InvalidArgumentError('corrupt', 'set', `bytes for ${name}`, 'floats, inputs of a network');
  }
  const size = imageSize(set);
  const y = new Uint8Array(x.length);
  for await (const { start, end } of chunks(set, options)) {
    const part = (pixels: Uint8Array) => pixels.subarray(start * size, end * size);
    corruptImages(definition.kernel, constants, { ...set, images: end - start }, seed, part(x), part(y));
  }
  return { ...set, pixels: y };
}

async function* chunks(set: ImageSet, { signal, onProgress }: CorruptOptions) {
  const step = Math.max(1, Math.floor(CHUNK_VALUES / imageSize(set)));
  for (let start = 0; start < set.count; start += step) {
    signal?.throwIfAborted();
    const end = Math.min(set.count, start + step);
    yield { start, end };
    onProgress?.(end, set.count);
    await setImmediate();
  }
}

async function rangeAttack(
  set: ImageSet,
  definition: Definition & { kind: 'range' },
  strength: number,
  seed: number,
  options: CorruptOptions,
): Promise<ImageSet> {
  const { normalization } = options;
  if (!normalization) {
    throw new InvalidArgumentError('corrupt', 'normalization', "the network's, for what gives inputs", 'none');
  }
  const { mean, std } = normalization;
  const channels = Array.from({ length: set.channels }, (_, c) => ({ mean: mean[c] ?? 0, std: std[c] ?? 1 }));
  const values = {
    // White is 1 before normalisation.
    level: Float32Array.from(channels, (c) => (strength - c.mean) / c.std),
    // (strength · pixel − mean) / std of pixel = x · std + mean
    factor: strength,
    shift: Float32Array.from(channels, (c) => ((strength - 1) * c.mean) / c.std),
  };
  const x = normalized(set, normalization);
  const size = imageSize(set);
  const y = new Float32Array(x.length);
  for await (const { start, end } of chunks(set, options)) {
    const part = (pixels: Float32Array) => pixels.subarray(start * size, end * size);
    attackRange(definition.kernel, values, { ...set, images: end - start }, seed, part(x), part(y));
  }
  return { ...set, pixels: y };
}

/** All inputs of a network, [count, height, width, channels]; the set's own when it has inputs already. */
export function normalized(set: ImageSet, normalization: Normalization): Float32Array {
  const loader = new Loader(set, { batchSize: set.count, normalization });
  if (set.pixels instanceof Float32Array) return set.pixels;
  for (const { inputs } of loader.epoch(0)) return inputs;
  return new Float32Array(0);
}

/** A corruption and the levels to show it at. */
export interface CorruptionRequest {
  readonly name: CorruptionName;
  readonly levels: readonly CorruptionLevel[];
}

const groups: Record<string, (info: CorruptionInfo) => boolean> = {
  all: ({ family }) => family !== 'transformation' && family !== 'range',
  benchmark: ({ benchmark }) => benchmark,
  noise: ({ family }) => family === 'noise',
  blur: ({ family }) => family === 'blur',
  weather: ({ family }) => family === 'weather',
  digital: ({ family }) => family === 'digital',
  transformations: ({ family }) => family === 'transformation',
  range: ({ family }) => family === 'range',
};
/** What `parseCorruptions` takes beside names. */
export const CORRUPTION_GROUPS: readonly string[] = Object.keys(groups);

/**
 * `all` (the nineteen of ImageNet-C), `benchmark` (its fifteen), noise, blur, weather, digital, transformations, range, a
 * name; each alone (severities 1 to 5), with a severity (`fog:3`, `noise:5`) or a strength (`bright_pixel:x16`); several
 * separated by commas. Throws InvalidArgumentError.
 */
export function parseCorruptions(text: string): CorruptionRequest[] {
  const requests = new Map<CorruptionName, CorruptionLevel[]>();
  for (const part of text.split(',')) {
    const [word = '', level, ...more] = part.trim().split(':');
    const chosen = Object.hasOwn(groups, word)
      ? CORRUPTION_NAMES.filter((name) => groups[word]?.(corruptionInfo(name)))
      : CORRUPTION_NAMES.filter((name) => name === word);
    const levels = level === undefined ? SEVERITIES : [parseLevel(level)];
    if (chosen.length === 0 || more.length > 0) {
      const expected = `${[...CORRUPTION_GROUPS, ...CORRUPTION_NAMES].join(', ')}, each alone or as NAME:SEVERITY`;
      throw new InvalidArgumentError('parseCorruptions', 'text', expected, describe(part));
    }
    for (const name of chosen) {
      for (const one of levels) if (typeof one !== 'number') strengthOf(name, definitionOf(name), one);
      const known = requests.get(name) ?? [];
      const key = (one: CorruptionLevel) => (typeof one === 'number' ? one : `x${one.strength}`);
      requests.set(name, [...known, ...levels.filter((one) => !known.some((other) => key(other) === key(one)))]);
    }
  }
  return [...requests].map(([name, levels]) => ({ name, levels }));
}

function parseLevel(text: string): CorruptionLevel {
  const strength = /^x(\d+(?:\.\d+)?)$/.exec(text);
  if (strength) return { strength: Number(strength[1]) };
  const severity = SEVERITIES.find((one) => String(one) === text);
  if (severity) return severity;
  throw new InvalidArgumentError('parseCorruptions', 'severity', '1 to 5, or xSTRENGTH', describe(text));
}

/** `3` → `3`, { strength: 16 } → `x16`. */
export function formatLevel(level: CorruptionLevel): string {
  return typeof level === 'number' ? String(level) : `x${level.strength}`;
}
