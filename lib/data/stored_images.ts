// Images in a file, read on demand: data sets larger than memory.
import { closeSync } from 'node:fs';
import { DataError } from './errors.js';
import { openRegular, readAt } from './files.js';
import { checkLabels, type Dataset, type ImageSet, imageSet, imageSize, subset } from './image_set.js';

/** Images of one size, whose pixels lie elsewhere. */
export interface StoredImages extends Omit<ImageSet, 'pixels'> {
  /** The images with these indices, in this order. Throws DataError on damaged ones. */
  read(indices: ArrayLike<number>): ImageSet;
}

/** In memory or not. */
export type ImageSource = ImageSet | StoredImages;

/** A data set whose images may be in files. */
export type OpenDataset = Dataset<ImageSource>;

/** Images that come without names of classes or statistics of pixels. */
export function plainDataset<Source extends ImageSource>(name: string, test: Source): Dataset<Source> {
  const count = test.labels ? test.labels.reduce((most, label) => Math.max(most, label + 1), 0) : 0;
  return {
    name,
    classNames: Array.from({ length: count }, (_, i) => String(i)),
    normalization: { mean: Array<number>(test.channels).fill(0), std: Array<number>(test.channels).fill(1) },
    test,
  };
}

/** Images with these indices, in this order, in memory (copied). */
export function imagesOf(source: ImageSource, indices: ArrayLike<number>): ImageSet {
  return 'read' in source ? source.read(indices) : subset(source, indices);
}

/** The same images, changed as they are read. */
export function mapImages(source: ImageSource, change: (set: ImageSet) => ImageSet): ImageSource {
  return 'read' in source ? { ...source, read: (indices) => change(source.read(indices)) } : change(source);
}

interface PixelFile {
  readonly path: string;
  /** Open for reading; closed when the images are collected or the process ends. */
  readonly descriptor: number;
  /** Of the first image. */
  readonly offset: number;
  /** Of one image, as stored. */
  readonly bytes: number;
  /** Pixels, channels last, from the bytes of whole images. */
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => ImageSet['pixels'];
}

const openFiles = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

/** Opens a file and reads how it begins, `most` bytes at most. Throws DataError naming it. */
export function openData(path: string, most: number) {
  const { descriptor, length } = openRegular(path);
  const beginning = new Uint8Array(Math.min(length, most));
  readAt({ path, descriptor }, beginning, 0);
  return { descriptor, length, beginning };
}

/** Images of a file. Labels are checked as those of an ImageSet. */
export function storedImages(file: PixelFile, parts: Omit<ImageSet, 'pixels'>, classes?: number): StoredImages {
  const { path, offset, bytes, decode } = file;
  const { count, height, width, channels, labels } = parts;
  if (!(count > 0 && imageSize(parts) > 0)) {
    throw new DataError(path, 'one or more images', `${count} of ${height}×${width}×${channels}`);
  }
  checkLabels(path, labels, count, classes);
  openFiles.register(file, file.descriptor);
  const read = (indices: ArrayLike<number>): ImageSet => {
    const whole = new Uint8Array(indices.length * bytes);
    let from = 0;
    while (from < indices.length) {
      const first = indices[from] as number;
      let to = from + 1;
      while (to < indices.length && indices[to] === first + to - from) to++; // neighbours are read at once
      readAt(file, whole.subarray(from * bytes, to * bytes), offset + first * bytes);
      from = to;
    }
    const taken = labels && Int32Array.from(indices, (index) => labels[index] as number);
    const images = {
      height,
      width,
      channels,
      ...(parts.sample ? { sample: parts.sample } : {}),
      pixels: decode(whole),
    };
    return imageSet(path, taken ? { ...images, labels: taken } : images);
  };
  return { ...parts, read };
}
