// MNIST (LeCun, Cortes, Burges) and Fashion-MNIST (Xiao, Rasul, Vollgraf, 2017), from IDX files.

import { join } from 'node:path';
import { DataError } from './errors.js';
import { cacheFolder, download, findFolder, type KnownFile, readKnown } from './files.js';
import { parseIdx } from './idx.js';
import { type Dataset, type ImageSet, imageSet } from './image_set.js';
import type { Reader } from './reader.js';

interface Source {
  readonly title: string;
  /** Where systems and people keep it. */
  readonly folders: readonly string[];
  readonly advice: string;
  /** Training images, training labels, test images, test labels. */
  readonly sha256: readonly [string, string, string, string];
  readonly mean: number;
  readonly std: number;
  readonly classNames: readonly string[];
}

const SOURCES = {
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    folders: ['/usr/share/datasets/fashion-mnist'],
    advice: 'on Debian: apt-get install dataset-fashion-mnist',
    sha256: [
      'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
      'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
      '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
      '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    ],
    mean: 0.286,
    std: 0.353,
    classNames: [
      'T-shirt/top',
      'trouser',
      'pullover',
      'dress',
      'coat',
      'sandal',
      'shirt',
      'sneaker',
      'bag',
      'ankle boot',
    ],
  },
  mnist: {
    title: 'MNIST',
    folders: ['/usr/share/datasets/mnist'],
    advice: 'copies of it are published by many machine-learning projects',
    sha256: [
      'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    ],
    mean: 0.1307,
    std: 0.3081,
    classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  },
} as const satisfies Record<string, Source>;

type MnistName = keyof typeof SOURCES;
const MNIST_NAMES = Object.keys(SOURCES) as readonly MnistName[];

const FILES = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;

async function readSet(folder: string, images: KnownFile, labels: KnownFile): Promise<ImageSet> {
  const { dims, data } = parseIdx(join(folder, images.name), await readKnown(folder, images), 3);
  const source = join(folder, labels.name);
  const classes = parseIdx(source, await readKnown(folder, labels), 1).data;
  const [, height, width] = dims as [number, number, number];
  return imageSet(source, { height, width, channels: 1, pixels: data, labels: Int32Array.from(classes) }, 10);
}

/**
 * Loads MNIST or Fashion-MNIST. `from`: a folder with the four IDX files (gzip or not), or a web address under which
 * the .gz files lie (kept in the cache folder); by default the folders where systems install it. Every file's SHA-256
 * is compared with the published one. `testOnly` leaves out the training images, most of the time that it takes.
 */
export async function loadMnist(name: MnistName, from?: string, testOnly = false): Promise<Dataset> {
  const source: Source = SOURCES[name];
  const files = FILES.map((file, i): KnownFile => ({ name: file, sha256: source.sha256[i] as string }));
  const cache = cacheFolder(name);
  if (from && /^https?:/.test(from)) await download(from, cache, files);
  const folders = from && !/^https?:/.test(from) ? [from] : [...source.folders, cache];
  const folder = await findFolder(folders, FILES[0]);
  if (!folder) {
    const expected = `${source.title}'s four IDX files (${source.advice}; or give a folder or web address with --data-dir)`;
    throw new DataError(folders.join(', '), expected, 'none');
  }
  const [trainImages, trainLabels, testImages, testLabels] = files as [KnownFile, KnownFile, KnownFile, KnownFile];
  return {
    name,
    classNames: source.classNames,
    normalization: { mean: [source.mean], std: [source.std] },
    ...(testOnly ? {} : { train: await readSet(folder, trainImages, trainLabels) }),
    test: await readSet(folder, testImages, testLabels),
  };
}

export const mnistReader: Reader = {
  takes: MNIST_NAMES.join(', '),
  names: MNIST_NAMES,
  reads: (spec) => MNIST_NAMES.includes(spec as MnistName),
  load: (spec, { from, testOnly }) => loadMnist(spec as MnistName, from, testOnly),
};
