// VGG configuration A (Simonyan & Zisserman, arXiv 1409.1556): eight 3×3 convolutions, with batch norm and, as usual for
// small images, one linear layer on the pooled features in place of three wide ones.
import type { Layers } from './layers.js';

/** Output channels; 0 is a 2×2 max pool. */
const VGG11 = [64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0];

export function vgg11(layers: Layers, input: string, classes: number): void {
  let x = input;
  let convolutions = 0;
  let pools = 0;
  for (const out of VGG11) {
    if (out > 0) x = layers.convNorm(`conv${++convolutions}`, x, { out, kernel: 3 });
    else if (layers.height(x) > 1) x = layers.maxPool(`pool${++pools}`, x, 2, 2); // 28×28 is down to 1×1 after four
  }
  layers.classify(x, classes);
}
