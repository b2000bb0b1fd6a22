// The predictor that `assess` and `reproduce` use, as `faultline study` fitted it (predictor.json of its run): networks of the
// recipes in reproduce/population.ts and of `faultline reproduce`, Fashion-MNIST. What it never saw when it was judged:
// teachers (AUROC 0.99, Spearman 0.90), architectures (AUROC 0.99, Spearman 0.89).
import type { Predictor } from './predictor.js';

export const PREDICTOR: Predictor = {
  schema: 'faultline.predictor/1',
  indicator: 'noiseOverMargin',
  scale: 0.0014052,
  threshold: 10,
  slope: 2.04496,
  offset: -15.0012,
  knots: [
    [1.97316, -0.1],
    [2.717, -0.0282051],
    [4.76265, 0.245455],
    [5.02106, 0.287879],
    [5.41136, 0.43],
    [5.64385, 0.733333],
    [5.67756, 1],
    [5.70574, 1.27778],
    [5.74648, 1.59333],
    [5.92778, 1.875],
    [6.07958, 1.91667],
    [6.12623, 2.71667],
    [6.47669, 5.10784],
    [7.40846, 32.375],
    [8.42281, 42.4167],
    [10.1139, 49.7667],
    [10.8487, 61.0667],
    [13.2037, 75.9667],
  ],
  residuals: [-6.46882, 4.43511],
  confidence: 0.9,
  provenance: {
    networks: 40,
    points: 128,
    policies: ['848', 'W3A3', 'W4A4', 'W8A8'],
    teachers: ['convnet2-0', 'convnet2-1', 'convnet2-2', 'mlp-0', 'mlp-1', 'mlp-2'],
    archs: ['convnet2', 'mlp'],
    kinds: [
      'detrimental',
      'detrimental-half',
      'detrimental-mild',
      'gauge',
      'gauge-mild',
      'ordinary',
      'robust',
      'stealth',
    ],
    settings: {
      data: 'fashion-mnist',
      images: 256,
      judged: 3000,
      draws: 2,
      seed: 0,
    },
  },
};
