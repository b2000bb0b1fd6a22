// What the agent sees of one sample's activation, as numbers of about the same size: at every node some statistics, and
// from the first node on a small picture of the input. All of it is there while the network runs, without labels.
import { toChannelsLast } from '../autograd/ops/layout.js';
import { Tape, type Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { addon } from '../native/addon.js';
import { SAMPLE_STATISTIC } from '../native/codes.js';
import { Memory } from '../tensor/memory.js';

/** Numbers of a sample: those of SAMPLE_STATISTIC, and the features made from them. */
export const STATISTICS = Object.keys(SAMPLE_STATISTIC).length;
/** Images with more channels than this are no pictures: their channels' means are the features. */
const MOST_PICTURE_CHANNELS = 4;
/** Magnitudes below count as this: logarithms stay finite. */
const LEAST_MAGNITUDE = 1e-6;
/** Standardised features are cut to ± this: outliers of shifted inputs must not saturate the agent. */
const MOST_DEVIATIONS = 5;

const logMagnitude = (x: number) => Math.log(Math.max(Math.abs(x), LEAST_MAGNITUDE));

interface Places {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Computes raw observations of batches; holds their memory. */
export class Observer {
  private readonly memory = new Memory();
  private raw = new Float32Array(0);

  /** `grid`: cells of the small picture along each side. */
  constructor(readonly grid: number) {}

  /** An activation of `samples` samples as places × channels in memory. */
  private places(x: Value, samples: number): Places {
    const size = x.size / samples;
    if (x.dims.length === 4) {
      this.memory.reset();
      const tape = new Tape({ memory: this.memory, training: false, record: false });
      const { data, dims } = toChannelsLast(tape, x);
      const [n, channels, height, width] = dims as [number, number, number, number];
      if (n === samples) return { data, channels, height, width };
    }
    const channels = x.dims.at(-1) as number;
    if (!Number.isInteger(size) || size % channels !== 0) {
      const received = `[${x.dims.join(', ')}] for ${samples} samples`;
      throw new InvalidArgumentError('observation', 'activation', 'whole samples', received);
    }
    return { data: x.data, channels, height: 1, width: size / channels };
  }

  /** out: [samples, STATISTICS], features that do not depend on the scale where that is possible. */
  statistics(x: Value, samples: number, out: Float32Array): void {
    const { data, height, width, channels } = this.places(x, samples);
    if (this.raw.length < samples * STATISTICS) this.raw = new Float32Array(samples * STATISTICS);
    const raw = this.raw;
    addon.sampleStatistics(samples, height * width, channels, data, raw);
    for (let at = 0; at < samples * STATISTICS; at += STATISTICS) {
      const [largest, smallest, mean, deviation] = [raw[at], raw[at + 1], raw[at + 2], raw[at + 3]] as number[];
      const [rms, zeroShare, peakMean, peakDeviation] = [
        raw[at + 4],
        raw[at + 5],
        raw[at + 6],
        raw[at + 7],
      ] as number[];
      const peak = Math.max(largest as number, -(smallest as number), LEAST_MAGNITUDE);
      out[at] = logMagnitude(peak);
      out[at + 1] = logMagnitude(mean as number);
      out[at + 2] = logMagnitude(deviation as number);
      out[at + 3] = (rms as number) / peak;
      out[at + 4] = zeroShare as number;
      out[at + 5] = logMagnitude(peakMean as number);
      out[at + 6] = (peakDeviation as number) / peak;
      out[at + 7] = (smallest as number) / peak;
    }
  }

  /** The small picture of an activation: [samples, features]; how many features depends on its shape alone. */
  picture(x: Value, samples: number): Float32Array {
    const { data, height, width, channels } = this.places(x, samples);
    const { grid } = this;
    // [height, width, channels] of what is pooled, and the cells to pool it to
    const [h, w, c, rows, columns] =
      height === 1
        ? [1, width * channels, 1, 1, Math.min(grid * grid, width * channels)]
        : channels > MOST_PICTURE_CHANNELS
          ? [height, width, channels, 1, 1]
          : [height, width, channels, Math.min(grid, height), Math.min(grid, width)];
    const out = new Float32Array(samples * rows * columns * c);
    addon.adaptiveAveragePool(samples, h, w, c, rows, columns, data, out);
    return out;
  }
}

/** Means and deviations of features, [features] each, to standardise by. */
export class Standardizer {
  constructor(
    readonly mean: Float32Array,
    readonly deviation: Float32Array,
  ) {}

  /** Of rows [n, features]. A feature that does not vary stays where it is and counts as zero. */
  static of(rows: Float32Array, features: number): Standardizer {
    const n = rows.length / features;
    const [mean, squares] = [new Float64Array(features), new Float64Array(features)];
    for (let i = 0; i < rows.length; i++) (mean[i % features] as number) += (rows[i] as number) / n;
    for (let i = 0; i < rows.length; i++) {
      const j = i % features;
      (squares[j] as number) += ((rows[i] as number) - (mean[j] as number)) ** 2 / n;
    }
    return new Standardizer(Float32Array.from(mean), Float32Array.from(squares, Math.sqrt));
  }

  /** Writes `from`, [n, features], to `to` at column `at` of rows of `stride`. What is not finite becomes zero. */
  apply(from: Float32Array, to: Float32Array, at: number, stride: number): void {
    const { mean, deviation } = this;
    const features = mean.length;
    for (let row = 0, i = 0; i < from.length; row++) {
      for (let j = 0; j < features; j++, i++) {
        const z = ((from[i] as number) - (mean[j] as number)) / ((deviation[j] as number) + LEAST_MAGNITUDE);
        to[row * stride + at + j] = Number.isFinite(z) ? Math.max(-MOST_DEVIATIONS, Math.min(MOST_DEVIATIONS, z)) : 0;
      }
    }
  }
}

/** The small picture of the first node's activation, then its statistics: [samples, features]. */
export function rawInputFeatures(observer: Observer, activation: Value, samples: number): Float32Array {
  const picture = observer.picture(activation, samples);
  const cells = picture.length / samples;
  const statistics = new Float32Array(samples * STATISTICS);
  observer.statistics(activation, samples, statistics);
  const out = new Float32Array(samples * (cells + STATISTICS));
  for (let i = 0; i < samples; i++) {
    const at = i * (cells + STATISTICS);
    out.set(picture.subarray(i * cells, (i + 1) * cells), at);
    out.set(statistics.subarray(i * STATISTICS, (i + 1) * STATISTICS), at + cells);
  }
  return out;
}
