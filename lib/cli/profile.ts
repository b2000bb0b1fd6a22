// `faultline profile`: where a quantized model's error comes from, layer by layer and channel by channel.

import { profile } from '../assess/profile/profile.js';
import { perTensor } from '../format/granularity.js';
import { withPolicyGranularities } from '../policy/policy.js';
import { defineCommand } from './command.js';
import { inputOptions, readInputs } from './inputs.js';
import { MODEL, readJudged } from './model.js';
import { choice, flag } from './option.js';
import { GRANULARITY_OPTIONS, granularitiesOf, policyOptions, readPolicy } from './policy.js';

const IMAGES = 256;

export const command = defineCommand({
  name: 'profile',
  arguments: MODEL,
  options: {
    ...inputOptions(IMAGES),
    ...policyOptions('W8A8'),
    ...GRANULARITY_OPTIONS,
    activationRange: choice(
      '<what>',
      'what shares a range at run time: per-sample or per-tensor',
      ['per-sample', 'per-tensor'],
      { default: 'per-sample' },
    ),
    reduceRange: flag('8-bit weights in −64 … 64, for processors without VNNI'),
  },
  out: 'optional',
  examples: [
    'faultline profile model.onnx --data images.npy',
    'faultline profile model.onnx --data images.npy --policy W4A8 --out runs/profile',
  ],
  async run({ arguments: { model }, options, signal, progress, stage }) {
    const graph = await readJudged(model, options, progress);
    const policy = withPolicyGranularities(await readPolicy(graph, options.policy, options.exclude), {
      ...granularitiesOf(options),
      ...(options.activationRange === 'per-tensor' ? { activations: perTensor } : {}),
    });
    const { samples } = await readInputs(graph, options, progress);
    const found = await stage('profile', () =>
      profile(graph, samples, {
        policy,
        reduceRange: options.reduceRange,
        signal,
        onProgress: progress.counts('samples'),
      }),
    );
    return { result: { ...found, model } };
  },
});
