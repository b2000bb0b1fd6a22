// Residual networks (He et al., arXiv 1512.03385) of basic blocks: two 3×3 convolutions and a shortcut, which is a 1×1
// convolution where the shape changes.
import type { Layers } from './layers.js';

/** `cifar`: 3×3, stride 1. `imagenet`: 7×7, stride 2, then a 3×3 max pool of stride 2. `strided`: 3×3, stride 2. */
type Stem = 'cifar' | 'imagenet' | 'strided';

interface ResNetPlan {
  readonly stem: Stem;
  readonly stemChannels: number;
  /** Channels of each stage; every stage but the first halves the resolution. */
  readonly stages: readonly number[];
  readonly blocksPerStage: number;
}

/** The network of ten quantizable nodes that docs/method.md describes, for 28×28 images. */
export const RESNET8: ResNetPlan = { stem: 'strided', stemChannels: 16, stages: [16, 32, 64], blocksPerStage: 1 };
/** The paper's CIFAR network, n = 3 (section 4.2), with projections as shortcuts (option B). */
export const RESNET20: ResNetPlan = { stem: 'cifar', stemChannels: 16, stages: [16, 32, 64], blocksPerStage: 3 };
/** The paper's 18-layer network (table 1); the caller chooses the stem. */
export const RESNET18: Omit<ResNetPlan, 'stem'> = { stemChannels: 64, stages: [64, 128, 256, 512], blocksPerStage: 2 };

function basicBlock(layers: Layers, name: string, x: string, out: number, stride: number): string {
  const first = layers.convNorm(`${name}.1`, x, { out, kernel: 3, stride });
  const second = layers.convNorm(`${name}.2`, first, { out, kernel: 3 }, 'None');
  const same = stride === 1 && layers.channels(x) === out;
  const shortcut = same ? x : layers.convNorm(`${name}.shortcut`, x, { out, kernel: 1, stride, padding: 0 }, 'None');
  const sum = layers.builder.node(`${name}.add`, 'Add', [second, shortcut]);
  return layers.activate(`${name}.relu`, sum, 'Relu');
}

export function resnet(layers: Layers, input: string, classes: number, plan: ResNetPlan): void {
  const { stem, stemChannels: out } = plan;
  const options =
    stem === 'imagenet' ? { out, kernel: 7, stride: 2 } : { out, kernel: 3, stride: stem === 'cifar' ? 1 : 2 };
  let x = layers.convNorm('stem', input, options);
  if (stem === 'imagenet') x = layers.maxPool('stem.pool', x, 3, 2, 1);
  plan.stages.forEach((channels, stage) => {
    for (let block = 0; block < plan.blocksPerStage; block++) {
      x = basicBlock(layers, `stage${stage + 1}.${block + 1}`, x, channels, stage > 0 && block === 0 ? 2 : 1);
    }
  });
  layers.classify(x, classes);
}
