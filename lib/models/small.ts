// The two smallest networks: a multilayer perceptron, and two convolutions.
import type { Layers } from './layers.js';

const MLP_HIDDEN = [256, 128];
const CONVNET2_CHANNELS = [16, 32];

/** Two hidden layers, ReLU. */
export function mlp(layers: Layers, input: string, classes: number): void {
  let x = layers.builder.node('flatten', 'Flatten', [input]);
  MLP_HIDDEN.forEach((out, index) => {
    x = layers.activate(`relu${index + 1}`, layers.linear(`hidden${index + 1}`, x, out), 'Relu');
  });
  layers.builder.output(layers.linear('logits', x, classes));
}

/** Two 3×3 convolutions with batch norm, each followed by a 2×2 max pool, and one linear layer on what remains. */
export function convnet2(layers: Layers, input: string, classes: number): void {
  let x = input;
  CONVNET2_CHANNELS.forEach((out, index) => {
    x = layers.convNorm(`conv${index + 1}`, x, { out, kernel: 3 });
    x = layers.maxPool(`pool${index + 1}`, x, 2, 2);
  });
  layers.builder.output(layers.linear('logits', layers.builder.node('flatten', 'Flatten', [x]), classes));
}
