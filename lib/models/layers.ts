// Layers as papers name them, on top of the graph builder: nodes together with freshly drawn weights.
//
// Initialisation: convolutions are Kaiming normal, fan out (He et al., arXiv 1502.01852): deviation √(2 / (out · kernel
// area)), out counted over all groups, as torchvision does. Linear layers are uniform in ±1/√in, biases too. Batch
// norms begin as the identity. Each weight draws from the stream of its name.

import { sizeOf } from '../core/shape.js';
import type { GraphBuilder } from '../graph/builder.js';
import { type Dim, formatShape } from '../graph/dims.js';
import { GraphError } from '../graph/errors.js';
import { floats } from '../tensor/host_tensor.js';
import type { Random } from '../tensor/random.js';

interface ConvOptions {
  readonly out: number;
  readonly kernel: number;
  readonly stride?: number;
  /** Default "same" for stride 1: (kernel − 1) / 2. */
  readonly padding?: number;
  readonly groups?: number;
}

type Activation = 'Relu' | 'Relu6' | 'None';

export class Layers {
  constructor(
    readonly builder: GraphBuilder,
    private readonly random: Random,
  ) {}

  /** Channels of a value [N, C, …]. */
  channels(x: string): number {
    return this.sizes(x)[0] as number;
  }

  /** Height of a value [N, C, H, W]. */
  height(x: string): number {
    return this.sizes(x)[1] as number;
  }

  /** Sizes of a value without the batch dimension. */
  private sizes(x: string): number[] {
    const dims: readonly Dim[] = this.builder.typeOf(x).dims.slice(1);
    if (!dims.every((dim) => typeof dim === 'number')) throw new GraphError(x, `${formatShape(dims)} is unknown`);
    return dims as number[];
  }

  /** A convolution without bias: a batch norm follows. */
  conv(name: string, x: string, options: ConvOptions): string {
    const { out, kernel, stride = 1, padding = (kernel - 1) / 2, groups = 1 } = options;
    const deviation = Math.sqrt(2 / (out * kernel * kernel));
    const dims = [out, this.channels(x) / groups, kernel, kernel];
    const weight = this.draw(`${name}.weight`, dims, (random) => random.normal() * deviation);
    const attributes = {
      dilations: [1, 1],
      group: groups,
      kernel_shape: [kernel, kernel],
      pads: [padding, padding, padding, padding],
      strides: [stride, stride],
    };
    return this.builder.node(name, 'Conv', [x, weight], { attributes });
  }

  batchNorm(name: string, x: string): string {
    const channels = this.channels(x);
    const filled = (what: string, value: number) =>
      this.builder.initializer(`${name}.${what}`, floats([channels], new Float32Array(channels).fill(value)));
    const parameters = [filled('scale', 1), filled('bias', 0), filled('mean', 0), filled('var', 1)];
    return this.builder.node(name, 'BatchNormalization', [x, ...parameters], {
      attributes: { epsilon: 1e-5, momentum: 0.9 },
    });
  }

  activate(name: string, x: string, activation: Activation): string {
    if (activation === 'None') return x;
    if (activation === 'Relu') return this.builder.node(name, 'Relu', [x]);
    return this.builder.node(name, 'Clip', [x, this.scalar('relu6.low', 0), this.scalar('relu6.high', 6)]);
  }

  /** Convolution, batch norm, activation: nodes `name.conv`, `name.norm` and, if any, `name.relu`. */
  convNorm(name: string, x: string, options: ConvOptions, activation: Activation = 'Relu'): string {
    const y = this.batchNorm(`${name}.norm`, this.conv(`${name}.conv`, x, options));
    return this.activate(`${name}.relu`, y, activation);
  }

  maxPool(name: string, x: string, kernel: number, stride: number, padding = 0): string {
    const pads = [padding, padding, padding, padding];
    const attributes = { kernel_shape: [kernel, kernel], pads, strides: [stride, stride] };
    return this.builder.node(name, 'MaxPool', [x], { attributes });
  }

  /** [N, K] → [N, out]. */
  linear(name: string, x: string, out: number): string {
    const inputs = this.channels(x);
    const bound = 1 / Math.sqrt(inputs);
    const weight = this.draw(`${name}.weight`, [out, inputs], (random) => random.uniform(-bound, bound));
    const bias = this.draw(`${name}.bias`, [out], (random) => random.uniform(-bound, bound));
    return this.builder.node(name, 'Gemm', [x, weight, bias], { attributes: { transB: 1 } });
  }

  /** Global average pool, then the classifier. The network's output is `logits`. */
  classify(x: string, classes: number): void {
    const pooled = this.builder.node('pool', 'GlobalAveragePool', [x]);
    this.builder.output(this.linear('logits', this.builder.node('flatten', 'Flatten', [pooled]), classes));
  }

  private draw(name: string, dims: readonly number[], next: (random: Random) => number): string {
    const random = this.random.split(name);
    const values = new Float32Array(sizeOf(dims));
    for (let i = 0; i < values.length; i++) values[i] = next(random);
    return this.builder.initializer(name, floats(dims, values));
  }

  private scalar(name: string, value: number): string {
    return this.builder.has(name) ? name : this.builder.initializer(name, floats([], [value]));
  }
}
