// From what a person writes after --data to a data set.
import { stat } from 'node:fs/promises';
import { CIFAR_NAMES, type CifarName, loadCifar } from './cifar.js';
import { DataError } from './errors.js';
import { loadIdx } from './idx.js';
import { type ImageFolderOptions, loadImageFolder } from './image_folder.js';
import type { Dataset } from './image_set.js';
import { loadMnist, MNIST_NAMES, type MnistName } from './mnist.js';
import { loadNpy, loadNpz } from './npy.js';

export interface LoadOptions extends ImageFolderOptions {
  /** Folder or, for MNIST and Fashion-MNIST, web address of a named data set's files. */
  readonly from?: string;
}

/** The names `loadDataset` knows. */
export const DATASET_NAMES: readonly string[] = [...MNIST_NAMES, ...CIFAR_NAMES];

/**
 * `spec`: a name (fashion-mnist, mnist, cifar10, cifar100), a folder of pictures, a .npz file, a .npy file of images,
 * `images.npy,labels.npy`, or IDX files likewise. Throws DataError, which names the file, what was wanted and what came.
 */
export async function loadDataset(spec: string, options: LoadOptions = {}): Promise<Dataset> {
  if (MNIST_NAMES.includes(spec as MnistName)) return loadMnist(spec as MnistName, options.from);
  if (CIFAR_NAMES.includes(spec as CifarName)) return loadCifar(spec as CifarName, options.from);
  if (spec.endsWith('.npz')) return loadNpz(spec);
  const [images, labels, ...more] = spec.split(',');
  if (images?.endsWith('.npy') && more.length === 0) return loadNpy(images, labels);
  if (/idx3?(-ubyte)?(\.gz)?$/.test(images ?? '') && more.length === 0) return loadIdx(images as string, labels);
  const folder = await stat(spec).catch(() => undefined);
  if (folder?.isDirectory()) return loadImageFolder(spec, options);
  throw new DataError(
    spec,
    `${DATASET_NAMES.join(', ')}, a folder, a .npz file, images.npy,labels.npy or IDX files`,
    'none of them',
  );
}
