// A short quantization-aware training as a cure: the network learns from its own answers in full precision, on images
// without labels, to give the same ones quantized. The answer to learned failures, which sit on one rounding grid.
import { simplify } from '../../graph/passes/index.js';
import { InputPolicy } from '../../search/input/policy.js';
import { distill, type PolicySource } from '../../train/distill.js';
import { ROBUST } from '../../train/recipes.js';
import { inputOf } from '../samples.js';
import type { Cure } from './cure.js';

/** Eighty mended every failure of METHOD after equalization; twenty did those on one grid. */
const STEPS = 80;

/** The agent decides anew in every step, seeing the student as it is. */
function sourceOf(policy: InputPolicy): PolicySource {
  return { at: ({ batch }) => [policy.begin(batch.count).choose], configuration: 'input policy' };
}

export function shortTraining(steps = STEPS): Cure {
  return {
    name: 'short QAT',
    scene: 'clean',
    async apply({ graph, policy }, { images, normalization, logits }, { seed, signal, onProgress }) {
      const { dims } = inputOf(graph);
      if (dims && (dims.length !== 4 || dims[1] !== images.channels)) {
        return { reason: 'training takes images [N, C, H, W]' };
      }
      const batchSize = Math.min(ROBUST.batchSize, images.count);
      const { graph: trained } = await distill(simplify(graph).graph, images, {
        ...ROBUST,
        batchSize,
        steps,
        seed,
        normalization,
        teacher: logits,
        policies: policy instanceof InputPolicy ? sourceOf(policy) : policy,
        ...(signal ? { signal } : {}),
        onProgress: ({ step }) => onProgress?.(step, steps),
      });
      const what = `${steps} steps of ${batchSize} of ${images.count} images`;
      return { candidate: { graph: trained, policy }, what };
    },
  };
}
