// What a network really sees of a data set: range, mean and deviation by channel, how many of each class, a contact
// sheet, and warnings where the inputs look unlike those of training.
import { setImmediate } from 'node:timers/promises';
import { Canvas, GAP, SHOWN_SIDE } from './contact_sheet.js';
import { type ImageSet, imageSize, type Normalization } from './image_set.js';
import { Loader } from './loader.js';
import { encodePng } from './png.js';
import { type ImageSource, imagesOf } from './stored_images.js';

/** Of one channel of all inputs. */
interface SeenChannel {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
}

export interface SeenData {
  readonly samples: number;
  /** Height, width, channels; of what is no image, its dimensions. */
  readonly shape: readonly number[];
  readonly channels: readonly SeenChannel[];
  /** Samples of each class; absent without labels. */
  readonly classes?: readonly { readonly name: string; readonly count: number }[];
  readonly warnings: readonly string[];
  /** A PNG file: samples evenly from the first to the last, lowest value black, highest white. */
  readonly sheet: Uint8Array;
}

interface InspectDataOptions {
  /** Whether mean and deviation were set for this model, so that the data's can be held against them. */
  readonly normalized: boolean;
  readonly classNames?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

const BATCH = 256;
const COLUMNS = 8;
const SHOWN = 32;
/** Rounding of 1 / 255 in float32. */
const SLACK = 1e-6;
/** Normalized inputs have a mean near 0 and a deviation near 1: beyond these, another normalization is likely. */
const FAR_MEAN = 3;
const SMALL_STD = 0.05;
const LARGE_STD = 10;
/** Channels whose means differ less say nothing of their order. */
const LEAST_SPREAD = 0.02;

function* inputsOf(source: ImageSource, normalization: Normalization): Generator<Float32Array> {
  for (let start = 0; start < source.count; start += BATCH) {
    const count = Math.min(BATCH, source.count - start);
    const part = imagesOf(
      source,
      Int32Array.from({ length: count }, (_, i) => start + i),
    );
    for (const { inputs } of new Loader(part, { batchSize: count, normalization }).epoch(0)) yield inputs;
  }
}

function warningsOf(
  channels: readonly SeenChannel[],
  bytes: boolean,
  { mean, std }: Normalization,
  normalized: boolean,
) {
  const warnings: string[] = [];
  const [low, high] = [Math.min(...channels.map(({ min }) => min)), Math.max(...channels.map(({ max }) => max))];
  const constant = channels.flatMap(({ min, max }, c) => (min === max ? [`channel ${c} is ${min} everywhere`] : []));
  warnings.push(...constant);
  if (low >= 0 && high > 0 && high <= (1 + SLACK) / 255) {
    warnings.push('all values are in [0, 1/255]: they were divided by 255 twice');
  } else if (low >= 0 && high > 2 && high <= 255) {
    warnings.push(`values reach ${high}: they are not scaled (--std 255, or --mean and --std of training)`);
  } else if (bytes && !normalized && mean.every((x) => x === 0) && std.every((x) => x === 1)) {
    warnings.push('values are in [0, 1], no normalization: set --mean and --std where training had them');
  } else if (
    channels.some((c) => Math.abs(c.mean) > FAR_MEAN || c.std > LARGE_STD || (c.std < SMALL_STD && c.std > 0))
  ) {
    warnings.push('means are far from 0 or deviations far from 1: most networks are trained on normalized inputs');
  }
  if (normalized && bytes && channels.length === 3 && Math.max(...mean) - Math.min(...mean) >= LEAST_SPREAD) {
    const pixel = channels.map((seen, c) => seen.mean * (std[c] as number) + (mean[c] as number));
    const off = (means: readonly number[]) =>
      pixel.reduce((sum, value, c) => sum + (value - (means[c] as number)) ** 2, 0);
    if (off([...mean].reverse()) < off(mean) / 2) {
      warnings.push("the channels' means are nearer to --mean in reverse: red and blue may be swapped (--bgr)");
    }
  }
  return warnings;
}

/** Samples side by side, values of the whole sheet from black to white. */
function sheetOf(set: ImageSet, normalization: Normalization): Uint8Array {
  const [batch] = new Loader(set, { batchSize: set.count, normalization }).epoch(0);
  const inputs = batch?.inputs ?? new Float32Array();
  const { low, high } = inputs.reduce(({ low, high }, x) => ({ low: Math.min(low, x), high: Math.max(high, x) }), {
    low: Infinity,
    high: -Infinity,
  });
  // Rows and volumes are pictures of one channel; of more channels than colours the first is shown.
  const { height, width } = set;
  const shown = set.channels === 3 ? 3 : 1;
  const scale = Math.max(1, Math.round(SHOWN_SIDE / Math.max(height, width)));
  const columns = Math.min(set.count, Math.max(1, Math.floor((COLUMNS * SHOWN_SIDE) / (width * scale + GAP))));
  const rows = Math.ceil(set.count / columns);
  const canvas = new Canvas(rows * (height * scale + GAP) + GAP, columns * (width * scale + GAP) + GAP);
  for (let i = 0; i < set.count; i++) {
    const imageValues = inputs.subarray(i * imageSize(set), (i + 1) * imageSize(set));
    const pixels = new Uint8Array(height * width * shown);
    for (let at = 0; at < pixels.length; at++) {
      const value = imageValues[Math.floor(at / shown) * set.channels + (at % shown)] as number;
      pixels[at] = high > low ? Math.round((255 * (value - low)) / (high - low)) : 0;
    }
    const top = GAP + Math.floor(i / columns) * (height * scale + GAP);
    canvas.image(
      { count: 1, height, width, channels: shown, pixels },
      scale,
      top,
      GAP + (i % columns) * (width * scale + GAP),
    );
  }
  return encodePng(canvas.pixels, canvas.height, canvas.width, 3);
}

/** Widest picture of a sheet. */
const MOST_SIDE = 1024;

/** What a network is given of these images. Throws as `Loader` and `imagesOf` do. */
export async function inspectData(
  source: ImageSource,
  normalization: Normalization,
  options: InspectDataOptions,
): Promise<SeenData> {
  const { count: samples, height, width, channels: depth, labels, sample } = source;
  const { normalized, classNames = [], signal, onProgress } = options;
  const [sum, squares] = [new Float64Array(depth), new Float64Array(depth)];
  const [min, max] = [new Float64Array(depth).fill(Infinity), new Float64Array(depth).fill(-Infinity)];
  let done = 0;
  for (const inputs of inputsOf(source, normalization)) {
    signal?.throwIfAborted();
    for (let i = 0, c = 0; i < inputs.length; i++, c = c + 1 === depth ? 0 : c + 1) {
      const x = inputs[i] as number;
      sum[c] = (sum[c] as number) + x;
      squares[c] = (squares[c] as number) + x * x;
      if (x < (min[c] as number)) min[c] = x;
      if (x > (max[c] as number)) max[c] = x;
    }
    done = Math.min(samples, done + BATCH);
    onProgress?.(done, samples);
    await setImmediate();
  }
  const each = samples * height * width;
  const channels = Array.from(sum, (total, c): SeenChannel => {
    const mean = total / each;
    const std = Math.sqrt(Math.max(0, (squares[c] as number) / each - mean * mean));
    return { min: min[c] as number, max: max[c] as number, mean, std };
  });
  const shown = Math.min(SHOWN, samples);
  const examples = imagesOf(
    source,
    Int32Array.from({ length: shown }, (_, i) => Math.floor((i * samples) / shown)),
  );
  const flat = width > MOST_SIDE || height > MOST_SIDE ? cutTo(examples, MOST_SIDE) : examples;
  const counts = new Map<number, number>();
  for (const label of labels ?? []) counts.set(label, (counts.get(label) ?? 0) + 1);
  const classes = [...counts].sort(([a], [b]) => a - b).map(([i, count]) => ({ name: classNames[i] ?? `${i}`, count }));
  return {
    samples,
    shape: sample ?? [height, width, depth],
    channels,
    ...(labels ? { classes } : {}),
    warnings: warningsOf(channels, examples.pixels instanceof Uint8Array, normalization, normalized),
    sheet: sheetOf(flat, normalization),
  };
}

/** The upper left corner of images. */
function cutTo(set: ImageSet, side: number): ImageSet {
  const [height, width] = [Math.min(side, set.height), Math.min(side, set.width)];
  const pixels = set.pixels.filter((_, i) => {
    const at = Math.floor(i / set.channels);
    return at % set.width < width && Math.floor(at / set.width) % set.height < height;
  });
  return { ...set, height, width, pixels };
}
