// Sums over a layer's outputs, channel by channel: how far the quantized network is from full precision there, and how
// much of it entered with the layer's inputs. Memory does not grow with the samples.

/** The quantized network against full precision at one layer's output, after bias, residual and activation function. */
export interface OutputError {
  /** 10 · log10(Σ fp32² / Σ error²). Infinity without error. */
  readonly sqnrDb: number;
  readonly mse: number;
  /** Of the angle between the two outputs; 1 when both are zero. */
  readonly cosine: number;
  readonly maxAbsError: number;
  readonly meanError: number;
  /** Layer in fp32 on the quantized network's inputs, less the layer in full precision: mean square. */
  readonly propagatedMse: number;
  /** Layer quantized less the layer in fp32, both on the quantized network's inputs: mean square. */
  readonly localMse: number;
  /** Σ propagated · error / Σ error²: with the local share it sums to 1; 0 where there is no error. */
  readonly propagatedShare: number;
}

enum Sum {
  Signal,
  Quantized,
  Product,
  Error,
  ErrorSquared,
  PropagatedSquared,
  LocalSquared,
  PropagatedError,
  Count,
}

const ratio = (numerator: number, denominator: number) => (denominator === 0 ? 0 : numerator / denominator);

function ratioDb(signal: number, noise: number): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

export class OutputErrors {
  /** [channels, Sum.Count] */
  private readonly sums: Float64Array;
  /** max |error|, [channels] */
  private readonly largest: Float64Array;
  private outputs = 0;

  constructor(private readonly channels: number) {
    this.sums = new Float64Array(channels * Sum.Count);
    this.largest = new Float64Array(channels);
  }

  /**
   * All [outputs, channels]: `exact` of full precision, `quantized` of the quantized network, `local` of the layer in
   * fp32 on the quantized network's inputs.
   */
  add(exact: Float32Array, quantized: Float32Array, local: Float32Array): void {
    const { channels, sums, largest } = this;
    for (let at = 0; at < exact.length; at += channels) {
      for (let channel = 0; channel < channels; channel++) {
        const y = exact[at + channel] as number;
        const q = quantized[at + channel] as number;
        const x = local[at + channel] as number;
        const error = q - y;
        const base = channel * Sum.Count;
        (sums[base + Sum.Signal] as number) += y * y;
        (sums[base + Sum.Quantized] as number) += q * q;
        (sums[base + Sum.Product] as number) += y * q;
        (sums[base + Sum.Error] as number) += error;
        (sums[base + Sum.ErrorSquared] as number) += error * error;
        (sums[base + Sum.PropagatedSquared] as number) += (x - y) * (x - y);
        (sums[base + Sum.LocalSquared] as number) += (q - x) * (q - x);
        (sums[base + Sum.PropagatedError] as number) += (x - y) * error;
        const size = Math.abs(error);
        if (size > (largest[channel] as number)) largest[channel] = size;
      }
    }
    this.outputs += exact.length / channels;
  }

  private summarize(sums: Float64Array, maxAbsError: number, outputs: number): OutputError {
    const at = (which: Sum) => sums[which] as number;
    const norms = Math.sqrt(at(Sum.Signal)) * Math.sqrt(at(Sum.Quantized));
    return {
      sqnrDb: ratioDb(at(Sum.Signal), at(Sum.ErrorSquared)),
      mse: ratio(at(Sum.ErrorSquared), outputs),
      cosine: at(Sum.Signal) === 0 && at(Sum.Quantized) === 0 ? 1 : ratio(at(Sum.Product), norms),
      maxAbsError,
      meanError: ratio(at(Sum.Error), outputs),
      propagatedMse: ratio(at(Sum.PropagatedSquared), outputs),
      localMse: ratio(at(Sum.LocalSquared), outputs),
      propagatedShare: ratio(at(Sum.PropagatedError), at(Sum.ErrorSquared)),
    };
  }

  /** Of the whole layer. */
  total(): OutputError {
    const total = new Float64Array(Sum.Count);
    this.sums.forEach((value, i) => {
      (total[i % Sum.Count] as number) += value;
    });
    const largest = this.largest.reduce((most, value) => Math.max(most, value), 0);
    return this.summarize(total, largest, this.outputs * this.channels);
  }

  byChannel(): OutputError[] {
    return Array.from(this.largest, (largest, channel) => {
      const channelSums = this.sums.subarray(channel * Sum.Count, (channel + 1) * Sum.Count);
      return this.summarize(channelSums, largest, this.outputs);
    });
  }
}
