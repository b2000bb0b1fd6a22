// `faultline scan`: predicts from full precision whether a network will break, without labels, without quantizing.
import { scan } from '../assess/scan/scan.js';
import { defineCommand } from './command.js';
import { inputOptions, readInputs } from './inputs.js';
import { MODEL, readJudged } from './model.js';
import { wholeNumber } from './option.js';
import { policyOptions, readPolicy } from './policy.js';

const IMAGES = 256;
const DRAWS = 4;

export const command = defineCommand({
  name: 'scan',
  arguments: MODEL,
  options: {
    ...inputOptions(IMAGES),
    ...policyOptions('W4A4', 'bits whose steps the noise has: W2A2 … W8A8, or a faultline.policy/1 file'),
    draws: wholeNumber('<n>', 'draws of each kind of noise', 1, { default: DRAWS }),
  },
  out: 'optional',
  examples: [
    'faultline scan model.onnx --data images.npy',
    'faultline scan model.onnx --data images.npy --policy W8A8 --images 64 --out runs/scan',
  ],
  async run({ arguments: { model }, options, signal, progress, stage }) {
    const graph = await readJudged(model, options, progress);
    const policy = await readPolicy(graph, options.policy, options.exclude);
    const { samples } = await readInputs(graph, options, progress);
    const { draws, seed } = options;
    const found = await stage('scan', () =>
      scan(graph, samples, { policy, draws, seed, signal, onProgress: progress.counts('passes') }),
    );
    return { result: { ...found, model } };
  },
});
