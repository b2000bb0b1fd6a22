// MobileNetV2 (Sandler et al., arXiv 1801.04381): inverted residuals of 1×1 expansion, depthwise 3×3 and linear 1×1.
import type { Layers } from './layers.js';

/** Table 2 of the paper: expansion t, channels c, repeats n, stride of the first s. */
const BLOCKS = [
  { t: 1, c: 16, n: 1, s: 1 },
  { t: 6, c: 24, n: 2, s: 2 },
  { t: 6, c: 32, n: 3, s: 2 },
  { t: 6, c: 64, n: 4, s: 2 },
  { t: 6, c: 96, n: 3, s: 1 },
  { t: 6, c: 160, n: 3, s: 2 },
  { t: 6, c: 320, n: 1, s: 1 },
] as const;
const STEM_CHANNELS = 32;
const LAST_CHANNELS = 1280;
/** Stages without stride for CIFAR, the stem first: 32×32 images keep their resolution longer. */
const CIFAR_STRIDE_ONE = 1;

function invertedResidual(layers: Layers, name: string, x: string, t: number, out: number, stride: number): string {
  const channels = layers.channels(x);
  let y = x;
  if (t > 1) y = layers.convNorm(`${name}.expand`, y, { out: channels * t, kernel: 1 }, 'Relu6');
  const depthwise = { out: channels * t, kernel: 3, stride, groups: channels * t };
  y = layers.convNorm(`${name}.depthwise`, y, depthwise, 'Relu6');
  y = layers.convNorm(`${name}.project`, y, { out, kernel: 1 }, 'None');
  return stride === 1 && channels === out ? layers.builder.node(`${name}.add`, 'Add', [y, x]) : y;
}

/** `imagenet` is the paper's; `cifar` does not halve in the stem and the second stage. */
export function mobilenetV2(layers: Layers, input: string, classes: number, stem: 'cifar' | 'imagenet'): void {
  const small = stem === 'cifar';
  let x = layers.convNorm('stem', input, { out: STEM_CHANNELS, kernel: 3, stride: small ? 1 : 2 }, 'Relu6');
  BLOCKS.forEach(({ t, c, n, s }, stage) => {
    for (let block = 0; block < n; block++) {
      const stride = block > 0 || (small && stage <= CIFAR_STRIDE_ONE) ? 1 : s;
      x = invertedResidual(layers, `stage${stage + 1}.${block + 1}`, x, t, c, stride);
    }
  });
  x = layers.convNorm('last', x, { out: LAST_CHANNELS, kernel: 1 }, 'Relu6');
  layers.classify(x, classes);
}
