// What a network is assessed on: samples that fit its input, batch by batch, so that bytes become floats only where they
// are needed. Checks once, before any work, that data and network agree.

import { InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { type ImageSet, imageSize, type Normalization, subset } from '../data/image_set.js';
import { Loader } from '../data/loader.js';
import { type ImageSource, imagesOf, type StoredImages } from '../data/stored_images.js';
import { operatorOf } from '../graph/check.js';
import { compatible, type Dim, formatShape } from '../graph/dims.js';
import { GraphError } from '../graph/errors.js';
import type { Graph, ValueInfo } from '../graph/graph.js';
import { inferShapes } from '../graph/infer.js';
import { outputOf } from '../graph/output.js';
import { freshName } from '../graph/passes/rewrite.js';
import { pinInputs } from '../graph/pin_inputs.js';
import type { EvaluationData } from '../runtime/evaluate_policies.js';
import { chooseTask } from '../tasks/index.js';
import type { Answers, Task } from '../tasks/task.js';
import { floats, type HostTensor, integers } from '../tensor/host_tensor.js';
import { Random } from '../tensor/random.js';

export interface SampleBatch extends EvaluationData {
  /** Number of the first sample. */
  readonly start: number;
  readonly count: number;
}

/** Samples for one network. */
export interface Samples {
  readonly count: number;
  /** One sample as the network's input has it: [C, H, W], … */
  readonly dims: readonly number[];
  /** What a good answer is; everything that judges the network on these samples asks it. */
  readonly task: Task;
  /** Expected answer to each sample; absent: agreement with full precision is all that can be measured. */
  readonly labels: Answers | undefined;
  /** Samples of which each batch overwrites the one before. */
  batches(size: number): Generator<SampleBatch>;
  /** Those with these numbers, in this order. */
  take(indices: Int32Array): Samples;
}

/** Which images, and how the input orders them. */
export interface ImageSamplesOptions {
  /** How the network's input orders an image. Default `nchw`. */
  readonly layout?: 'nchw' | 'nhwc' | undefined;
  /** Take this many images, drawn by the seed and kept in order. Default: all. */
  readonly count?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Name of the task. Default: what the output leaves no doubt of, else classification. */
  readonly task?: string | undefined;
}

const OPERATION = 'samples';

/** So many samples more than the file says: no size inside a network is likely to be the same. */
const OTHER_BATCH = 97;

/** The network's one float input. Throws GraphError where it is another kind of network. */
export function inputOf(graph: Graph): ValueInfo {
  const [input, ...others] = graph.inputs;
  if (!input || others.length > 0 || input.dtype !== 'float32') {
    const received = graph.inputs.map(({ name, dtype }) => `${name}: ${dtype}`).join(', ');
    throw new GraphError(graph.name, `expected one float32 input, received ${received || 'none'}`);
  }
  return input;
}

/**
 * The graph with a batch of any size, where its file declares one of a fixed size and nothing inside depends on it.
 * `batch`: the size that it is bound to all the same. `sample`: dimensions that samples have, where the file leaves them
 * open; not every network takes every size.
 */
export function freeBatch(
  source: Graph,
  sample?: readonly number[],
): { readonly graph: Graph; readonly batch: number | undefined } {
  const graph = sample ? fitted(source, sample) : source;
  const input = inputOf(graph);
  const [fixed, ...rest] = input.dims ?? [];
  if (typeof fixed !== 'number') return { graph, batch: undefined };
  const free = (value: ValueInfo): ValueInfo =>
    value.dims?.[0] === fixed ? { ...value, dims: ['N', ...value.dims.slice(1)] } : value;
  const inside = freeShapes(graph, fixed);
  const freed = inside.with({ inputs: [free(input)], outputs: graph.outputs.map(free), values: new Map() });
  try {
    const other = fixed + OTHER_BATCH;
    const types = inferShapes(freed, { inputs: { [input.name]: [other, ...rest] } });
    const whole = graph.outputs.every(({ name }) => types.get(name)?.dims[0] === other);
    return whole ? { graph: freed, batch: undefined } : { graph, batch: fixed };
  } catch (error) {
    if (error instanceof GraphError) return { graph, batch: fixed };
    throw error;
  }
}

/** The graph with constant shapes that keep a batch of this size left open there: Reshape from [8, 4, 1, 1] to [8, 4]. */
function freeShapes(graph: Graph, batch: number): Graph {
  const initializers = new Map(graph.initializers);
  const types = inferShapes(graph);
  const nodes = graph.nodes.map((node) => {
    const { openShape } = operatorOf(node);
    const shape = openShape === 'none' ? undefined : graph.initializers.get(node.inputs[openShape] ?? '');
    const sizes = shape ? Array.from(shape.data, Number) : [];
    const keeps = sizes[0] === batch && types.get(node.inputs[0] as string)?.dims[0] === batch;
    if (!keeps) return node;
    const name = freshName(graph, `${node.name}.shape`, initializers);
    initializers.set(name, integers([sizes.includes(-1) ? 0 : -1, ...sizes.slice(1)]));
    return { ...node, inputs: node.inputs.map((input, index) => (index === openShape ? name : input)) };
  });
  return graph.with({ nodes, initializers });
}

/** The graph with its input of the dimensions that samples have. */
function fitted(graph: Graph, sample: readonly number[]): Graph {
  const { name, dims } = inputOf(graph);
  return pinInputs(graph, { [name]: [dims?.[0] ?? 'N', ...sample] });
}

function checkShape(graph: Graph, what: string, dims: readonly number[]): void {
  const { name, dims: expected } = inputOf(graph);
  const received: Dim[] = ['N', ...dims];
  const sample = expected?.slice(1);
  const fits = !sample || (sample.length === dims.length && sample.every((dim, i) => compatible(dim, dims[i] as Dim)));
  if (fits) return;
  throw new InvalidArgumentError(
    OPERATION,
    what,
    `shape ${formatShape(expected as Dim[])} (input "${name}")`,
    formatShape(received),
  );
}

/** The task of a network with samples of these dimensions, checked against labels. */
function taskFor(
  graph: Graph,
  dims: readonly number[],
  labels: Answers | undefined,
  count: number,
  name?: string,
): Task {
  const fit = fitted(graph, dims);
  const { task } = chooseTask(fit, name);
  if (!labels) return task;
  if (labels.length !== count) {
    throw new InvalidArgumentError(OPERATION, 'labels', `one for each of ${count} samples`, String(labels.length));
  }
  const bad = task.badLabel(labels, outputOf(fit).width);
  if (!bad) return task;
  const received = `${task.print(labels, bad.sample)} at sample ${bad.sample}`;
  throw new InvalidArgumentError(OPERATION, 'labels', bad.expected, received);
}

/** One image as the network's input has it; grey ones may be [H, W] or [H · W] there. */
function inputDims(graph: Graph, { channels, height, width, sample }: ImageSource, layout: 'nchw' | 'nhwc') {
  if (sample) return { dims: sample, layout: 'nhwc' } as const;
  const rank = inputOf(graph).dims?.length;
  if (channels === 1 && rank === 3) return { dims: [height, width], layout: 'nhwc' } as const;
  if (channels === 1 && rank === 2) return { dims: [height * width], layout: 'nhwc' } as const;
  return { dims: layout === 'nchw' ? [channels, height, width] : [height, width, channels], layout } as const;
}

/** Images with their normalization. Throws InvalidArgumentError when they or their labels do not fit the network. */
export function imageSamples(
  graph: Graph,
  images: ImageSource,
  normalization: Normalization,
  options: ImageSamplesOptions = {},
): Samples {
  const { count = images.count, seed = 0 } = options;
  if (!(images.count > 0)) throw new InvalidArgumentError(OPERATION, 'images', 'one or more', String(images.count));
  const { labels } = images;
  const { dims, layout } = inputDims(graph, images, options.layout ?? 'nchw');
  checkShape(graph, 'images', dims);
  const task = taskFor(graph, dims, labels, images.count, options.task);
  if ('read' in images) {
    const all = Int32Array.from({ length: images.count }, (_, i) => i);
    return storedSamples(images, choose(all, count, seed), task, dims, normalization, layout);
  }
  if (count >= images.count) return heldSamples(images, task, dims, normalization, layout);
  const order = Int32Array.from({ length: images.count }, (_, i) => i);
  return heldSamples(subset(images, choose(order, count, seed)), task, dims, normalization, layout);
}

/** A seeded choice of `count` of them, in their order. */
function choose(indices: Int32Array, count: number, seed: number): Int32Array {
  if (count >= indices.length) return indices;
  return new Random(seed).split('samples').shuffle(indices).subarray(0, count).sort();
}

/** A seeded choice of `count` of the images, in their order and in memory; without a count all, where they are. */
export function chooseImages(images: ImageSource, count = images.count, seed = 0): ImageSource {
  if (count >= images.count) return images;
  return imagesOf(
    images,
    choose(
      Int32Array.from({ length: images.count }, (_, i) => i),
      count,
      seed,
    ),
  );
}

/** Batches of a set, the first image being sample `from`. */
function* batchesOf(
  set: ImageSet,
  task: Task,
  dims: readonly number[],
  normalization: Normalization,
  layout: 'nchw' | 'nhwc',
  size: number,
  from = 0,
): Generator<SampleBatch> {
  let start = 0;
  for (const { count, inputs } of new Loader(set, { batchSize: Math.min(size, set.count), normalization }).epoch(0)) {
    yield {
      start: from + start,
      count,
      dims: [count, ...dims],
      inputs: inputs.subarray(0, count * imageSize(set)),
      layout: layout === 'nchw' ? 'channelsLast' : 'rows',
      task,
      labels: set.labels?.subarray(start, start + count),
    };
    start += count;
  }
}

function heldSamples(
  set: ImageSet,
  task: Task,
  dims: readonly number[],
  normalization: Normalization,
  layout: 'nchw' | 'nhwc',
): Samples {
  return {
    count: set.count,
    dims,
    task,
    labels: set.labels,
    take: (indices) => heldSamples(subset(set, indices), task, dims, normalization, layout),
    batches: (size) => batchesOf(set, task, dims, normalization, layout, size),
  };
}

/** Images that stay where they are but for those of one batch. */
function storedSamples(
  images: StoredImages,
  chosen: Int32Array,
  task: Task,
  dims: readonly number[],
  normalization: Normalization,
  layout: 'nchw' | 'nhwc',
): Samples {
  const { labels } = images;
  return {
    count: chosen.length,
    dims,
    task,
    labels: labels && Int32Array.from(chosen, (index) => labels[index] as number),
    take(indices) {
      const imageNumbers = Int32Array.from(indices, (index) => chosen[index] as number);
      return storedSamples(images, imageNumbers, task, dims, normalization, layout);
    },
    *batches(size) {
      for (let start = 0; start < chosen.length; start += size) {
        const part = images.read(chosen.subarray(start, start + size));
        yield* batchesOf(part, task, dims, normalization, layout, size, start);
      }
    },
  };
}

const numbersFrom = (start: number, end: number) => Int32Array.from({ length: end - start }, (_, i) => start + i);

/** Samples in one float32 tensor [count, …]. Throws InvalidArgumentError when they do not fit the network. */
export function tensorSamples(graph: Graph, inputs: HostTensor, labels?: Answers, name?: string): Samples {
  const [count = 0, ...dims] = inputs.dims;
  if (inputs.dtype !== 'float32' || count === 0) {
    const received = `${inputs.dtype} [${inputs.dims}]`;
    throw new InvalidArgumentError(OPERATION, 'inputs', 'float32, one or more samples', received);
  }
  checkShape(graph, 'inputs', dims);
  const task = taskFor(graph, dims, labels, count, name);
  const data = inputs.data as Float32Array;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  const size = sizeOf(dims);
  if (bad >= 0) {
    const received = `${data[bad]} in sample ${Math.floor(bad / size)}`;
    throw new InvalidArgumentError(OPERATION, 'inputs', 'finite numbers', received);
  }
  return {
    count,
    dims,
    task,
    labels,
    take(indices) {
      const chosen = new Float32Array(indices.length * size);
      indices.forEach((index, i) => {
        chosen.set(data.subarray(index * size, (index + 1) * size), i * size);
      });
      return tensorSamples(
        graph,
        floats([indices.length, ...dims], chosen),
        labels && task.take(labels, indices),
        name,
      );
    },
    *batches(batchSize) {
      for (let start = 0; start < count; start += batchSize) {
        const end = Math.min(count, start + batchSize);
        yield {
          start,
          count: end - start,
          dims: [end - start, ...dims],
          inputs: data.subarray(start * size, end * size),
          task,
          labels: labels && task.take(labels, numbersFrom(start, end)),
        };
      }
    },
  };
}

/**
 * Two parts without a sample in common, drawn by the seed: the first of `count`, the second of the rest. What is chosen
 * on one part is judged on the other.
 */
export function splitSamples(samples: Samples, count: number, seed = 0): readonly [Samples, Samples] {
  const order = Int32Array.from({ length: samples.count }, (_, i) => i);
  new Random(seed).split('parts').shuffle(order);
  return [samples.take(order.slice(0, count).sort()), samples.take(order.slice(count).sort())];
}
