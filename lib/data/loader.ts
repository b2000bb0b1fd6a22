// Batches of network inputs: normalised, in a seeded order, augmented by seeded random transformations.
//
// A batch is made from bytes by one table look-up a pixel, in the same thread as the training step.
import { InvalidArgumentError } from '../native/errors.js';
import { Random } from '../tensor/random.js';
import { type ImageSet, imageSize, type Normalization } from './image_set.js';

/** Seeded random changes of training images. */
export interface Augmentation {
  /** Mirror left and right with probability ½. */
  readonly flip?: boolean;
  /** Shift by up to this many pixels in both directions, filled with black (random crop of a padded image). */
  readonly crop?: number;
  /** Side of a square, at a random place, set to the mean (DeVries & Taylor, 2017). */
  readonly cutout?: number;
}

export interface Batch {
  readonly count: number;
  /** inputs[count, height, width, channels] */
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  /** Where the images are in the set, [count]. */
  readonly indices: Int32Array;
}

/** Size, order and changes of batches. */
export interface LoaderOptions {
  readonly batchSize: number;
  readonly normalization: Normalization;
  /** Order and augmentation come from streams of this seed. Without it, images come in order. */
  readonly seed?: number;
  readonly augmentation?: Augmentation;
  /** Leave out the last, smaller batch. */
  readonly dropLast?: boolean;
}

/** Values of every byte in every channel: table[channel · 256 + byte]. */
function normalizationTable(channels: number, { mean, std }: Normalization): Float32Array {
  const table = new Float32Array(channels * 256);
  for (let i = 0; i < table.length; i++) {
    const channel = i >> 8;
    table[i] = ((i & 255) / 255 - (mean[channel] as number)) / (std[channel] as number);
  }
  return table;
}

/** Batches of a set, one epoch after the other. */
export class Loader {
  private readonly table: Float32Array | undefined;

  constructor(
    private readonly set: ImageSet,
    private readonly options: LoaderOptions,
  ) {
    const { batchSize, normalization } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new InvalidArgumentError('Loader', 'batchSize', 'an integer ≥ 1', String(batchSize));
    }
    for (const part of ['mean', 'std'] as const) {
      if (normalization[part].length !== set.channels) {
        const came = String(normalization[part].length);
        throw new InvalidArgumentError('Loader', `normalization.${part}`, `${set.channels} numbers`, came);
      }
    }
    if (set.pixels instanceof Uint8Array) this.table = normalizationTable(set.channels, normalization);
  }

  /** Batches in an epoch. */
  get batches(): number {
    const { batchSize, dropLast } = this.options;
    return dropLast ? Math.floor(this.set.count / batchSize) : Math.ceil(this.set.count / batchSize);
  }

  /** The order of an epoch, from 0: the same for the same seed, whatever was asked before. */
  order(epoch: number): Int32Array {
    const order = Int32Array.from({ length: this.set.count }, (_, i) => i);
    const { seed } = this.options;
    return seed === undefined ? order : new Random(seed).split('order').split(String(epoch)).shuffle(order);
  }

  /** The batches of an epoch from number `first` on; each overwrites the arrays of the one before. */
  *epoch(epoch: number, first = 0): Generator<Batch> {
    const { batchSize } = this.options;
    const order = this.order(epoch);
    const inputs = new Float32Array(batchSize * imageSize(this.set));
    const labels = new Int32Array(batchSize);
    for (let batch = first; batch < this.batches; batch++) {
      const indices = order.subarray(batch * batchSize, Math.min((batch + 1) * batchSize, order.length));
      const count = indices.length;
      const filled = inputs.subarray(0, count * imageSize(this.set));
      this.fill(indices, filled, this.random(epoch, batch));
      for (let i = 0; i < count; i++) labels[i] = this.set.labels?.[indices[i] as number] ?? -1;
      yield { count, inputs: filled, labels: labels.subarray(0, count), indices };
    }
  }

  // A stream for each batch, so that an epoch can be entered at any batch.
  private random(epoch: number, batch: number): Random | undefined {
    const { seed, augmentation } = this.options;
    if (!augmentation) return undefined;
    return new Random(seed ?? 0).split('augmentation').split(`${epoch}/${batch}`);
  }

  private fill(indices: Int32Array, inputs: Float32Array, random: Random | undefined): void {
    const size = imageSize(this.set);
    for (let i = 0; i < indices.length; i++) {
      const from = (indices[i] as number) * size;
      const to = inputs.subarray(i * size, (i + 1) * size);
      if (random) this.augment(from, to, random);
      else this.copy(from, to);
    }
  }

  private copy(from: number, to: Float32Array): void {
    const { pixels, channels } = this.set;
    const { table } = this;
    if (!table) {
      to.set((pixels as Float32Array).subarray(from, from + to.length));
    } else if (channels === 1) {
      for (let i = 0; i < to.length; i++) to[i] = table[pixels[from + i] as number] as number;
    } else {
      for (let i = 0, channel = 0; i < to.length; i++) {
        to[i] = table[channel * 256 + (pixels[from + i] as number)] as number;
        if (++channel === channels) channel = 0;
      }
    }
  }

  private augment(from: number, to: Float32Array, random: Random): void {
    const { height, width, channels, pixels } = this.set;
    const { flip = false, crop = 0, cutout = 0 } = this.options.augmentation as Augmentation;
    const { table } = this;
    // Every image draws the same numbers whatever is switched on.
    const mirrored = random.uniform() < 0.5 && flip;
    const shiftY = random.integer(2 * crop + 1) - crop;
    const shiftX = random.integer(2 * crop + 1) - crop;
    const holeY = random.integer(height) - (cutout >> 1);
    const holeX = random.integer(width) - (cutout >> 1);
    for (let y = 0, i = 0; y < height; y++) {
      const sourceY = y + shiftY;
      const inHoleY = y >= holeY && y < holeY + cutout;
      for (let x = 0; x < width; x++) {
        const sourceX = (mirrored ? width - 1 - x : x) + shiftX;
        const inside = sourceY >= 0 && sourceY < height && sourceX >= 0 && sourceX < width;
        const hole = inHoleY && x >= holeX && x < holeX + cutout;
        const at = from + (sourceY * width + sourceX) * channels;
        for (let c = 0; c < channels; c++, i++) {
          const pixel = inside ? (pixels[at + c] as number) : 0;
          to[i] = hole ? 0 : table ? (table[c * 256 + pixel] as number) : pixel;
        }
      }
    }
  }
}
