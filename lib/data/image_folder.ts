// A folder of pictures: one sub-folder a class (in alphabetical order), or pictures without labels.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from './errors.js';
import { type Dataset, imageSet } from './image_set.js';

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
  const classNames = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const inFolder = async (path: string, label: number): Promise<Picture[]> =>
    (await readdir(path))
      .filter((name) => PICTURE.test(name))
      .sort()
      .map((name) => ({ path: join(path, name), label }));
  const pictures: Picture[] = [];
  for (const [label, name] of classNames.entries()) pictures.push(...(await inFolder(join(folder, name), label)));
  if (pictures.length > 0) return { pictures, classNames };
  return { pictures: await inFolder(folder, 0), classNames: [] };
}

/** Loads a folder of PNG, JPEG or WebP pictures; needs the optional package `sharp`. */
export async function loadImageFolder(folder: string, options: ImageFolderOptions = {}): Promise<Dataset> {
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
  const pixels = new Uint8Array(pictures.length * size);
  for (const [i, { path }] of pictures.entries()) {
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
    pixels.set(bytes, i * size);
  }
  const parts = { height, width, channels, pixels };
  const labels = Int32Array.from(pictures, ({ label }) => label);
  return {
    name: folder,
    classNames,
    normalization: { mean: Array(channels).fill(0), std: Array(channels).fill(1) },
    test: imageSet(folder, classNames.length > 0 ? { ...parts, labels } : parts, classNames.length || undefined),
  };
}
