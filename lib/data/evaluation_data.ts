// A set of images as evaluations of policies take it: normalised once, in the order of the set.
import type { EvaluationData } from '../runtime/evaluate_policies.js';
import { type ImageSet, imageSize, type Normalization } from './image_set.js';
import { Loader } from './loader.js';

/** dims: [count, channels, height, width], inputs channels-last; labels where the set has them. */
export function evaluationData(set: ImageSet, normalization: Normalization): EvaluationData {
  const { count, channels, height, width, labels } = set;
  const dims = [count, channels, height, width];
  const [batch] = count > 0 ? new Loader(set, { batchSize: count, normalization }).epoch(0) : [];
  const inputs = batch?.inputs ?? new Float32Array(count * imageSize(set));
  return { dims, inputs, layout: 'channelsLast', labels };
}
