// What derivatives in full precision say about noise: how far quantization's rounding errors move each sample's margin,
// to first order, and how curved the loss is.

import { type Tape, Value } from '../../autograd/tape.js';
import type { Random } from '../../tensor/random.js';
import type { Samples } from '../samples.js';
import { activationSteps, type LayerActivation, type LayerHook, type ScanLayer, type ScanNetwork } from './network.js';

/** Variance of uniform noise of one step. */
const UNIFORM_VARIANCE = 1 / 12;

/** Of one layer. */
export interface LayerNoise {
  /** Variance of each sample's margin from rounding the activation, [samples]. */
  readonly activations: Float64Array;
  /** The same summed over samples, by input channel. */
  channels: Float64Array;
  /** The same from the weights, its mean over the samples. */
  weights: number;
  /** Mean over the samples of ‖∂margin/∂w‖². */
  squaredGradient: number;
}

/**
 * Var(margin) = Σ g² s²/12 over activations and weights, with g = ∂margin/∂element and s its quantization step; elements
 * that are zero have none. Activation terms are per sample. For weights the gradients of a batch are added with
 * random signs: the square of the sum is, in expectation, the sum of the samples' squares.
 */
export function firstOrderNoise(network: ScanNetwork, samples: Samples, random: Random): Map<ScanLayer, LayerNoise> {
  const found = new Map(
    network.layers.map((layer): [ScanLayer, LayerNoise] => [
      layer,
      { activations: new Float64Array(samples.count), channels: new Float64Array(0), weights: 0, squaredGradient: 0 },
    ]),
  );
  for (const batch of network.batches(samples)) {
    const hook: LayerHook = (layer, activation, _weight, tape) => ({
      x: probe(tape, activation, layer, (row, variances) => {
        const sample = batch.start + Math.floor(row / Math.max(1, activation.rowsPerSample));
        const layerNoise = found.get(layer) as LayerNoise;
        if (layerNoise.channels.length === 0) layerNoise.channels = new Float64Array(variances.length);
        variances.forEach((variance, channel) => {
          layerNoise.activations[sample] = (layerNoise.activations[sample] as number) + variance;
          layerNoise.channels[channel] = (layerNoise.channels[channel] as number) + variance;
        });
      }),
    });
    network.parameters.gradients.fill(0);
    const { tape, logits } = network.run(batch, { record: true, hook });
    const leaders = network.classes.leaders(logits.data, batch.count);
    const seed = new Float32Array(logits.size);
    for (let row = 0; row < batch.count; row++) {
      network.classes.marginSlope(leaders, row, random.uint32() >>> 31 ? 1 : -1, seed);
    }
    tape.backward(logits, seed);
    for (const layer of network.layers) {
      const sums = found.get(layer) as LayerNoise;
      const gradient = network.parameters.get(layer.weight)?.gradient ?? new Float32Array(0);
      const [squares, noise] = squaredSums(gradient, layer);
      sums.squaredGradient += squares / samples.count;
      sums.weights += noise / samples.count;
    }
  }
  return found;
}

/**
 * Σ g² and Σ g² s²/12 over the weights that are not zero. A separate function, called for each layer: with millions of
 * weights it takes seconds where the compiler does not get hold of it.
 */
function squaredSums(gradient: Float32Array, { weights, steps, channelOf }: ScanLayer): [number, number] {
  const variances = Float64Array.from(steps, (step) => step * step * UNIFORM_VARIANCE);
  let squares = 0;
  let noise = 0;
  for (let i = 0; i < gradient.length; i++) {
    const square = (gradient[i] as number) * (gradient[i] as number);
    squares += square;
    if (weights[i] !== 0) noise += square * (variances[channelOf(i)] as number);
  }
  return [squares, noise];
}

/** The same value; sees its gradient on the way back, as the variance that rounding each channel of a row brings. */
function probe(
  tape: Tape,
  activation: LayerActivation,
  layer: ScanLayer,
  see: (row: number, variances: Float64Array) => void,
): Value {
  const { value, rows } = activation;
  const steps = activationSteps(activation, layer.bits.activations.format.bits);
  value.buffer.references += 1;
  // The input itself needs no gradient, but is rounded too.
  const y = new Value(value.dims, value.layout, value.buffer, true);
  const length = value.size / rows;
  const { data } = value;
  // Channels are innermost in memory, in images and in rows.
  const channels = (value.layout === 'channelsLast' ? value.dims[1] : value.dims.at(-1)) as number;
  tape.record(y, [value], (dy, gradient) => {
    for (let row = 0; row < rows; row++) {
      const variances = new Float64Array(channels);
      const factor = (steps[row] as number) ** 2 * UNIFORM_VARIANCE;
      for (let start = row * length; start < (row + 1) * length; start += channels) {
        for (let c = 0; c < channels; c++) {
          if (data[start + c] === 0) continue;
          const g = dy[start + c] as number;
          variances[c] = (variances[c] as number) + factor * g * g;
        }
      }
      see(row, variances);
    }
    tape.give(value, gradient);
  });
  return y;
}

/** Step of the differences, of the root mean square of a layer's weights: float32 gradients are good to about 1e-6. */
const DIFFERENCE = 1e-3;

/**
 * Trace of the Hessian of each layer's weights, of the mean cross-entropy against the classes that the network itself
 * says: Hutchinson's estimate vᵀHv, v = ±1 (1989). The tape has first derivatives alone: Hv is a central difference of
 * gradients, blurred over the kinks of ReLUs within its step. Blocks of other layers cancel in the mean over probes.
 */
export function hessianTraces(
  network: ScanNetwork,
  samples: Samples,
  most: number,
  probes: number,
  random: Random,
): Map<ScanLayer, number> {
  const { layers, parameters } = network;
  const traces = new Map(layers.map((layer): [ScanLayer, number] => [layer, 0]));
  const sizes = layers.map(({ weights }) => {
    const square = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
    return DIFFERENCE * (Math.sqrt(square) || 1);
  });
  const count = Math.min(most, samples.count);
  for (let trial = 0; trial < probes; trial++) {
    const stream = random.split(String(trial));
    const signs = layers.map(({ weights }) => Int8Array.from(weights, () => (stream.uint32() >>> 31 ? 1 : -1)));
    const along = (direction: number) => {
      shift(direction);
      return lossSlopes(network, samples, count, signs);
    };
    const shift = (direction: number) => {
      layers.forEach(({ weight, weights }, l) => {
        const data = parameters.get(weight)?.data;
        const [v, h] = [signs[l] as Int8Array, direction * (sizes[l] as number)];
        data?.forEach((_, i) => {
          data[i] = (weights[i] as number) + h * (v[i] as number);
        });
      });
      parameters.changed();
    };
    const [above, below] = [along(1), along(-1)];
    shift(0);
    layers.forEach((layer, l) => {
      const curvature = ((above[l] as number) - (below[l] as number)) / (2 * (sizes[l] as number));
      traces.set(layer, (traces.get(layer) as number) + curvature / probes);
    });
  }
  return traces;
}

/** v · ∂loss/∂w of each layer, for the first `count` samples and the classes that the network says. */
function lossSlopes(network: ScanNetwork, samples: Samples, count: number, signs: readonly Int8Array[]): Float64Array {
  const slopes = new Float64Array(signs.length);
  for (const batch of network.batches(samples, count)) {
    network.parameters.gradients.fill(0);
    const { tape, logits } = network.run(batch, { record: true });
    const rows = Math.min(batch.count, count - batch.start);
    tape.backward(logits, network.classes.lossSlope(logits.data, batch.count, rows, count));
    network.layers.forEach(({ weight }, l) => {
      const gradient = network.parameters.get(weight)?.gradient ?? new Float32Array(0);
      const v = signs[l] as Int8Array;
      let sum = 0;
      for (let i = 0; i < gradient.length; i++) sum += (gradient[i] as number) * (v[i] as number);
      slopes[l] = (slopes[l] as number) + sum;
    });
  }
  return slopes;
}
