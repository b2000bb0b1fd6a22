// What a reader of samples is: it knows which texts after --data it reads, and makes a data set of them.
import type { ImageFolderOptions } from './image_folder.js';
import type { Dataset } from './image_set.js';
import type { OpenDataset } from './stored_images.js';

/** What a model takes: dimensions of one sample, undefined where the file leaves them open, and how it orders images. */
export interface ModelInput {
  readonly sample: readonly (number | undefined)[];
  readonly layout: 'nchw' | 'nhwc';
}

/** What a data set needs beside its name or path. */
export interface LoadOptions extends ImageFolderOptions {
  /** An array of exactly this shape is the input. Default: arrays are images or rows. */
  readonly input?: ModelInput;
  /** Folder or, for MNIST and Fashion-MNIST, web address of a named data set's files. */
  readonly from?: string;
  /** Of a named data set, leaves out the training images. */
  readonly testOnly?: boolean;
}

export interface Reader {
  /** The texts that it reads, in words: `a .npz file`. */
  readonly takes: string;
  /** Names of data sets that come without a path. */
  readonly names?: readonly string[];
  /** Whether it reads this text. The first reader of the registry that does is taken. */
  reads(spec: string): boolean | Promise<boolean>;
  /** Throws DataError, which names the file, what was expected and what was received. */
  load(spec: string, options: LoadOptions): Promise<Dataset>;
  /** As `load`, but images of more than `least` bytes stay in their files. Default: `load`. */
  open?(spec: string, options: LoadOptions, least: number): Promise<OpenDataset>;
}

/** `images.npy,labels.npy` → its parts; undefined where there are more than two. */
export function imagesAndLabels(
  spec: string,
): { readonly images: string; readonly labels: string | undefined } | undefined {
  const [images = '', labels, ...more] = spec.split(',');
  return more.length > 0 ? undefined : { images, labels };
}
