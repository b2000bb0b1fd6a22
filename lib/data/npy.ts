// NumPy's .npy (format versions 1–3) and .npz files.

import { unzipSync } from 'fflate';
import { float16ToFloat32Bits } from '../tensor/dtype.js';
import { DataError } from './errors.js';
import { readData, sizeOfFile } from './files.js';
import { type Dataset, type ImageSet, imageSet, imageSize } from './image_set.js';
import { imagesAndLabels, type Reader } from './reader.js';
import { type OpenDataset, openData, plainDataset, storedImages } from './stored_images.js';

type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

interface NpyArray {
  readonly dims: readonly number[];
  readonly data: NumericArray;
}

/** A type of elements: its size, and how bytes become numbers. */
interface Elements {
  readonly bytes: number;
  readonly read: (buffer: ArrayBuffer) => NumericArray;
}

function elements(Type: { new (buffer: ArrayBuffer): NumericArray; readonly BYTES_PER_ELEMENT: number }): Elements {
  return { bytes: Type.BYTES_PER_ELEMENT, read: (buffer) => new Type(buffer) };
}

function readHalves(buffer: ArrayBuffer): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), float16ToFloat32Bits).buffer);
}

// dtype descriptions, little-endian (byte order is of no account for bytes).
const DTYPES: Readonly<Record<string, Elements>> = {
  '|u1': elements(Uint8Array),
  '|b1': elements(Uint8Array),
  '|i1': elements(Int8Array),
  '<u2': elements(Uint16Array),
  '<i2': elements(Int16Array),
  '<u4': elements(Uint32Array),
  '<i4': elements(Int32Array),
  '<f2': { bytes: 2, read: readHalves },
  '<f4': elements(Float32Array),
  '<f8': elements(Float64Array),
  '<i8': elements(BigInt64Array),
  '<u8': elements(BigUint64Array),
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"

/** Where the elements of a .npy file are, and what they are. */
interface NpyHeader {
  readonly dims: readonly number[];
  readonly type: Elements;
  /** Offset of the first element. */
  readonly dataAt: number;
}

/** Longest header of a large file that is read: the shape of an array of images takes a hundred bytes. */
const HEADER_BYTES = 2 ** 16;

/** Parses the beginning of a .npy file; `source` names it in errors. */
function parseNpyHeader(source: string, bytes: Uint8Array): NpyHeader {
  if (bytes.length < 12 || !MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new DataError(source, 'a .npy file', `${bytes.length} bytes that do not begin with \\x93NUMPY`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = (bytes[6] as number) >= 2;
  const headerAt = long ? 12 : 10;
  const dataAt = headerAt + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (dataAt > bytes.length) throw new DataError(source, 'a whole .npy header', 'a truncated one');
  const header = new TextDecoder('latin1').decode(bytes.subarray(headerAt, dataAt));
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (!descr || shape === undefined) throw new DataError(source, 'a .npy header with descr and shape', header.trim());
  if (/'fortran_order':\s*True/.test(header)) throw new DataError(source, 'C order', 'Fortran order');
  const type = DTYPES[descr];
  if (!type) throw new DataError(source, `a dtype among ${Object.keys(DTYPES).join(' ')}`, descr);
  const dims = shape
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  return { dims, type, dataAt };
}

/** Bytes of all elements. Throws DataError when the file, of `length` bytes, has fewer. */
function npyBytes(source: string, { dims, type, dataAt }: NpyHeader, length: number): number {
  const size = dims.reduce((product, dim) => product * dim, 1) * type.bytes;
  if (!(length - dataAt >= size)) {
    throw new DataError(source, `${size} bytes for (${dims.join(', ')})`, String(length - dataAt));
  }
  return size;
}

/** Parses a .npy file; `source` names it in errors. */
function parseNpy(source: string, bytes: Uint8Array): NpyArray {
  const header = parseNpyHeader(source, bytes);
  const size = npyBytes(source, header, bytes.length);
  const { dims, type, dataAt } = header;
  return { dims, data: type.read(bytes.slice(dataAt, dataAt + size).buffer as ArrayBuffer) };
}

const DEPTHS = [1, 3, 4];

/** What an array says of the images in it. */
interface ArrayLayout {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** [N, C, H, W] */
  readonly channelsFirst: boolean;
}

/**
 * Images of an array [N, H, W], [N, H, W, C] or [N, C, H, W] (decided by where 1, 3 or 4 channels can be); rows [N, W].
 */
function layoutOf(source: string, dims: readonly number[]): ArrayLayout {
  const [, a, b, c] = dims as [number, number, number, number];
  if (dims.length === 2) return { height: 1, width: a, channels: 1, channelsFirst: false };
  if (dims.length === 3) return { height: a, width: b, channels: 1, channelsFirst: false };
  if (dims.length !== 4)
    throw new DataError(source, 'images [N,H,W], [N,H,W,C] or [N,C,H,W], or rows [N,W]', `[${dims.join(',')}]`);
  if (DEPTHS.includes(c)) return { height: a, width: b, channels: c, channelsFirst: false };
  if (!DEPTHS.includes(a)) throw new DataError(source, '1, 3 or 4 channels', `[${dims.join(',')}]`);
  return { height: b, width: c, channels: a, channelsFirst: true };
}

/** Pixels as an ImageSet has them: bytes or floats, channels last. */
function pixelsOf(data: NumericArray, { height, width, channels, channelsFirst }: ArrayLayout) {
  const pixels =
    data instanceof Uint8Array || data instanceof Float32Array ? data : Float32Array.from(data as never, Number);
  if (!channelsFirst) return pixels;
  const moved = pixels.slice();
  const plane = height * width;
  for (let base = 0; base < pixels.length; base += channels * plane) {
    for (let channel = 0; channel < channels; channel++) {
      for (let i = 0; i < plane; i++)
        moved[base + i * channels + channel] = pixels[base + channel * plane + i] as number;
    }
  }
  return moved;
}

function toImages(source: string, { dims, data }: NpyArray): Omit<ImageSet, 'count' | 'labels'> {
  const layout = layoutOf(source, dims);
  const { height, width, channels } = layout;
  return { height, width, channels, pixels: pixelsOf(data, layout) };
}

/** Labels as classes. Throws DataError for one that is not a whole number: rounded, it would be another class. */
function classesIn(source: string, { data }: NpyArray): Int32Array {
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const bad = values.findIndex((value) => (value | 0) !== value);
  if (bad >= 0) throw new DataError(source, 'labels that are whole numbers', `${values[bad]} at image ${bad}`);
  return Int32Array.from(values);
}

function toDataset(source: string, images: NpyArray, classes: Int32Array | undefined): Dataset {
  const parts = toImages(source, images);
  return plainDataset(source, imageSet(source, classes ? { ...parts, labels: classes } : parts));
}

async function readLabels(path: string | undefined): Promise<Int32Array | undefined> {
  return path ? classesIn(path, parseNpy(path, await readData(path))) : undefined;
}

/** A pair of .npy files; labels may be absent. Integer pixels other than bytes are taken as floats, unscaled. */
async function loadNpy(imagesPath: string, labelsPath?: string): Promise<Dataset> {
  const images = parseNpy(imagesPath, await readData(imagesPath));
  return toDataset(imagesPath, images, await readLabels(labelsPath));
}

/** The same with images that are read on demand. */
async function openNpy(imagesPath: string, labelsPath?: string): Promise<OpenDataset> {
  const { descriptor, length, beginning } = openData(imagesPath, HEADER_BYTES);
  const header = parseNpyHeader(imagesPath, beginning);
  npyBytes(imagesPath, header, length);
  const { dims, type, dataAt } = header;
  const layout = layoutOf(imagesPath, dims);
  const [count = 0] = dims;
  const bytes = imageSize(layout) * type.bytes;
  const decode = (stored: Uint8Array<ArrayBuffer>) => pixelsOf(type.read(stored.buffer), layout);
  const labels = await readLabels(labelsPath);
  const { height, width, channels } = layout;
  const parts = { count, height, width, channels, ...(labels ? { labels } : {}) };
  return plainDataset(imagesPath, storedImages({ path: imagesPath, descriptor, offset: dataAt, bytes, decode }, parts));
}

const IMAGE_NAMES = ['images', 'x', 'data', 'x_test', 'test_images', 'arr_0'];
const LABEL_NAMES = ['labels', 'y', 'targets', 'y_test', 'test_labels', 'arr_1'];
const TRAIN_IMAGE_NAMES = ['x_train', 'train_images'];
const TRAIN_LABEL_NAMES = ['y_train', 'train_labels'];

/** A .npz file with images and labels under usual names, and training images where it has them (x_train, y_train). */
async function loadNpz(path: string): Promise<Dataset> {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(await readData(path));
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(path, 'a whole .npz (zip) file', (error as Error).message);
  }
  const pick = (names: readonly string[]) => names.map((name) => `${name}.npy`).find((name) => name in entries);
  const images = pick(IMAGE_NAMES);
  if (!images) throw new DataError(path, `an array named ${IMAGE_NAMES.join(', ')}`, Object.keys(entries).join(', '));
  const labels = pick(LABEL_NAMES);
  const parse = (name: string) => parseNpy(`${path}:${name}`, entries[name] as Uint8Array);
  const classes = (name: string) => classesIn(`${path}:${name}`, parse(name));
  const dataset = toDataset(path, parse(images), labels === undefined ? undefined : classes(labels));
  const trainImages = pick(TRAIN_IMAGE_NAMES);
  const trainLabels = pick(TRAIN_LABEL_NAMES);
  if (!trainImages || !trainLabels) return dataset;
  const train = toDataset(`${path}:${trainImages}`, parse(trainImages), classes(trainLabels));
  const classNames = train.classNames.length > dataset.classNames.length ? train.classNames : dataset.classNames;
  return { ...dataset, classNames, train: train.test };
}

export const npzReader: Reader = {
  takes: 'a .npz file',
  reads: (spec) => spec.endsWith('.npz'),
  load: (spec) => loadNpz(spec),
};

const npyFiles = (spec: string) => {
  const files = imagesAndLabels(spec);
  return files?.images.endsWith('.npy') ? files : undefined;
};

export const npyReader: Reader = {
  takes: 'images.npy,labels.npy',
  reads: (spec) => npyFiles(spec) !== undefined,
  load: (spec) => loadNpy(npyFiles(spec)?.images as string, npyFiles(spec)?.labels),
  open: async (spec, options, least) => {
    const { images, labels } = npyFiles(spec) as { images: string; labels: string | undefined };
    return (await sizeOfFile(images)) >= least ? openNpy(images, labels) : npyReader.load(spec, options);
  },
};
