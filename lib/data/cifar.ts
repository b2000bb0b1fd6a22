// CIFAR-10 and CIFAR-100 (Krizhevsky, 2009), the binary version: a record is one label byte (CIFAR-100: coarse, then
// fine) and 32×32 pixels, all red, then all green, then all blue.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from './errors.js';
import { findFolder, readData } from './files.js';
import { type Dataset, type ImageSet, imageSet } from './image_set.js';
import type { Reader } from './reader.js';

interface Variant {
  readonly folder: string;
  readonly labelBytes: number;
  readonly classes: number;
  readonly train: readonly string[];
  readonly test: string;
  readonly classNames: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const VARIANTS = {
  cifar10: {
    folder: 'cifar-10-batches-bin',
    labelBytes: 1,
    classes: 10,
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: 'test_batch.bin',
    classNames: 'batches.meta.txt',
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.247, 0.2435, 0.2616],
  },
  cifar100: {
    folder: 'cifar-100-binary',
    labelBytes: 2,
    classes: 100,
    train: ['train.bin'],
    test: 'test.bin',
    classNames: 'fine_label_names.txt',
    mean: [0.5071, 0.4865, 0.4409],
    std: [0.2673, 0.2564, 0.2762],
  },
} as const satisfies Record<string, Variant>;

type CifarName = keyof typeof VARIANTS;
const CIFAR_NAMES = Object.keys(VARIANTS) as readonly CifarName[];

const SIZE = 32;
const PLANE = SIZE * SIZE;
const CHANNELS = 3;

async function readSet(folder: string, names: readonly string[], variant: Variant): Promise<ImageSet> {
  const record = variant.labelBytes + CHANNELS * PLANE;
  const files: Uint8Array[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const bytes = await readData(path);
    if (bytes.length === 0 || bytes.length % record !== 0) {
      throw new DataError(path, `whole records of ${record} bytes`, `${bytes.length} bytes`);
    }
    files.push(bytes);
  }
  const count = files.reduce((sum, bytes) => sum + bytes.length / record, 0);
  const pixels = new Uint8Array(count * CHANNELS * PLANE);
  const labels = new Int32Array(count);
  let image = 0;
  for (const bytes of files) {
    for (let at = 0; at < bytes.length; at += record, image++) {
      const planes = at + variant.labelBytes;
      labels[image] = bytes[planes - 1] as number; // the fine label is the last
      const to = image * CHANNELS * PLANE;
      for (let i = 0; i < PLANE; i++) {
        for (let c = 0; c < CHANNELS; c++) pixels[to + CHANNELS * i + c] = bytes[planes + c * PLANE + i] as number;
      }
    }
  }
  return imageSet(folder, { height: SIZE, width: SIZE, channels: CHANNELS, pixels, labels }, variant.classes);
}

async function readNames(path: string, classes: number): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const names = text.split('\n').filter((line) => line.trim() !== '');
  return names.length === classes ? names : Array.from({ length: classes }, (_, i) => String(i));
}

/**
 * Loads CIFAR-10 or CIFAR-100 from the folder of the binary version (or the folder that contains that folder). `testOnly`
 * leaves out the training images, most of the time that it takes.
 */
async function loadCifar(name: CifarName, from?: string, testOnly = false): Promise<Dataset> {
  const variant: Variant = VARIANTS[name];
  const roots = from ? [from] : ['/usr/share/datasets'];
  const folders = roots.flatMap((root) => [root, join(root, variant.folder), join(root, name, variant.folder)]);
  const folder = await findFolder(folders, variant.test);
  if (!folder) {
    throw new DataError(
      folders.join(', '),
      `the binary version's files (${variant.test}, …; give their folder with --data-dir)`,
      'none',
    );
  }
  return {
    name,
    classNames: await readNames(join(folder, variant.classNames), variant.classes),
    normalization: { mean: variant.mean, std: variant.std },
    ...(testOnly ? {} : { train: await readSet(folder, variant.train, variant) }),
    test: await readSet(folder, [variant.test], variant),
  };
}

export const cifarReader: Reader = {
  takes: CIFAR_NAMES.join(', '),
  names: CIFAR_NAMES,
  reads: (spec) => CIFAR_NAMES.includes(spec as CifarName),
  load: (spec, { from, testOnly }) => loadCifar(spec as CifarName, from, testOnly),
};
