// Batches of network inputs: normalised, in a seeded order, augmented by seeded random transformations.
//
// A batch is made from bytes by one table look-up a pixel, in a native thread ahead of the training step.

import { InvalidArgumentError } from '../core/errors.js';
import { addon } from '../native/addon.js';
import { PLACEMENT_FIELD } from '../native/codes.js';
import type { NativeBatchFiller } from '../native/image_addon.js';
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

const PLACEMENT_FIELDS = Object.keys(PLACEMENT_FIELD).length;

/** Arrays of a batch and their filler. */
interface Slot {
  readonly filler: NativeBatchFiller;
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  readonly placement: Int32Array | undefined;
  indices: Int32Array;
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
        const received = String(normalization[part].length);
        throw new InvalidArgumentError('Loader', `normalization.${part}`, `${set.channels} numbers`, received);
      }
    }
    if (set.pixels instanceof Uint8Array) this.table = normalizationTable(set.channels, normalization);
  }

  /** Batches in an epoch. */
  get batches(): number {
    const { batchSize, dropLast } = this.options;
    return dropLast ? Math.floor(this.set.count / batchSize) : Math.ceil(this.set.count / batchSize);
  }

  /** The order of an epoch, from 0: the same for the same seed, whatever was requested before. */
  order(epoch: number): Int32Array {
    const order = Int32Array.from({ length: this.set.count }, (_, i) => i);
    const { seed } = this.options;
    return seed === undefined ? order : new Random(seed).split('order').split(String(epoch)).shuffle(order);
  }

  /**
   * The batches of an epoch from number `first` on. While one is used the next is filled by another thread, so the arrays
   * of a batch are valid until the next one is requested.
   */
  *epoch(epoch: number, first = 0): Generator<Batch> {
    const order = this.order(epoch);
    const slots = Array.from({ length: Math.min(2, this.batches - first) }, () => this.slot());
    const slotOf = (batch: number) => slots[(batch - first) % 2] as Slot;
    for (let batch = first; batch < this.batches; batch++) {
      const slot = slotOf(batch);
      if (batch === first) this.start(slot, order, epoch, batch);
      slot.filler.wait(slot.inputs);
      if (batch + 1 < this.batches) this.start(slotOf(batch + 1), order, epoch, batch + 1);
      const { indices, inputs, labels } = slot;
      const count = indices.length;
      for (let i = 0; i < count; i++) labels[i] = this.set.labels?.[indices[i] as number] ?? -1;
      yield {
        count,
        inputs: inputs.subarray(0, count * imageSize(this.set)),
        labels: labels.subarray(0, count),
        indices,
      };
    }
  }

  private slot(): Slot {
    const count = Math.min(this.options.batchSize, this.set.count);
    return {
      filler: new addon.BatchFiller(),
      inputs: new Float32Array(count * imageSize(this.set)),
      labels: new Int32Array(count),
      placement: this.options.augmentation && new Int32Array(count * PLACEMENT_FIELDS),
      indices: new Int32Array(0),
    };
  }

  private start(slot: Slot, order: Int32Array, epoch: number, batch: number): void {
    const { batchSize, augmentation } = this.options;
    const { height, width, channels, pixels } = this.set;
    slot.indices = order.subarray(batch * batchSize, Math.min((batch + 1) * batchSize, order.length));
    const { filler, indices, placement } = slot;
    const count = indices.length;
    if (placement) this.place(placement, count, this.random(epoch, batch));
    const hole = augmentation?.cutout ?? 0;
    filler.start(count, height, width, channels, pixels, this.table, indices, placement, hole);
  }

  // A stream for each batch, so that an epoch can be entered at any batch.
  private random(epoch: number, batch: number): Random {
    return new Random(this.options.seed ?? 0).split('augmentation').split(`${epoch}/${batch}`);
  }

  /** Draws what happens to each image: the same numbers whatever is switched on. */
  private place(placement: Int32Array, count: number, random: Random): void {
    const { height, width } = this.set;
    const { flip = false, crop = 0, cutout = 0 } = this.options.augmentation as Augmentation;
    for (let i = 0; i < count; i++) {
      const mirrored = random.uniform() < 0.5 && flip ? 1 : 0;
      const shiftY = random.integer(2 * crop + 1) - crop;
      const shiftX = random.integer(2 * crop + 1) - crop;
      const holeY = random.integer(height) - (cutout >> 1);
      const holeX = random.integer(width) - (cutout >> 1);
      placement.set([mirrored, shiftY, shiftX, holeY, holeX], i * PLACEMENT_FIELDS);
    }
  }
}
