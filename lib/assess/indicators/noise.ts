// Effect of noise in full precision on predictions: noise the size of quantization's, of the weights, of the input.
// Every draw is of a seed, a value's name and a sample's number: the same whatever else is drawn.

import { nextVersion, type Tape, type Value } from '../../autograd/tape.js';
import type { Random } from '../../tensor/random.js';
import type { SampleBatch, Samples } from '../samples.js';
import { activationSteps, type LayerActivation, type LayerHook, type ScanLayer, type ScanNetwork } from './network.js';

const UNIT = 2 ** -32;
/** Of weights' root mean square in their channel, and of the inputs' deviation. */
const RELATIVE_NOISE = 0.1;

/** What a pass over the samples changes. */
interface Noise {
  readonly hook?: LayerHook;
  /** Inputs that replace a batch's. */
  readonly inputs?: (batch: SampleBatch) => Float32Array;
}

/** Weights with noise, made once for a pass. */
class NoisyWeights {
  private readonly made = new Map<string, { readonly data: Float32Array; readonly version: number }>();

  constructor(private readonly make: (layer: ScanLayer) => Float32Array) {}

  value(layer: ScanLayer, tape: Tape, { dims }: Value): Value {
    let known = this.made.get(layer.node.name);
    if (!known) {
      known = { data: this.make(layer), version: nextVersion() };
      this.made.set(layer.node.name, known);
    }
    const value = tape.constant(known.data, dims);
    value.version = known.version; // convolutions keep a reordered copy of weights that say which they are
    return value;
  }
}

/** Activations that two products read get the same noise, as they would get the same codes. */
function noisyActivation(
  activation: LayerActivation,
  layer: ScanLayer,
  start: number,
  random: Random,
  tape: Tape,
): Value {
  const { value, rows, rowsPerSample } = activation;
  const steps = activationSteps(activation, layer.bits.activations.format.bits);
  const y = tape.make(value.dims, value.layout, [value]);
  const [from, to] = [value.data, y.data];
  const length = from.length / rows;
  const stream = random.split(layer.product.activation);
  for (let first = 0; first < rows; first += Math.max(1, rowsPerSample)) {
    const rowStream = stream.split(String(start + Math.floor(first / Math.max(1, rowsPerSample))));
    for (let row = first; row < Math.min(rows, first + Math.max(1, rowsPerSample)); row++) {
      const step = steps[row] as number;
      for (let i = row * length; i < (row + 1) * length; i++) {
        const x = from[i] as number;
        // Zero always has an exact code: after a ReLU half of the elements carry no error.
        to[i] = x === 0 ? 0 : x + step * (rowStream.uint32() * UNIT - 0.5);
      }
    }
  }
  return y;
}

/**
 * Uniform noise of one quantization step in weights and activations, in all layers or in `only`: what rounding does where
 * its errors are as good as random (Widrow, 1956).
 */
export function pseudoNoise(random: Random, only?: ScanLayer): Noise {
  const weights = new NoisyWeights((layer) => {
    const layerStream = random.split(layer.weight);
    const { steps, channelOf } = layer;
    return layer.weights.map((w, i) =>
      w === 0 ? 0 : w + (steps[channelOf(i)] as number) * (layerStream.uint32() * UNIT - 0.5),
    );
  });
  let start = 0;
  return {
    inputs: (batch) => {
      start = batch.start;
      return batch.inputs;
    },
    hook: (layer, activation, weight, tape) => {
      if (only && only !== layer) return undefined;
      const x = noisyActivation(activation, layer, start, random, tape);
      return { x, w: weights.value(layer, tape, weight) };
    },
  };
}

/** Normal noise in the weights, a tenth of the root mean square of their channel. */
export function weightNoise(random: Random): Noise {
  const weights = new NoisyWeights((layer) => {
    const layerStream = random.split(layer.weight);
    const squares = new Float64Array(layer.channels);
    layer.weights.forEach((w, i) => {
      const channel = layer.channelOf(i);
      squares[channel] = (squares[channel] as number) + w * w;
    });
    const inner = layer.weights.length / layer.channels;
    const deviations = squares.map((sum) => RELATIVE_NOISE * Math.sqrt(sum / inner));
    return layer.weights.map((w, i) => w + (deviations[layer.channelOf(i)] as number) * layerStream.normal());
  });
  return { hook: (layer, _, weight, tape) => ({ w: weights.value(layer, tape, weight) }) };
}

/** Normal noise in the input, a tenth of `deviation`. */
export function inputNoise(random: Random, deviation: number): Noise {
  return {
    inputs: ({ inputs, start, count }) => {
      const noisy = new Float32Array(inputs.length);
      const size = inputs.length / count;
      for (let sample = 0; sample < count; sample++) {
        const sampleStream = random.split(String(start + sample));
        for (let i = sample * size; i < (sample + 1) * size; i++) {
          noisy[i] = (inputs[i] as number) + RELATIVE_NOISE * deviation * sampleStream.normal();
        }
      }
      return noisy;
    },
  };
}

/** Share of the samples whose class changes with the noise. */
export function flipRate(network: ScanNetwork, samples: Samples, classes: Int32Array, noise: Noise): number {
  let flips = 0;
  for (const batch of network.batches(samples)) {
    const inputs = noise.inputs?.(batch) ?? batch.inputs;
    const found = network.run(batch, { inputs, ...(noise.hook ? { hook: noise.hook } : {}) });
    const { first } = network.classes.leaders(found.logits.data, batch.count);
    for (let i = 0; i < batch.count; i++) if (first[i] !== classes[batch.start + i]) flips += 1;
  }
  return flips / samples.count;
}
