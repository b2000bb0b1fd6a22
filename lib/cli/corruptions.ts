// `faultline corruptions`: what corrupted, transformed and out-of-range images cost a model, and what quantization adds.
import { basename } from 'node:path';
import { corruptionGrid, FULL_PRECISION, type NamedPolicy } from '../assess/measure/corruption_grid.js';
import { contactSheet } from '../data/contact_sheet.js';
import { parseCorruptions } from '../data/corruptions.js';
import { looksLikeScheme } from '../format/scheme.js';
import { withPolicyGranularities } from '../policy/policy.js';
import { writeWhole } from '../run/files.js';
import { defineCommand } from './command.js';
import { inputOptions, readImages } from './inputs.js';
import { MODEL, readJudged } from './model.js';
import { repeated, text } from './option.js';
import { GRANULARITY_OPTIONS, granularitiesOf, readPolicy } from './policy.js';

const IMAGES = 2000;
/** A line for progress elsewhere than on a terminal, after so many conditions. */
const MILESTONE = 10;

export const command = defineCommand({
  name: 'corruptions',
  arguments: MODEL,
  options: {
    ...inputOptions(IMAGES),
    corruptions: text(
      '<list>',
      'all (19 of ImageNet-C), benchmark (15), noise, blur, weather, digital, transformations, range or names, each ' +
        'alone or as NAME:SEVERITY or NAME:xSTRENGTH',
      { default: 'all' },
    ),
    policy: repeated('<bits or files...>', 'schemes such as W8A8, or policy files', {
      default: ['W8A8', 'W4A8', 'W8A4', 'W4A4'],
    }),
    exclude: repeated('<nodes...>', 'quantizable nodes to leave in float32'),
    baseline: text('<name>', `whose errors are 100 % in mCE: ${FULL_PRECISION} or a policy`, {
      default: FULL_PRECISION,
    }),
    ...GRANULARITY_OPTIONS,
    contactSheet: text('<file.png>', 'a picture of what each looks like'),
  },
  out: 'optional',
  examples: [
    'faultline corruptions model.onnx --data images.npy,labels.npy --corruptions fog:3,range:4',
    'faultline corruptions model.onnx --data images.npy,labels.npy --policy W8A8 --out runs/corruptions',
  ],
  async run({ arguments: { model }, options, signal, progress, stage }) {
    const corruptions = parseCorruptions(options.corruptions);
    const granularities = granularitiesOf(options);
    const graph = await readJudged(model, options, progress);
    const policies: NamedPolicy[] = [];
    for (const path of options.policy) {
      // A file's name is enough where it is the only one of that name.
      const alone = options.policy.filter((other) => basename(other) === basename(path)).length === 1;
      const name = alone && !looksLikeScheme(path) ? basename(path) : path;
      const policy = await readPolicy(graph, path, options.exclude);
      policies.push({ name, policy: withPolicyGranularities(policy, granularities) });
    }
    const { set, normalization, layout, prepare } = await readImages(graph, options, progress);
    const { seed, images: count, baseline } = options;
    if (options.contactSheet !== undefined) {
      await writeWhole(options.contactSheet, await contactSheet(set, corruptions, { seed, normalization }));
    }
    const grid = await stage('corruptions', () =>
      corruptionGrid(graph, set, normalization, {
        ...{ policies, corruptions, count, seed, layout, prepare, signal, task: options.task },
        baseline: policies[options.policy.indexOf(baseline)]?.name ?? baseline,
        onProgress: (done, total) =>
          progress.show(done % MILESTONE === 0 || done === total, () => `${done}/${total} conditions`),
      }),
    );
    return { result: { ...grid, model } };
  },
});
