// A folder of pictures: one sub-folder a class (in alphabetical order), or pictures without labels.

import { randomUUID } from 'node:crypto';
import { closeSync, type Dirent, openSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError } from './errors.js';
import { type Dataset, imageSet } from './image_set.js';
import type { Reader } from './reader.js';
import { type ImageSource, type OpenDataset, storedImages } from './stored_images.js';

const PICTURE = /\.(png|jpe?g|webp)$/i;

export interface ImageFolderOptions {
  /** Pictures are resized to this, covering it, cut at the centre. Default: the size of the first picture. */
  readonly height?: number;
  readonly width?: number;
  /** 1 (grey) or 3. Default 3. */
  readonly channels?: 1 | 3;
}

interface Picture {
  readonly path: string;
  readonly label: number;
}

async function list(folder: string): Promise<{ pictures: Picture[]; classNames: string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(folder, 'a readable folder', error.code ?? error.message);
  });
  const isFolder = (entry: Dirent) =>
    entry.isDirectory() ||
    (entry.isSymbolicLink() && statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory() === true);
  const classNames = entries
    .filter((entry) => !entry.name.startsWith('.') && isFolder(entry)) // .ipynb_checkpoints and the like are no class
    .map((entry) => entry.name)
    .sort();
  const inFolder = async (path: string, label: number): Promise<Picture[]> =>
    (await readdir(path))
      .filter((name) => PICTURE.test(name))
      .sort()
      .map((name) => ({ path: join(path, name), label }));
  const pictures: Picture[] = [];
  for (const [label, name] of classNames.entries()) {
    for (const picture of await inFolder(join(folder, name), label)) pictures.push(picture);
  }
  if (pictures.length > 0) return { pictures, classNames };
  return { pictures: await inFolder(folder, 0), classNames: [] };
}

interface OpenFolder {
  readonly pictures: readonly Picture[];
  readonly classNames: readonly string[];
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Bytes of one picture's pixels. */
  readonly size: number;
  readonly decode: (path: string) => Promise<Uint8Array>;
}

async function openFolder(folder: string, options: ImageFolderOptions): Promise<OpenFolder> {
  const { pictures, classNames } = await list(folder);
  if (pictures.length === 0) throw new DataError(folder, 'PNG, JPEG or WebP pictures, in class folders or not', 'none');
  const { default: sharp } = await import('sharp').catch(() => {
    throw new DataError(folder, 'the package sharp to decode pictures', 'none: run `npm install sharp`');
  });
  const channels = options.channels ?? 3;
  const first = await sharp(pictures[0]?.path)
    .metadata()
    .catch((error: Error) => {
      throw new DataError((pictures[0] as Picture).path, 'a picture', error.message);
    });
  const height = options.height ?? (first.height as number);
  const width = options.width ?? (first.width as number);
  const size = height * width * channels;
  const decode = async (path: string) => {
    const bytes = await sharp(path)
      .resize(width, height, { fit: 'cover' })
      .flatten()
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer()
      .catch((error: Error) => {
        throw new DataError(path, 'a picture', error.message);
      });
    if (bytes.length !== size) throw new DataError(path, `${size} bytes of pixels`, String(bytes.length));
    return bytes;
  };
  return { pictures, classNames, height, width, channels, size, decode };
}

function datasetOf<Source extends ImageSource>(
  folder: string,
  { classNames, channels }: OpenFolder,
  test: Source,
): Dataset<Source> {
  const normalization = { mean: Array<number>(channels).fill(0), std: Array<number>(channels).fill(1) };
  return { name: folder, classNames, normalization, test };
}

const labelsOf = ({ pictures, classNames }: OpenFolder) =>
  classNames.length > 0 ? { labels: Int32Array.from(pictures, ({ label }) => label) } : {};

/** Loads a folder of PNG, JPEG or WebP pictures; needs the optional package `sharp`. */
async function loadImageFolder(folder: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  return loaded(folder, await openFolder(folder, options));
}

async function loaded(folder: string, opened: OpenFolder): Promise<Dataset> {
  const { pictures, classNames, height, width, channels, size, decode } = opened;
  const pixels = new Uint8Array(pictures.length * size);
  for (const [i, { path }] of pictures.entries()) pixels.set(await decode(path), i * size);
  const parts = { height, width, channels, pixels, ...labelsOf(opened) };
  return datasetOf(folder, opened, imageSet(folder, parts, classNames.length || undefined));
}

/**
 * The same; pictures that take `least` bytes or more are decoded once into a file among the system's temporary ones
 * (TMPDIR), which is removed with the process, and read from there on demand.
 */
async function openImageFolder(folder: string, options: ImageFolderOptions, least: number): Promise<OpenDataset> {
  const opened = await openFolder(folder, options);
  const { pictures, classNames, height, width, channels, size, decode } = opened;
  if (pictures.length * size < least) return loaded(folder, opened);
  const path = join(tmpdir(), `faultline-pictures-${process.pid}-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path); // the file lives as long as it is open
    for (const { path: picture } of pictures) writeWhole(descriptor, await decode(picture));
    const file = { path: folder, descriptor, offset: 0, bytes: size, decode: (bytes: Uint8Array) => bytes };
    const parts = { count: pictures.length, height, width, channels, ...labelsOf(opened) };
    return datasetOf(folder, opened, storedImages(file, parts, classNames.length || undefined));
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}

export const imageFolderReader: Reader = {
  takes: 'a folder of pictures',
  reads: async (spec) => (await stat(spec).catch(() => undefined))?.isDirectory() ?? false,
  load: loadImageFolder,
  open: openImageFolder,
};
