// Statistics of a layer's activations: the dynamic range of each sample, and outlier channels. Memory does not
// grow with the samples.

/** Dynamic ranges of a layer over samples. */
export interface RangeProfile {
  /** Ranges quantized: samples, or rows of a matrix product. */
  readonly ranges: number;
  /** Smallest, mean and largest scale; a range has (2^bits − 1) of it. */
  readonly scale: { readonly least: number; readonly mean: number; readonly most: number };
  /** Largest over smallest scale: what one scale for the whole batch would have cost the smallest. */
  readonly spread: number;
  /** Ranges by log2(scale), HISTOGRAM_STEPS bins an octave; `first` is the lower end of the first. */
  readonly histogram: { readonly first: number; readonly binsPerOctave: number; readonly counts: readonly number[] };
}

/** An outlier input channel. */
export interface InputChannel {
  readonly channel: number;
  readonly maxAbs: number;
  /** Its largest value over the median channel's. */
  readonly timesMedian: number;
  /**
   * Share of the samples whose largest |x| lies in this channel: it sets their range, and with it every channel's step.
   */
  readonly setsRange: number;
}

/** Sizes of the input channels of a layer. */
export interface InputChannels {
  readonly count: number;
  /** max |x| of each, over all samples. */
  readonly maxAbs: readonly number[];
  /** max |x| at least OUTLIER_FACTOR times the median channel's, largest first. */
  readonly outliers: readonly InputChannel[];
}

/** Channels this many times the median are called outliers: the bound of LLM.int8() (Dettmers, 2022), made relative. */
export const OUTLIER_FACTOR = 6;

const BINS_PER_OCTAVE = 4;
/**
 * log2 of the smallest scale that is kept apart from smaller ones, and how many octaves lie above: beyond any
 * activation of use.
 */
const FIRST_OCTAVE = -24;
const OCTAVES = 48;

export class ActivationRanges {
  private readonly counts = new Float64Array(OCTAVES * BINS_PER_OCTAVE);
  private ranges = 0;
  private sum = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = 0;

  /** Scales of samples or rows. */
  add(scales: Float32Array): void {
    for (const scale of scales) {
      this.ranges += 1;
      this.sum += scale;
      this.least = Math.min(this.least, scale);
      this.most = Math.max(this.most, scale);
      const bin = Math.floor((Math.log2(scale) - FIRST_OCTAVE) * BINS_PER_OCTAVE);
      (this.counts[Math.min(this.counts.length - 1, Math.max(0, bin))] as number) += 1;
    }
  }

  read(): RangeProfile {
    const first = Math.max(
      0,
      this.counts.findIndex((count) => count > 0),
    );
    const last = this.counts.findLastIndex((count) => count > 0);
    return {
      ranges: this.ranges,
      scale: { least: this.ranges ? this.least : 0, mean: this.ranges ? this.sum / this.ranges : 0, most: this.most },
      spread: this.ranges ? this.most / this.least : 1,
      histogram: {
        first: FIRST_OCTAVE + first / BINS_PER_OCTAVE,
        binsPerOctave: BINS_PER_OCTAVE,
        counts: [...this.counts.subarray(first, last + 1)],
      },
    };
  }
}

export class ChannelMaxima {
  private readonly maxAbs: Float64Array;
  private readonly setsRange: Float64Array;
  private samples = 0;

  constructor(private readonly channels: number) {
    this.maxAbs = new Float64Array(channels);
    this.setsRange = new Float64Array(channels);
  }

  /** x: [samples, …, channels] */
  add(x: Float32Array, samples: number): void {
    const { channels, maxAbs, setsRange } = this;
    const size = x.length / samples;
    for (let start = 0; start < x.length; start += size) {
      let [largest, owner] = [-1, 0];
      for (let at = start; at < start + size; at += channels) {
        for (let channel = 0; channel < channels; channel++) {
          const value = Math.abs(x[at + channel] as number);
          if (value > (maxAbs[channel] as number)) maxAbs[channel] = value;
          if (value > largest) {
            largest = value;
            owner = channel;
          }
        }
      }
      (setsRange[owner] as number) += 1;
      this.samples += 1;
    }
  }

  read(): InputChannels {
    const sorted = this.maxAbs.slice().sort();
    const median = sorted[sorted.length >> 1] as number;
    const outliers = Array.from(this.maxAbs, (maxAbs, channel) => ({
      channel,
      maxAbs,
      timesMedian: median === 0 ? 0 : maxAbs / median,
      setsRange: (this.setsRange[channel] as number) / Math.max(1, this.samples),
    }))
      .filter(({ timesMedian }) => timesMedian >= OUTLIER_FACTOR)
      .sort((a, b) => b.maxAbs - a.maxAbs);
    return { count: this.channels, maxAbs: [...this.maxAbs], outliers };
  }
}
