// Labelled images in memory, as every reader of this folder returns them.
import { DataError } from './errors.js';

/** Images of one size: pixels[count, height, width, channels], labels[count]. Treated as immutable. */
export interface ImageSet {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** One sample as its source has it, row-major, where that is no image: [C, T, H, W]. Height and channels are 1 then. */
  readonly sample?: readonly number[];
  /** Bytes 0–255, or floats that are inputs of the network unchanged. */
  readonly pixels: Uint8Array | Float32Array;
  /** Class of each image; absent when the source has none. */
  readonly labels?: Int32Array;
}

/**
 * Mean and deviation of each channel, of pixels scaled to 0–1: the input of a network is (pixel / 255 − mean) / std.
 * Float pixels are inputs unchanged.
 */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Images under a name; `Source`: whether they are in memory. */
export interface Dataset<Source = ImageSet> {
  /** As on the command line: `fashion-mnist`, a path, … */
  readonly name: string;
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  /** Absent when the source has one set only. */
  readonly train?: Source;
  readonly test: Source;
  /** What was left out in reading, in words. */
  readonly notes?: readonly string[];
}

/** Elements of one image. */
export function imageSize(set: Pick<ImageSet, 'height' | 'width' | 'channels'>): number {
  return set.height * set.width * set.channels;
}

/** Checks that there is a label for each image, of a class that there is; `source` names the file in errors. */
export function checkLabels(source: string, labels: Int32Array | undefined, count: number, classes?: number): void {
  if (labels && labels.length !== count) throw new DataError(source, `${count} labels`, String(labels.length));
  const bad = labels?.findIndex((label) => label < 0 || (classes !== undefined && label >= classes)) ?? -1;
  if (!labels || bad < 0) return;
  const range = classes === undefined ? 'labels ≥ 0' : `labels from 0 to ${classes - 1}`;
  throw new DataError(source, range, `${labels[bad]} at image ${bad}`);
}

/** Checks that the parts fit together; `source` names the file in errors. */
export function imageSet(source: string, parts: Omit<ImageSet, 'count'>, classes?: number): ImageSet {
  const size = imageSize(parts);
  const count = size > 0 ? parts.pixels.length / size : 0;
  if (!Number.isInteger(count) || count === 0) {
    const shape = `${parts.height}×${parts.width}×${parts.channels}`;
    throw new DataError(source, `one or more whole ${shape} images`, `${parts.pixels.length} values`);
  }
  checkLabels(source, parts.labels, count, classes);
  if (parts.pixels instanceof Float32Array) {
    const at = parts.pixels.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw new DataError(source, 'finite pixels', `${parts.pixels[at]} in image ${Math.floor(at / size)}`);
  }
  return { count, ...parts };
}

/** The images with these indices, in this order (copied). */
export function subset(set: ImageSet, indices: ArrayLike<number>): ImageSet {
  const size = imageSize(set);
  const pixels = new (set.pixels.constructor as { new (n: number): Uint8Array | Float32Array })(indices.length * size);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] as number) * size;
    pixels.set(set.pixels.subarray(from, from + size) as Uint8Array & Float32Array, i * size);
  }
  const { labels } = set;
  const parts = { ...set, count: indices.length, pixels };
  return labels ? { ...parts, labels: Int32Array.from(indices, (i) => labels[i] as number) } : parts;
}

/** The first images of a set: as it is in the order of the file, a sample. */
export function firstImages(set: ImageSet, count: number): ImageSet {
  return count >= set.count
    ? set
    : subset(
        set,
        Int32Array.from({ length: count }, (_, i) => i),
      );
}
