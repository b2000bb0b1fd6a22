// The architectures by name. Each is a graph with input [N, C, H, W] ("input", N named) and output [N, classes]
// ("logits").

import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph } from '../graph/graph.js';
import { Random } from '../tensor/random.js';
import { Layers } from './layers.js';
import { mobilenetV2 } from './mobilenet.js';
import { RESNET8, RESNET18, RESNET20, resnet } from './resnet.js';
import { convnet2, mlp } from './small.js';
import { vgg11 } from './vgg.js';

interface Architecture {
  /** Channels, height and width of its usual images. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  build(layers: Layers, input: string, classes: number): void;
}

const FASHION_MNIST = { input: [1, 28, 28], classes: 10 } as const;
const CIFAR = { input: [3, 32, 32], classes: 10 } as const;
const IMAGENET = { input: [3, 224, 224], classes: 1000 } as const;

const ARCHITECTURES = {
  mlp: { ...FASHION_MNIST, build: mlp },
  convnet2: { ...FASHION_MNIST, build: convnet2 },
  resnet8: { ...FASHION_MNIST, build: (layers, input, classes) => resnet(layers, input, classes, RESNET8) },
  resnet20: { ...CIFAR, build: (layers, input, classes) => resnet(layers, input, classes, RESNET20) },
  'resnet18-cifar': {
    ...CIFAR,
    build: (layers, input, classes) => resnet(layers, input, classes, { ...RESNET18, stem: 'cifar' }),
  },
  resnet18: {
    ...IMAGENET,
    build: (layers, input, classes) => resnet(layers, input, classes, { ...RESNET18, stem: 'imagenet' }),
  },
  vgg11: { ...CIFAR, build: vgg11 },
  'mobilenetv2-cifar': {
    ...CIFAR,
    build: (layers, input, classes) => mobilenetV2(layers, input, classes, 'cifar'),
  },
  mobilenetv2: { ...IMAGENET, build: (layers, input, classes) => mobilenetV2(layers, input, classes, 'imagenet') },
} satisfies Record<string, Architecture>;

/** An architecture that `buildModel` builds. */
export type ArchitectureName = keyof typeof ARCHITECTURES;

/** Every architecture that `buildModel` builds. */
export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as readonly ArchitectureName[];

/** Input, classes and seed of a fresh network. */
export interface BuildOptions {
  /** [channels, height, width] of an image. Default: the architecture's usual. */
  readonly input?: readonly [number, number, number];
  readonly classes?: number;
  /** Seed of the weights. Default 0. */
  readonly seed?: number;
}

const MAX_INPUT_SIZE = 65536;

/** A freshly initialised network. Throws InvalidArgumentError, or GraphError when the image is too small for it. */
export function buildModel(name: ArchitectureName, options: BuildOptions = {}): Graph {
  if (!Object.hasOwn(ARCHITECTURES, name)) {
    throw new InvalidArgumentError('buildModel', 'name', `one of ${ARCHITECTURE_NAMES.join(', ')}`, describe(name));
  }
  const architecture: Architecture = ARCHITECTURES[name];
  const { input = architecture.input, classes = architecture.classes, seed = 0 } = options;
  for (const size of input) requireInteger('buildModel', 'input', size, 1, MAX_INPUT_SIZE);
  requireInteger('buildModel', 'classes', classes, 1, MAX_INPUT_SIZE);
  const builder = new GraphBuilder(name);
  const layers = new Layers(builder, new Random(seed).split('weights'));
  architecture.build(layers, builder.input('input', ['N', ...input]), classes);
  return builder.build();
}
