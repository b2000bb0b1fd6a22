// Arrays of samples and labels: .npy files, and .npz files with members of usual names.
import { closeSync } from 'node:fs';
import { requireWithin } from '../core/limits.js';
import { DataError } from './errors.js';
import { openRegular, readData, sizeOfFile } from './files.js';
import { type Dataset, type ImageSet, imageSet, imageSize } from './image_set.js';
import {
  asFloats,
  checkNpyLength,
  NPY_HEADER_BYTES,
  type NpyArray,
  npyFileBytes,
  parseNpy,
  parseNpyHeader,
  readElements,
} from './npy.js';
import { imagesAndLabels, type ModelInput, type Reader } from './reader.js';
import { type OpenDataset, openData, plainDataset, storedImages } from './stored_images.js';
import { readMember, zipMembers } from './zip.js';

/** Channels of images in files that say nothing of it. */
const DEPTHS = [1, 3, 4];

/** What an array says of the samples in it. */
interface ArrayLayout extends Pick<ImageSet, 'height' | 'width' | 'channels' | 'sample'> {
  /** [N, C, H, W] */
  readonly channelsFirst: boolean;
}

/**
 * An array of the shape of the model's input is the input. Others are images [N, H, W], [N, H, W, C] or [N, C, H, W]
 * (decided by where 1, 3 or 4 channels can be) or rows [N, W].
 */
function layoutOf(source: string, dims: readonly number[], input: ModelInput | undefined): ArrayLayout {
  const [count, a = 0, b = 0, c = 0] = dims;
  const { sample, layout } = input ?? {};
  const fits = sample?.length === dims.length - 1 && sample.every((dim, i) => (dim ?? dims[i + 1]) === dims[i + 1]);
  if (dims.length === 2) return { height: 1, width: a, channels: 1, channelsFirst: false };
  if (dims.length === 3) return { height: a, width: b, channels: 1, channelsFirst: false };
  if (fits && dims.length > 4) {
    const width = dims.slice(1).reduce((product, dim) => product * dim, 1);
    return { height: 1, width, channels: 1, channelsFirst: false, sample: dims.slice(1) };
  }
  if (dims.length === 4 && fits && sample.some((dim) => dim !== undefined)) {
    const [first, last] = [
      { height: b, width: c, channels: a, channelsFirst: true },
      { height: a, width: b, channels: c, channelsFirst: false },
    ];
    return layout === 'nhwc' ? last : first;
  }
  if (dims.length === 4 && DEPTHS.includes(c)) return { height: a, width: b, channels: c, channelsFirst: false };
  if (dims.length === 4 && DEPTHS.includes(a)) return { height: b, width: c, channels: a, channelsFirst: true };
  const exact = sample ? `, or the model's input [N,${sample.map((dim) => dim ?? '?').join(',')}]` : '';
  const expected = `images [N,H,W], or [N,H,W,C] or [N,C,H,W] with 1, 3 or 4 channels, rows [N,W]${exact}`;
  throw new DataError(source, expected, count === undefined ? 'a single number' : `[${dims.join(',')}]`);
}

/** Samples as an ImageSet has them: bytes or floats, channels last. Integers other than bytes, and booleans, are floats. */
function pixelsOf({ data, bool }: Omit<NpyArray, 'dims'>, { height, width, channels, channelsFirst }: ArrayLayout) {
  const pixels = data instanceof Uint8Array && !bool ? data : asFloats(data);
  if (!channelsFirst || channels === 1) return pixels;
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

/** Labels as classes: whole numbers, [N] or [N, 1]. */
function classesIn(source: string, { dims, data }: NpyArray): Int32Array {
  if (dims.length !== 1 && !(dims.length === 2 && dims[1] === 1)) {
    throw new DataError(source, 'labels [N] or [N,1]', `[${dims.join(',')}]`);
  }
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const bad = values.findIndex((value) => (value | 0) !== value || value < 0);
  if (bad >= 0) throw new DataError(source, 'labels that are whole numbers ≥ 0', `${values[bad]} at image ${bad}`);
  requireWithin(
    'classes',
    source,
    values.reduce((most, value) => Math.max(most, value + 1), 0),
  );
  return Int32Array.from(values);
}

function toDataset(source: string, array: NpyArray, input?: ModelInput, labels?: Int32Array): Dataset {
  const { channelsFirst: _, ...layout } = layoutOf(source, array.dims, input);
  const pixels = pixelsOf(array, { ...layout, channelsFirst: _ });
  return plainDataset(source, imageSet(source, { ...layout, pixels, ...(labels ? { labels } : {}) }));
}

const readArray = async (path: string) => parseNpy(path, await readData(path, npyFileBytes(path)));

async function readLabels(path: string | undefined): Promise<Int32Array | undefined> {
  return path ? classesIn(path, await readArray(path)) : undefined;
}

/** A pair of .npy files; labels may be absent. */
async function loadNpy(images: string, labels: string | undefined, input?: ModelInput): Promise<Dataset> {
  const classes = await readLabels(labels);
  return toDataset(images, await readArray(images), input, classes);
}

/** The same with images that are read on demand; undefined where they cannot be: compressed, or in Fortran order. */
async function openNpy(
  images: string,
  labels: string | undefined,
  input?: ModelInput,
): Promise<OpenDataset | undefined> {
  const { descriptor, length, beginning } = openData(images, NPY_HEADER_BYTES);
  const gzip = beginning[0] === 0x1f && beginning[1] === 0x8b;
  const header = gzip ? undefined : parseNpyHeader(images, beginning);
  if (!header || header.fortran) {
    closeSync(descriptor);
    return undefined;
  }
  checkNpyLength(images, header, length);
  const { dims, type, dataAt: offset, bool } = header;
  const { channelsFirst, ...layout } = layoutOf(images, dims, input);
  const decode = (stored: Uint8Array<ArrayBuffer>) =>
    pixelsOf({ data: readElements(images, header, stored), bool }, { ...layout, channelsFirst });
  const file = { path: images, descriptor, offset, bytes: imageSize(layout) * type.bytes, decode };
  const classes = await readLabels(labels);
  return plainDataset(
    images,
    storedImages(file, { count: dims[0] as number, ...layout, ...(classes ? { labels: classes } : {}) }),
  );
}

const IMAGE_NAMES = ['images', 'x', 'data', 'x_test', 'test_images', 'arr_0'];
const LABEL_NAMES = ['labels', 'y', 'targets', 'y_test', 'test_labels', 'arr_1'];
const TRAIN_IMAGE_NAMES = ['x_train', 'train_images'];
const TRAIN_LABEL_NAMES = ['y_train', 'train_labels'];

/**
 * A .npz file with images and labels under usual names, and training images where it has them (x_train, y_train) and
 * they are not left out. Other members are not read.
 */
async function loadNpz(path: string, input?: ModelInput, testOnly = false): Promise<Dataset> {
  const file = openRegular(path);
  try {
    const members = zipMembers(file);
    const pick = (names: readonly string[]) => names.map((name) => `${name}.npy`).find((name) => members.has(name));
    const parse = async (name: string) =>
      parseNpy(`${path}:${name}`, await readMember(file, members.get(name) as never));
    const pair = async (source: string, images: string, labels: string | undefined) =>
      toDataset(
        source,
        await parse(images),
        input,
        labels === undefined ? undefined : classesIn(`${path}:${labels}`, await parse(labels)),
      );
    const images = pick(IMAGE_NAMES);
    if (!images) {
      throw new DataError(
        path,
        `an array named ${IMAGE_NAMES.join(', ')}`,
        [...members.keys()].join(', ').slice(0, 200),
      );
    }
    const dataset = await pair(path, images, pick(LABEL_NAMES));
    const [trainImages, trainLabels] = [pick(TRAIN_IMAGE_NAMES), pick(TRAIN_LABEL_NAMES)];
    if (testOnly || !trainImages || !trainLabels) return dataset;
    const train = await pair(`${path}:${trainImages}`, trainImages, trainLabels);
    const classNames = train.classNames.length > dataset.classNames.length ? train.classNames : dataset.classNames;
    return { ...dataset, classNames, train: train.test };
  } finally {
    closeSync(file.descriptor);
  }
}

export const npzReader: Reader = {
  takes: 'a .npz file',
  reads: (spec) => spec.endsWith('.npz'),
  load: (spec, { input, testOnly }) => loadNpz(spec, input, testOnly),
};

const npyFiles = (spec: string) => {
  const files = imagesAndLabels(spec);
  return files && /\.npy(\.gz)?$/.test(files.images) ? files : undefined;
};

export const npyReader: Reader = {
  takes: 'images.npy,labels.npy',
  reads: (spec) => npyFiles(spec) !== undefined,
  load: (spec, { input }) => loadNpy(npyFiles(spec)?.images as string, npyFiles(spec)?.labels, input),
  open: async (spec, options, least) => {
    const { images, labels } = npyFiles(spec) as { images: string; labels: string | undefined };
    const stored = (await sizeOfFile(images)) >= least ? await openNpy(images, labels, options.input) : undefined;
    return stored ?? npyReader.load(spec, options);
  },
};
