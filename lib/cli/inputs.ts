// Data for a user's model: which images, and how they become the network's input. What is not set on
// the command line is read from the model's input.
import { statSync } from 'node:fs';
import { chooseImages, imageSamples, inputOf, type Samples } from '../assess/samples.js';
import type { Dataset, ImageSet, Normalization } from '../data/image_set.js';
import { inspectData, type SeenData } from '../data/inspect_data.js';
import { loadDataset, openDataset } from '../data/load.js';
import type { LoadOptions } from '../data/reader.js';
import { type ImageSource, mapImages } from '../data/stored_images.js';
import type { Graph } from '../graph/graph.js';
import { judgedOutput, outputOf } from '../graph/output.js';
import { chooseTask, TASKS } from '../tasks/index.js';
import type { JudgedFlags } from './model.js';
import { choice, chosen, flag, option, refuse, text, wholeNumber } from './option.js';
import { Progress } from './progress.js';

interface InputFlags extends JudgedFlags {
  readonly data: string;
  readonly dataDir?: string | undefined;
  readonly split: string;
  readonly images?: number | undefined;
  readonly seed: number;
  readonly layout?: string | undefined;
  readonly size?: readonly [number, number] | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly pixels: string;
  readonly bgr?: true | undefined;
}

/** Numbers between commas that `accept` takes. */
function numbers(help: string, expected: string, accept: (value: number) => boolean) {
  return option<readonly number[]>('<numbers>', help, (one, name) => {
    const values = one.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    return values.every((value) => Number.isFinite(value) && accept(value)) ? values : refuse(name, expected, one);
  });
}

function heightAndWidth(one: string, name: string): readonly [number, number] {
  const match = /^(\d+)x(\d+)$/.exec(one);
  const [height, width] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  return height > 0 && width > 0 ? [height, width] : refuse(name, 'HEIGHTxWIDTH, as 224x224', one);
}

/** What is judged of a model's outputs, and how. */
const JUDGED_OPTIONS = {
  task: choice('<name>', `${[...TASKS.keys()].join(', ')}; default: by the output`, [...TASKS.keys()]),
  output: text('<name>', 'the output that is judged; default: the first that is float32'),
};

/** Which samples a command reads, at most `images` of them, and how they become the network's input. */
export function inputOptions(images?: number) {
  return {
    data: text(
      '<name or path>',
      'fashion-mnist, cifar10, …, a folder of pictures, .npz, images.npy[,labels.npy], or two IDX files',
      { required: true },
    ),
    dataDir: text('<folder or URL>', 'where the files of a named data set are'),
    split: text('<name>', 'test or train, where the data have both', { default: 'test' }),
    images: wholeNumber('<n>', 'at most so many, drawn by --seed', 1, images === undefined ? {} : { default: images }),
    seed: wholeNumber('<n>', 'of everything drawn', 0, { default: 0 }),
    layout: text('<name>', "order of the model's input: nchw or nhwc; default: as its dimensions look"),
    size: option('<HxW>', "pictures of a folder are resized to this; default: the model's input", heightAndWidth),
    mean: numbers('subtracted from each channel', 'numbers, as .5,.5,.5', () => true),
    std: numbers('then divides it', 'numbers above 0, as .2,.2,.2', (x) => x > 0),
    pixels: text('<range>', 'range that mean and std are for, of byte pixels: 1 or 255', { default: '1' }),
    bgr: flag('the model takes blue, green, red'),
    ...JUDGED_OPTIONS,
  };
}

/** Sides from which on an image is more likely than channels. */
const LEAST_SIDE = 8;

/** The order of the input: as the option says, or channels last where only the last dimension can be channels. */
function layoutOf(graph: Graph | undefined, flag: string | undefined, progress: Progress): 'nchw' | 'nhwc' {
  if (flag !== undefined) return chosen('--layout', ['nchw', 'nhwc'], flag);
  if (!graph) return 'nchw';
  const { name, dims = [] } = inputOf(graph);
  const [, height = 0, width = 0, channels] = dims;
  const sides = Number(height) >= LEAST_SIDE && Number(width) >= LEAST_SIDE && Number(height) <= 2 * Number(width);
  if (dims.length !== 4 || !sides || Number(width) > 2 * Number(height) || (channels !== 1 && channels !== 3))
    return 'nchw';
  progress.notes([
    `input "${name}" is [${dims.join(',')}]: taken for height, width, channels (--layout nchw: it is not)`,
  ]);
  return 'nhwc';
}

/** Height, width and channels that the model declares, where it does. */
function declared(graph: Graph | undefined, layout: 'nchw' | 'nhwc') {
  const dims = (graph && inputOf(graph).dims) ?? [];
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
  const scale = chosen('--pixels', ['1', '255'], flags.pixels) === '255' ? 255 : 1;
  const checked = (option: '--mean' | '--std', values: readonly number[] | undefined) =>
    spread(option, values, channels)?.map((value) => value / scale);
  const mean = checked('--mean', flags.mean);
  const std = checked('--std', flags.std);
  // One of the two alone declares a preprocessing in which the other has no effect.
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

/**
 * Floats with --mean and --std applied, unchanged without: bytes alone have a range, and are normalized when they are
 * read.
 */
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
interface Images<Source = ImageSet> {
  readonly set: Source;
  readonly dataset: Dataset<Source>;
  readonly normalization: Normalization;
  readonly layout: 'nchw' | 'nhwc';
  /** Exchanges colours where the model takes them in another order, and normalizes floats. */
  readonly prepare: (set: ImageSet) => ImageSet;
}

/** All images that the flags name, in memory. Throws DataError or InvalidArgumentError. */
export async function readImages(graph: Graph, flags: InputFlags, progress = new Progress()): Promise<Images> {
  return imagesOf(graph, flags, loadDataset, progress);
}

/** Number of classes of the network, where its task has them and its shapes tell. */
function classesOf(graph: Graph): number | undefined {
  const { classes } = chooseTask(graph).task;
  return classes && (classes.byLargest ? outputOf(graph).width : 2);
}

/** Class folders are numbered as PyTorch's ImageFolder does; where some are missing, all after them are other classes. */
function folderNotes(graph: Graph | undefined, data: string, { length }: readonly string[]): string[] {
  const classes = graph && classesOf(graph);
  const isFolder = statSync(data, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder || length === 0 || classes === undefined || length === classes) return [];
  return [
    `${data}: ${length} class folders, in alphabetical order, are classes 0 to ${length - 1} of the model's ${classes}`,
  ];
}

async function imagesOf<Source extends ImageSource>(
  graph: Graph | undefined,
  flags: InputFlags,
  load: (spec: string, options: LoadOptions) => Promise<Dataset<Source>>,
  progress: Progress,
): Promise<Images<Source>> {
  const layout = layoutOf(graph, flags.layout, progress);
  const split = chosen('--split', ['test', 'train'], flags.split);
  const model = declared(graph, layout);
  const [height, width] = flags.size ?? [model.height, model.width];
  const channels = model.channels === 1 || model.channels === 3 ? model.channels : undefined;
  const sample =
    graph &&
    inputOf(graph)
      .dims?.slice(1)
      .map((dim) => (typeof dim === 'number' ? dim : undefined));
  const dataset = await load(flags.data, {
    ...(sample ? { input: { sample, layout } } : {}),
    ...(height && width ? { height, width } : {}),
    ...(channels ? { channels } : {}),
    ...(flags.dataDir === undefined ? {} : { from: flags.dataDir }),
  });
  progress.leftOut(dataset.notes ?? []);
  progress.notes(folderNotes(graph, flags.data, dataset.classNames));
  const set = dataset[split] ?? refuse('--split', 'a split that the data have', split);
  const normalization = normalizationOf(flags, dataset.normalization, set.channels);
  const prepare = (images: ImageSet) => normalizedFloats(flags.bgr ? swapped(images) : images, flags);
  return { set, dataset, normalization, layout, prepare };
}

/** A data set whose other split is not needed; what is large stays in its files. */
const opened =
  ({ split }: InputFlags) =>
  (spec: string, options: LoadOptions) =>
    openDataset(spec, { ...options, testOnly: split === 'test' });

/**
 * The images that the flags name, as samples; large sets stay in their files. Throws DataError or InvalidArgumentError,
 * naming file or option.
 */
export async function readInputs(
  graph: Graph,
  flags: InputFlags,
  progress = new Progress(),
): Promise<{ samples: Samples }> {
  const { set, normalization, layout, prepare } = await imagesOf(graph, flags, opened(flags), progress);
  const { images: count, seed } = flags;
  return {
    samples: imageSamples(graph, mapImages(set, prepare), normalization, { layout, count, seed, task: flags.task }),
  };
}

/** What a network sees of the images that the flags name; with a graph they are checked against its input. */
export async function inspectImages(
  file: Graph | undefined,
  flags: InputFlags,
  progress: Progress,
  signal: AbortSignal,
): Promise<SeenData> {
  const graph = file && judgedOutput(file, flags.output).graph;
  const { set, dataset, normalization, layout, prepare } = await imagesOf(graph, flags, opened(flags), progress);
  const { images: count, seed } = flags;
  const images = mapImages(set, prepare);
  if (graph) imageSamples(graph, images, normalization, { layout, count: 1, task: flags.task });
  const normalized = flags.mean !== undefined || flags.std !== undefined || dataset.normalization === normalization;
  return inspectData(chooseImages(images, count, seed), normalization, {
    normalized: normalized && normalization.std.some((std) => std !== 1),
    classNames: dataset.classNames,
    signal,
    onProgress: progress.counts('samples'),
  });
}
