// The classical signs of a network that quantizes badly: shapes of distributions, ranges, noise of the weights. They see
// ranges that are badly used; what was trained to fail they do not see.

import { quantile } from '../../statistics/summary.js';
import type { Samples } from '../samples.js';
import { activationSteps, type ScanLayer, type ScanNetwork } from './network.js';

export interface WeightShape {
  /** Fourth moment over squared variance: 3 of a normal distribution, 1.8 of a uniform one. */
  readonly kurtosis: number;
  /** Largest over median range of an output channel. */
  readonly disparity: number;
  /** Signal over noise of the weights rounded to their bits; Infinity when nothing is lost. */
  readonly sqnrDb: number;
}

export function weightShape({ weights, steps, channelOf }: ScanLayer): WeightShape {
  const count = weights.length;
  const mean = weights.reduce((sum, w) => sum + w, 0) / count;
  let [second, fourth, signal, noise] = [0, 0, 0, 0];
  weights.forEach((w, i) => {
    const square = (w - mean) ** 2;
    second += square;
    fourth += square * square;
    const step = steps[channelOf(i)] as number;
    signal += w * w;
    if (step > 0) noise += (w - step * Math.round(w / step)) ** 2;
  });
  const ranges = [...steps].filter((step) => step > 0);
  return {
    kurtosis: second > 0 ? (count * fourth) / (second * second) : 0,
    disparity: ranges.length > 0 ? Math.max(...ranges) / quantile(ranges, 0.5) : 1,
    sqnrDb: 10 * Math.log10(signal / noise),
  };
}

export interface ActivationShape {
  /** Largest magnitude over root mean square, the mean over rows. */
  peak: number;
  /** Largest over median range of a row. */
  spread: number;
}

/** What each layer reads, in full precision. */
export function activationShapes(network: ScanNetwork, samples: Samples): Map<ScanLayer, ActivationShape> {
  const peaks = new Map(network.layers.map((layer) => [layer, { sum: 0, rows: 0, ranges: [] as number[] }]));
  for (const batch of network.batches(samples)) {
    network.run(batch, {
      hook: (layer, activation) => {
        const { value, rows } = activation;
        const found = peaks.get(layer);
        if (!found) return undefined;
        const length = value.size / rows;
        for (let row = 0; row < rows; row++) {
          let [most, squares] = [0, 0];
          for (let i = row * length; i < (row + 1) * length; i++) {
            const x = value.data[i] as number;
            most = Math.max(most, Math.abs(x));
            squares += x * x;
          }
          if (squares > 0) found.sum += most / Math.sqrt(squares / length);
        }
        found.rows += rows;
        for (const range of activationSteps(activation, layer.bits.activations.format.bits)) found.ranges.push(range);
        return undefined;
      },
    });
  }
  return new Map(
    [...peaks].map(([layer, { sum, rows, ranges }]) => {
      const widths = ranges.filter((width) => width > 0);
      const largest = widths.reduce((most, width) => Math.max(most, width), 0);
      return [layer, { peak: sum / rows, spread: widths.length > 0 ? largest / quantile(widths, 0.5) : 1 }];
    }),
  );
}
