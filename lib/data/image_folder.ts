// A folder of pictures as torchvision's ImageFolder reads it: one sub-folder a class, in the order of their names, its
// own sub-folders walked; or pictures without labels. What is left out is counted.

import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readdirSync, realpathSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { requireWithin } from '../core/limits.js';
import { DataError } from './errors.js';
import { type Dataset, imageSet } from './image_set.js';
import { readPicture } from './pictures.js';
import type { Reader } from './reader.js';
import { cover } from './resize.js';
import { type ImageSource, type OpenDataset, storedImages } from './stored_images.js';

/** torchvision's IMG_EXTENSIONS. */
const PICTURE = /\.(jpg|jpeg|png|ppm|bmp|pgm|tif|tiff|webp)$/i;

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

/** By code points, as Python sorts. */
const byCode = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

interface Content {
  readonly folders: string[];
  readonly files: string[];
}

function contentOf(folder: string): Content {
  const content: Content = { folders: [], files: [] };
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const linked = entry.isSymbolicLink() && statSync(join(folder, entry.name), { throwIfNoEntry: false });
      const isFolder = entry.isDirectory() || (linked ? linked.isDirectory() : false);
      content[isFolder ? 'folders' : 'files'].push(entry.name);
    }
  } catch (error) {
    throw new DataError(folder, 'a readable folder', (error as NodeJS.ErrnoException).code ?? String(error));
  }
  return content;
}

/** All files below a folder, in the order of torchvision: by folder, then by name. Links to folders are followed. */
function walk(folder: string): string[] {
  const found: [folder: string, files: readonly string[]][] = [];
  const visit = (at: string, above: readonly string[]) => {
    const real = realpathSync(at);
    if (above.includes(real)) throw new DataError(at, 'folders', 'a link to a folder above it');
    const { folders, files } = contentOf(at);
    found.push([at, files.sort(byCode)]);
    for (const name of folders) visit(join(at, name), [...above, real]);
  };
  visit(folder, []);
  return found.sort(([a], [b]) => byCode(a, b)).flatMap(([at, files]) => files.map((name) => join(at, name)));
}

/** `3 of .gif, 1 of .txt` */
function counted(files: readonly string[]): string {
  const kinds = new Map<string, number>();
  for (const file of files) {
    const kind = extname(file).toLowerCase() || 'no extension';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, count]) => `${count} of ${kind}`).join(', ');
}

interface Listing {
  readonly pictures: readonly Picture[];
  readonly classNames: readonly string[];
  /** What was left out, in words. */
  readonly notes: readonly string[];
}

function list(root: string): Listing {
  const { folders, files } = contentOf(root);
  const isPicture = (path: string) => PICTURE.test(path);
  const hidden = folders.filter((name) => name.startsWith('.')); // .ipynb_checkpoints and the like are no class
  const classNames = folders.filter((name) => !name.startsWith('.')).sort(byCode);
  const classes = classNames.map((name) => walk(join(root, name)));
  const labelled = classes.some((paths) => paths.some(isPicture));
  const others = (labelled ? classes.flat().filter((path) => !isPicture(path)) : []).concat(
    labelled ? files : files.filter((name) => !isPicture(name)),
  );
  const notes = [
    ...(others.length > 0 ? [`${root}: ${others.length} files left out: ${counted(others)}`] : []),
    ...(labelled && files.some(isPicture) ? [`${root}: pictures beside class folders are left out`] : []),
    ...(hidden.length > 0 ? [`${root}: hidden folders left out: ${hidden.sort(byCode).join(', ')}`] : []),
    ...(!labelled && classNames.length > 0
      ? [`${root}: folders without pictures left out: ${classNames.join(', ')}`]
      : []),
  ];
  if (!labelled) {
    const pictures = files.filter(isPicture).sort(byCode);
    return { pictures: pictures.map((name) => ({ path: join(root, name), label: 0 })), classNames: [], notes };
  }
  const pictures = classes.flatMap((paths, label) => {
    const pictureFiles = paths.filter(isPicture);
    if (pictureFiles.length > 0) return pictureFiles.map((path) => ({ path, label }));
    const path = join(root, classNames[label] as string);
    throw new DataError(path, 'one or more pictures of the class (.jpg .png .ppm .bmp .pgm .tif .webp)', 'none');
  });
  return { pictures, classNames, notes };
}

interface OpenFolder extends Listing {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Bytes of one picture's pixels. */
  readonly size: number;
  readonly decode: (path: string) => Promise<Uint8Array>;
}

async function openFolder(folder: string, options: ImageFolderOptions): Promise<OpenFolder> {
  const listing = list(folder);
  const [first] = listing.pictures;
  if (!first)
    throw new DataError(folder, 'pictures (.jpg .png .ppm .bmp .pgm .tif .webp), in class folders or not', 'none');
  const { channels = 3 } = options;
  const { height, width } =
    options.height && options.width
      ? (options as { height: number; width: number })
      : await readPicture(first.path, channels);
  const size = height * width * channels;
  const decode = async (path: string) => cover(await readPicture(path, channels), height, width);
  return { ...listing, height, width, channels, size, decode };
}

function datasetOf<Source extends ImageSource>(
  folder: string,
  { classNames, channels, notes }: OpenFolder,
  test: Source,
): Dataset<Source> {
  const normalization = { mean: Array<number>(channels).fill(0), std: Array<number>(channels).fill(1) };
  return { name: folder, classNames, normalization, test, notes };
}

const labelsOf = ({ pictures, classNames }: OpenFolder) =>
  classNames.length > 0 ? { labels: Int32Array.from(pictures, ({ label }) => label) } : {};

/** Loads a folder of pictures; but for BMP and PPM it needs the optional package `sharp`. */
async function loadImageFolder(folder: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  return loaded(folder, await openFolder(folder, options));
}

async function loaded(folder: string, opened: OpenFolder): Promise<Dataset> {
  const { pictures, classNames, height, width, channels, size, decode } = opened;
  requireWithin('valueBytes', folder, pictures.length * size);
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
