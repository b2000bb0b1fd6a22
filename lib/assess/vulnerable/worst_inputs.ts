// The smallest change of an image that quantization turns into a wrong class while full precision stays right: proof by
// example of what a network and a policy cannot take.
//
// Every image is tried along several directions of one kind: a pixel made brighter, all pixels moved by up to ε, the
// whole image brightened or darkened. Along each, sizes of a geometric grid are tried, then the smallest that fails is
// halved towards the largest below it that does not. What comes back was run on integers and in float32: a true failure,
// and an upper bound of the smallest there is.

import { InvalidArgumentError, requireInteger } from '../../core/errors.js';
import { normalized } from '../../data/corruptions.js';
import { type ImageSet, imageSize, type Normalization, subset } from '../../data/image_set.js';
import type { Graph } from '../../graph/graph.js';
import type { Policy } from '../../policy/policy.js';
import { type Interval, wilsonInterval } from '../../statistics/shares.js';
import { Random } from '../../tensor/random.js';
import { float32Policy } from '../measure/figures.js';
import { Measurer, type PlanOptions, type PolicyAnswers } from '../measure/measurer.js';
import { imageSamples } from '../samples.js';

/**
 * pixel: one pixel, all its channels, set to `size` times white (from 1). linf: every value moved by `size` (a share of
 * white) up or down and held in black … white. intensity: every value multiplied by 1 + size, or divided.
 */
export type InputChange = 'pixel' | 'linf' | 'intensity';

/** Every kind of change. */
export const INPUT_CHANGES = ['pixel', 'linf', 'intensity'] as const satisfies readonly InputChange[];

/** Sizes tried, least to most. */
const LIMITS: Record<InputChange, readonly [number, number]> = {
  pixel: [1, 64],
  linf: [1 / 512, 0.25],
  intensity: [0.01, 7],
};
const GRID_STEPS = 12;
/** The last interval, GRID_STEPS a factor apart at first, is cut in half so often: a hundredth of its size remains. */
const HALVINGS = 5;

/** Under which policy, and how images may be changed. */
export interface WorstInputsOptions {
  readonly policy: Policy;
  readonly change: InputChange;
  /** Directions for each image: places of the pixel, patterns of signs; intensity has two. Default 8. */
  readonly directions?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly layout?: 'nchw' | 'nhwc' | undefined;
  /** Name of the task. Default: what the output leaves no doubt of, else classification. */
  readonly task?: string | undefined;
  /** What is done to images before they are inputs, such as an exchange of colours. */
  readonly prepare?: ((set: ImageSet) => ImageSet) | undefined;
  readonly plan?: PlanOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Runs of all images done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The change found for one image. */
export interface WorstInput {
  /** Number in the set. */
  readonly image: number;
  readonly label: number;
  /** The class on integers after the change; in full precision it is the label. */
  readonly after: number;
  /** Of the change; what it means is in InputChange. */
  readonly size: number;
  /** The changed image as the network takes it, [height, width, channels], normalised. */
  readonly input: Float32Array;
}

/** Changes of images that integers get wrong and full precision does not. */
export interface WorstInputs {
  readonly change: InputChange;
  /** Images that full precision and integers both get right unchanged: those that were tried. */
  readonly tried: number;
  /** Smallest change first; images that no change of this kind broke are left out. */
  readonly found: readonly WorstInput[];
  /** found / tried, and its 95 % interval. */
  readonly share: number;
  readonly shareInterval: Interval;
}

const OPERATION = 'worstInputs';

/** One image and one direction of change, searched for its smallest size that fails. */
interface Line {
  /** Number among the tried. */
  readonly image: number;
  readonly direction: number;
  /** Largest size known not to fail below the smallest that does. */
  low: number;
  /** Smallest size that fails. */
  high: number;
  after: number;
}

/**
 * The smallest failing change of each image. `set`: labelled images. Throws InvalidArgumentError for what does not fit;
 * the signal's reason when called off.
 */
export async function worstInputs(
  graph: Graph,
  set: ImageSet,
  normalization: Normalization,
  options: WorstInputsOptions,
): Promise<WorstInputs> {
  const { change, seed = 0, signal, onProgress } = options;
  if (!set.labels) throw new InvalidArgumentError(OPERATION, 'set', 'images with labels', 'images without');
  if (!Object.hasOwn(LIMITS, change)) {
    throw new InvalidArgumentError(OPERATION, 'change', Object.keys(LIMITS).join(', '), String(change));
  }
  requireInteger(OPERATION, 'directions', options.directions ?? 8, 1, 4096);
  const directions = change === 'intensity' ? 2 : (options.directions ?? 8);
  const trial = new Trial(graph, normalization, options);
  try {
    const right = await trial.right(set);
    if (right.length === 0) return { change, tried: 0, found: [], share: 0, shareInterval: [0, 1] };
    const images = subset(set, right);
    const inputs = normalized(images, normalization);
    const size = imageSize(set);
    const changed = (line: Line, amount: number, to: Float32Array) =>
      apply(change, images, inputs.subarray(line.image * size, (line.image + 1) * size), normalization, {
        amount,
        direction: line.direction,
        random: new Random(seed).split(`${change} ${right[line.image]}`).split(String(line.direction)),
        to,
      });
    const lines: Line[] = Array.from({ length: images.count * directions }, (_, i) => ({
      image: Math.floor(i / directions),
      direction: i % directions,
      low: 0,
      high: Number.POSITIVE_INFINITY,
      after: -1,
    }));
    const [least, most] = LIMITS[change];
    const total = GRID_STEPS + HALVINGS;
    // Outwards: a line that failed needs no larger size, nor does an image's line past the smallest of its others.
    for (let step = 0; step < GRID_STEPS; step++) {
      const amount = least * (most / least) ** (step / (GRID_STEPS - 1));
      const smallest = smallestByImage(lines);
      const open = lines.filter(({ image }) => !smallest.has(image));
      await trial.run(open, images, () => amount, changed);
      onProgress?.(step + 1, total);
    }
    const halved = [...smallestByImage(lines).values()].filter(({ low }) => low > 0);
    for (let halving = 0; halving < HALVINGS; halving++) {
      await trial.run(halved, images, ({ low, high }) => Math.sqrt(low * high), changed);
      onProgress?.(GRID_STEPS + halving + 1, total);
    }
    signal?.throwIfAborted();
    const found = [...smallestByImage(lines).values()].map((line): WorstInput => {
      const input = new Float32Array(size);
      changed(line, line.high, input);
      const image = right[line.image] as number;
      return { image, label: set.labels?.[image] as number, after: line.after, size: line.high, input };
    });
    found.sort((a, b) => a.size - b.size || a.image - b.image);
    const tried = images.count;
    return { change, tried, found, share: found.length / tried, shareInterval: wilsonInterval(found.length, tried) };
  } finally {
    trial.dispose();
  }
}

/** Each image's line with the smallest size that fails. */
function smallestByImage(lines: readonly Line[]): Map<number, Line> {
  const smallest = new Map<number, Line>();
  for (const line of lines) {
    if (line.high < (smallest.get(line.image)?.high ?? Number.POSITIVE_INFINITY)) smallest.set(line.image, line);
  }
  return smallest;
}

interface Change {
  readonly amount: number;
  readonly direction: number;
  /** Always the same for one line. */
  readonly random: Random;
  readonly to: Float32Array;
}

function apply(
  kind: InputChange,
  { height, width, channels }: ImageSet,
  from: Float32Array,
  { mean, std }: Normalization,
  { amount, direction, random, to }: Change,
): void {
  /** A value of a pixel, black 0 and white 1, as the network takes it. */
  const normal = (pixel: number, c: number) => (pixel - (mean[c] ?? 0)) / (std[c] ?? 1);
  to.set(from);
  if (kind === 'pixel') {
    const place = random.integer(height * width) * channels;
    for (let c = 0; c < channels; c++) to[place + c] = normal(amount, c);
    return;
  }
  const factor = direction === 0 ? 1 + amount : 1 / (1 + amount);
  for (let i = 0; i < from.length; i++) {
    const c = i % channels;
    const pixel = (from[i] as number) * (std[c] ?? 1) + (mean[c] ?? 0);
    if (kind === 'intensity') to[i] = normal(pixel * factor, c);
    else to[i] = normal(Math.min(1, Math.max(0, pixel + (random.uint32() & 1 ? amount : -amount))), c);
  }
}

/** Runs of both networks on changed images. */
class Trial {
  private readonly measurer: Measurer;
  private readonly policies: readonly Policy[];

  constructor(
    private readonly graph: Graph,
    private readonly normalization: Normalization,
    private readonly options: WorstInputsOptions,
  ) {
    this.measurer = new Measurer(graph);
    this.policies = [float32Policy(graph), options.policy];
  }

  /** Numbers of the images whose class is right in both. */
  async right(set: ImageSet): Promise<Int32Array> {
    const { scores } = await this.answers(set);
    const both = (i: number) => scores.every((score) => score[i] === 1);
    return Int32Array.from({ length: set.count }, (_, i) => i).filter(both);
  }

  /** Tries each line at one size and narrows it. */
  async run(
    lines: readonly Line[],
    images: ImageSet,
    amountOf: (line: Line) => number,
    changed: (line: Line, amount: number, to: Float32Array) => void,
  ): Promise<void> {
    const size = imageSize(images);
    const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / size));
    for (let start = 0; start < lines.length; start += step) {
      const part = lines.slice(start, start + step);
      const pixels = new Float32Array(part.length * size);
      const amounts = part.map(amountOf);
      part.forEach((line, i) => {
        changed(line, amounts[i] as number, pixels.subarray(i * size, (i + 1) * size));
      });
      const labels = Int32Array.from(part, ({ image }) => images.labels?.[image] as number);
      const { quantized, scores } = await this.answers({ ...images, count: part.length, pixels, labels });
      part.forEach((line, i) => {
        const fails = scores[0]?.[i] === 1 && scores[1]?.[i] === 0;
        if (fails) {
          line.high = amounts[i] as number;
          line.after = quantized[i] as number;
        } else {
          line.low = amounts[i] as number;
        }
      });
    }
  }

  /** Quantized answers, and scores in full precision and quantized. */
  private async answers(set: ImageSet) {
    const { layout, task, prepare = (images: ImageSet) => images, plan, signal } = this.options;
    const samples = imageSamples(this.graph, prepare(set), this.normalization, { layout, task });
    const outcomes = await this.measurer.run(samples, this.policies, { plan, signal });
    const scores = outcomes.map(({ answers }) => samples.task.scores(answers, set.labels as Int32Array));
    return { quantized: (outcomes[1] as PolicyAnswers).answers as Int32Array, scores };
  }

  dispose(): void {
    this.measurer.dispose();
  }
}

/** Floats of the changed images that are in memory at once: 16 MB. */
const CHUNK_ELEMENTS = 2 ** 22;
