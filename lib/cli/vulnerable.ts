// `faultline vulnerable`: the points of highest vulnerability, by layer, channel, class and input, and the worst inputs.
import { basename } from 'node:path';
import { vulnerable } from '../assess/vulnerable/vulnerable.js';
import { INPUT_CHANGES, type InputChange } from '../assess/vulnerable/worst_inputs.js';
import { firstImages, subset } from '../data/image_set.js';
import { vulnerableResult } from '../report/kinds/vulnerable.js';
import { Random } from '../tensor/random.js';
import { defineCommand } from './command.js';
import { inputOptions, readImages } from './inputs.js';
import { MODEL, readJudged } from './model.js';
import { flag, option, refuse, wholeNumber } from './option.js';
import { policyOptions, readPolicy } from './policy.js';

const IMAGES = 1000;

function changes(one: string, name: string): readonly InputChange[] {
  if (one === 'none') return [];
  return one.split(',').map((part) => {
    const change = INPUT_CHANGES.find((known) => known === part.trim());
    return change ?? refuse(name, `none, or of ${INPUT_CHANGES.join(', ')}`, one);
  });
}

export const command = defineCommand({
  name: 'vulnerable',
  arguments: MODEL,
  options: {
    ...inputOptions(IMAGES),
    ...policyOptions('W4A4'),
    pairs: flag('restore every pair of layers together too'),
    channels: wholeNumber('<n>', 'channels restored one at a time', 0, { default: 8 }),
    changes: option<readonly InputChange[], { default: readonly InputChange[] }>(
      '<list>',
      'of inputs, searched for the smallest: pixel,linf,intensity or none',
      changes,
      { default: INPUT_CHANGES },
    ),
    searched: wholeNumber('<n>', 'images that are changed', 1, { default: 200 }),
  },
  out: 'required',
  examples: [
    'faultline vulnerable model.onnx --data images.npy,labels.npy --out runs/vulnerable',
    'faultline vulnerable model.onnx --data images.npy --policy W8A8 --changes none --out runs/weak',
  ],
  async run({ arguments: { model }, options, signal, progress, stage }) {
    const graph = await readJudged(model, options, progress);
    const policy = await readPolicy(graph, options.policy, options.exclude);
    const { set, dataset, normalization, layout, prepare } = await readImages(graph, options, progress);
    const { seed, images: most = IMAGES, pairs = false, channels, searched } = options;
    const order = new Random(seed).split('samples').shuffle(Int32Array.from({ length: set.count }, (_, i) => i));
    const images = prepare(most < set.count ? subset(set, order.subarray(0, most).sort()) : firstImages(set, most));
    const result = await stage('vulnerable', async () => {
      const found = await vulnerable(graph, images, normalization, {
        ...{ policy, seed, layout, pairs, channels, changes: options.changes, searched, signal, task: options.task },
        onProgress: progress.stage,
      });
      const { classNames } = dataset;
      return vulnerableResult({ ...found, model: basename(model) }, { images, normalization, classNames });
    });
    return { result };
  },
});
