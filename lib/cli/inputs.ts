// Data for a model that came from elsewhere: which images, and how they become the network's input. What is not said on
// the command line is read from the model's input.
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { classesOf, imageSamples, inputOf, type Samples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import type { Dataset, ImageSet, Normalization } from '../data/image_set.js';
import { type LoadOptions, loadDataset, openDataset } from '../data/load.js';
import { type ImageSource, mapImages } from '../data/stored_images.js';
import type { Graph } from '../graph/graph.js';
import { integerOption } from './options.js';
import { tellNotes } from './progress.js';

export interface InputFlags {
  readonly data: string;
  readonly dataDir?: string;
  readonly split: string;
  readonly images?: number;
  readonly seed: number;
  readonly layout: string;
  readonly size?: readonly [number, number];
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly pixels: string;
  readonly bgr?: true;
}

const refuse = (option: string, expected: string, received: string): never => {
  throw new InvalidArgumentError('faultline', option, expected, received);
};

function numbersOption(name: string, accept: (value: number) => boolean, expected: string) {
  return (text: string): number[] => {
    const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (!values.every((value) => Number.isFinite(value) && accept(value))) refuse(name, expected, text);
    return values;
  };
}

function sizeOption(text: string): [number, number] {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [height, width] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  return height > 0 && width > 0 ? [height, width] : refuse('--size', 'HEIGHTxWIDTH, as 224x224', text);
}

export function addInputOptions(command: Command, defaultImages?: number): Command {
  return command
    .requiredOption(
      '--data <name or path>',
      'fashion-mnist, cifar10, …, a folder of pictures, .npz, images.npy[,labels.npy], IDX files likewise',
    )
    .option('--data-dir <folder or URL>', 'where the files of a named data set are')
    .option('--split <name>', 'test or train, where the data have both', 'test')
    .option('--images <n>', 'at most so many, drawn by --seed', integerOption('--images', 1), defaultImages)
    .option('--seed <n>', 'of everything drawn', integerOption('--seed', 0), 0)
    .option('--layout <name>', "order of the model's input: nchw or nhwc", 'nchw')
    .option('--size <HxW>', "pictures of a folder are resized to this; default: the model's input", sizeOption)
    .option(
      '--mean <numbers>',
      'taken off each channel',
      numbersOption('--mean', () => true, 'numbers, as .5,.5,.5'),
    )
    .option(
      '--std <numbers>',
      'then divides it',
      numbersOption('--std', (x) => x > 0, 'numbers above 0, as .2,.2,.2'),
    )
    .option('--pixels <range>', 'range that mean and std are for, of byte pixels: 1 or 255', '1')
    .option('--bgr', 'the model takes blue, green, red');
}

const oneOf = <Name extends string>(option: string, names: readonly Name[], text: string): Name =>
  names.find((name) => name === text) ?? refuse(option, names.join(' or '), text);

/** Height, width and channels that the model declares, where it does. */
function declared(graph: Graph, layout: 'nchw' | 'nhwc') {
  const dims = inputOf(graph).dims ?? [];
  if (dims.length !== 4) return {};
  const [channels, height, width] = (layout === 'nchw' ? [1, 2, 3] : [3, 1, 2]).map((axis) => {
    const dim = dims[axis];
    return typeof dim === 'number' ? dim : undefined;
  });
  return { channels, height, width };
}

function spread(
  option: string,
  values: readonly number[] | undefined,
  channels: number,
): readonly number[] | undefined {
  if (!values || values.length === channels) return values;
  if (values.length === 1) return Array<number>(channels).fill(values[0] as number);
  return refuse(option, `1 or ${channels} numbers`, String(values.length));
}

/** mean and std as the Loader takes them: of pixels scaled to 0–1. */
function normalizationOf(flags: InputFlags, usual: Normalization, channels: number): Normalization {
  const scale = oneOf('--pixels', ['1', '255'], flags.pixels) === '255' ? 255 : 1;
  const given = (option: '--mean' | '--std', values: readonly number[] | undefined) =>
    spread(option, values, channels)?.map((value) => value / scale);
  const mean = given('--mean', flags.mean);
  const std = given('--std', flags.std);
  // One of the two given stands for a declared preprocessing of which the other does nothing.
  if (mean || std || scale !== 1) {
    const one = Array<number>(channels).fill(1 / scale);
    return { mean: mean ?? Array<number>(channels).fill(0), std: std ?? one };
  }
  return usual;
}

function swapped(set: ImageSet): ImageSet {
  if (set.channels !== 3) return refuse('--bgr', 'images with 3 channels', String(set.channels));
  const pixels = set.pixels.slice();
  for (let i = 0; i < pixels.length; i += 3) {
    pixels[i] = set.pixels[i + 2] as number;
    pixels[i + 2] = set.pixels[i] as number;
  }
  return { ...set, pixels };
}

/** Floats with --mean and --std applied; as they stand without: bytes alone have a range, and are normalized as they are read. */
function normalizedFloats(set: ImageSet, { mean, std, pixels }: InputFlags): ImageSet {
  if (!(set.pixels instanceof Float32Array)) return set;
  if (pixels !== '1') refuse('--pixels', 'byte images: floats are as --mean and --std have them', 'floats');
  if (!mean && !std) return set;
  const { channels } = set;
  const means = spread('--mean', mean, channels) ?? [];
  const stds = spread('--std', std, channels) ?? [];
  const values = set.pixels.map((value, i) => (value - (means[i % channels] ?? 0)) / (stds[i % channels] ?? 1));
  return { ...set, pixels: values };
}

/** Images as the data have them, and what makes them the model's input. */
export interface Images<Source = ImageSet> {
  readonly set: Source;
  readonly dataset: Dataset<Source>;
  readonly normalization: Normalization;
  readonly layout: 'nchw' | 'nhwc';
  /** Exchanges colours where the model takes them in another order, and normalizes floats. */
  readonly prepare: (set: ImageSet) => ImageSet;
}

/** The images that the flags ask for, in memory, all of them. Throws DataError or InvalidArgumentError. */
export async function readImages(graph: Graph, flags: InputFlags): Promise<Images> {
  return imagesOf(graph, flags, loadDataset);
}

/** Class folders are numbered as PyTorch's ImageFolder does; where some are missing, all after them are other classes. */
function folderNotes(graph: Graph, data: string, { length }: readonly string[]): string[] {
  const classes = classesOf(graph);
  const isFolder = statSync(data, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder || length === 0 || classes === undefined || length === classes) return [];
  return [
    `${data}: ${length} class folders, in alphabetical order, are classes 0 to ${length - 1} of the model's ${classes}`,
  ];
}

async function imagesOf<Source extends ImageSource>(
  graph: Graph,
  flags: InputFlags,
  load: (spec: string, options: LoadOptions) => Promise<Dataset<Source>>,
): Promise<Images<Source>> {
  const layout = oneOf('--layout', ['nchw', 'nhwc'], flags.layout);
  const split = oneOf('--split', ['test', 'train'], flags.split);
  const model = declared(graph, layout);
  const [height, width] = flags.size ?? [model.height, model.width];
  const channels = model.channels === 1 || model.channels === 3 ? model.channels : undefined;
  const dataset = await load(flags.data, {
    ...(height && width ? { height, width } : {}),
    ...(channels ? { channels } : {}),
    ...(flags.dataDir === undefined ? {} : { from: flags.dataDir }),
  });
  tellNotes(folderNotes(graph, flags.data, dataset.classNames));
  const set = dataset[split] ?? refuse('--split', 'a split that the data have', split);
  const normalization = normalizationOf(flags, dataset.normalization, set.channels);
  const prepare = (images: ImageSet) => normalizedFloats(flags.bgr ? swapped(images) : images, flags);
  return { set, dataset, normalization, layout, prepare };
}

/** The images that the flags ask for, as samples; large sets stay in their files. Throws DataError or InvalidArgumentError, naming file or option. */
export async function readInputs(graph: Graph, flags: InputFlags): Promise<{ samples: Samples }> {
  // No other split is wanted.
  const open = (spec: string, options: LoadOptions) =>
    openDataset(spec, { ...options, testOnly: flags.split === 'test' });
  const { set, normalization, layout, prepare } = await imagesOf(graph, flags, open);
  const { images: count, seed } = flags;
  return { samples: imageSamples(graph, mapImages(set, prepare), normalization, { layout, count, seed }) };
}
