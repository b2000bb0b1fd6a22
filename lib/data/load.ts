// From what a person writes after --data to a data set.
import { stat } from 'node:fs/promises';
import { CIFAR_NAMES, type CifarName, loadCifar } from './cifar.js';
import { DataError } from './errors.js';
import { loadIdx, openIdx } from './idx.js';
import { type ImageFolderOptions, loadImageFolder, openImageFolder } from './image_folder.js';
import type { Dataset } from './image_set.js';
import { loadMnist, MNIST_NAMES, type MnistName } from './mnist.js';
import { loadNpy, loadNpz, openNpy } from './npy.js';
import type { OpenDataset } from './stored_images.js';

/** What a data set needs beside its name. */
export interface LoadOptions extends ImageFolderOptions {
  /** Folder or, for MNIST and Fashion-MNIST, web address of a named data set's files. */
  readonly from?: string;
  /** Of a named data set, leaves the training images where they are. */
  readonly testOnly?: boolean;
}

/** The names `loadDataset` knows. */
export const DATASET_NAMES: readonly string[] = [...MNIST_NAMES, ...CIFAR_NAMES];

/** Where images of a path are. */
function kindOf(spec: string) {
  const [images = '', labels, ...more] = spec.split(',');
  if (more.length > 0) return undefined;
  if (images.endsWith('.npy')) return { kind: 'npy', images, labels } as const;
  return /idx3?(-ubyte)?(\.gz)?$/.test(images) ? ({ kind: 'idx', images, labels } as const) : undefined;
}

/**
 * `spec`: a name (fashion-mnist, mnist, cifar10, cifar100), a folder of pictures, a .npz file, a .npy file of images,
 * `images.npy,labels.npy`, or IDX files likewise. Throws DataError, which names the file, what was expected and what came.
 */
export async function loadDataset(spec: string, options: LoadOptions = {}): Promise<Dataset> {
  if (MNIST_NAMES.includes(spec as MnistName)) return loadMnist(spec as MnistName, options.from, options.testOnly);
  if (CIFAR_NAMES.includes(spec as CifarName)) return loadCifar(spec as CifarName, options.from, options.testOnly);
  if (spec.endsWith('.npz')) return loadNpz(spec);
  const files = kindOf(spec);
  if (files?.kind === 'npy') return loadNpy(files.images, files.labels);
  if (files) return loadIdx(files.images, files.labels);
  if (await isFolder(spec)) return loadImageFolder(spec, options);
  throw new DataError(
    spec,
    `${DATASET_NAMES.join(', ')}, a folder, a .npz file, images.npy,labels.npy or IDX files`,
    'none of them',
  );
}

const isFolder = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** Bytes of images from which on they are not taken into memory. */
const LEAST_STORED = 2 ** 28;

/**
 * As `loadDataset`, but images of a large .npy file, a large IDX file (not compressed) or a large folder are not taken into
 * memory: they are read as they are wanted. `least`: what large is, in bytes; 256 MB by default.
 */
export async function openDataset(
  spec: string,
  options: LoadOptions & { readonly least?: number } = {},
): Promise<OpenDataset> {
  const { least = LEAST_STORED, ...load } = options;
  const known = DATASET_NAMES.includes(spec);
  if (!known && (await isFolder(spec))) return openImageFolder(spec, load, least);
  const files = known ? undefined : kindOf(spec);
  const size = files && (await stat(files.images).catch(() => undefined))?.size;
  if (!files || files.images.endsWith('.gz') || !(size !== undefined && size >= least)) return loadDataset(spec, load);
  return files.kind === 'npy' ? openNpy(files.images, files.labels) : openIdx(files.images, files.labels);
}
