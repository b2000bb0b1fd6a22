// `faultline mitigate`: repairs a model that fails when quantized, from images alone, and says what helped and what did
// not.
import { basename } from 'node:path';
import { judgeMitigated } from '../assess/mitigate/judgement.js';
import {
  CALIBRATION_IMAGES,
  CURE_NAMES,
  type CureName,
  mitigate,
  VALIDATION_IMAGES,
} from '../assess/mitigate/mitigate.js';
import { TRAINING_STEPS } from '../assess/mitigate/qat.js';
import { type ImageSet, subset } from '../data/image_set.js';
import { exportModel } from '../graph/onnx/export.js';
import { policyToJson } from '../policy/json.js';
import { mitigateResult } from '../report/kinds/mitigate.js';
import { toJson } from '../run/files.js';
import { InputPolicy } from '../search/input_policy.js';
import { inputPolicyToJson } from '../search/input_policy_json.js';
import { Random } from '../tensor/random.js';
import { defineCommand } from './command.js';
import { inputOptions, readImages } from './inputs.js';
import { judged, MODEL, readGraph } from './model.js';
import { option, positive, refuse, text, wholeNumber } from './option.js';
import { readAnyPolicy } from './policy.js';

/** Those that teach and those that judge each cure. */
const IMAGES = CALIBRATION_IMAGES + VALIDATION_IMAGES;
/** More judge the whole no better for the time they take. */
const MOST_JUDGES = 10_000;

/** Cures as they are named on the command line. */
const flagOf = (cure: CureName) => cure.replaceAll(' ', '-').toLowerCase();
const CURE_FLAGS = CURE_NAMES.map(flagOf).join(', ');

function curesOf(one: string, name: string): 'auto' | readonly CureName[] {
  if (one === 'auto') return 'auto';
  if (one === 'all') return [...CURE_NAMES];
  return one.split(',').map((part) => {
    const cure = CURE_NAMES.find((known) => flagOf(known) === part.trim().toLowerCase());
    return cure ?? refuse(name, `auto, all or of ${CURE_FLAGS}`, `"${part}"`);
  });
}

/**
 * Two parts of a set, none in both: at most `count` images for repairing, the rest, not too many, for judging the
 * whole.
 */
function parted(set: ImageSet, count: number, seed: number): readonly [ImageSet, ImageSet] {
  const order = Int32Array.from({ length: set.count }, (_, i) => i);
  new Random(seed).split('mitigate parts').shuffle(order);
  const taken = Math.min(count, Math.floor((2 * set.count) / 3));
  return [subset(set, order.subarray(0, taken).sort()), subset(set, order.subarray(taken, taken + MOST_JUDGES).sort())];
}

export const command = defineCommand({
  name: 'mitigate',
  arguments: MODEL,
  options: {
    ...inputOptions(IMAGES),
    policy: text('<bits or file>', 'a scheme such as W8A8, or the file of a policy, static or by input', {
      required: true,
    }),
    cures: option<'auto' | readonly CureName[], { default: 'auto' }>(
      '<list>',
      `auto: by diagnosis; all; or, in this order, ${CURE_FLAGS}`,
      curesOf,
      { default: 'auto' },
    ),
    steps: wholeNumber('<n>', 'training steps of short-qat', 1, { default: TRAINING_STEPS }),
    moreBits: positive('<n>', 'effective bits that policy-repair may add; default: none'),
  },
  out: 'required',
  details: [
    `Of --images, half repair and half judge each cure, at most ${CALIBRATION_IMAGES} each. Data with training images ` +
      'supply these; all of --split then judge the whole, else the third that is left. Labels are used for that ' +
      'judgement alone.',
  ],
  examples: [
    'faultline mitigate model.onnx --data images.npy --policy W8A8 --out runs/mitigated',
    'faultline mitigate model.onnx --data images.npy,labels.npy --policy W4A4 --cures all --out runs/repaired',
  ],
  async run({ arguments: { model }, options, signal, progress, openRun }) {
    const file = await readGraph(model, progress);
    const graph = judged(file, options, progress);
    const policy = await readAnyPolicy(graph, options.policy);
    const { set, dataset, normalization, layout, prepare } = await readImages(graph, options, progress);
    const { seed, cures, steps, moreBits } = options;
    // Where the data have a set for training, its images repair and those of the requested split judge.
    const apart = options.split === 'test' ? dataset.train : undefined;
    const [repairing, rest] = parted(prepare(apart ?? set), options.images ?? IMAGES, seed);
    const test = apart ? prepare(set) : rest;
    const run = await openRun();
    const result = await run.stage('mitigate', async ({ write }) => {
      const found = await mitigate(graph, repairing, normalization, {
        ...{ policy, cures, seed, layout, steps, moreBits, signal, task: options.task },
        onProgress: ({ stage, done, total }) => progress.stage(stage, done, total),
      });
      const judgements = await judgeMitigated({ graph, policy }, found, test, normalization, {
        ...{ seed, layout, signal, task: options.task },
      });
      const { policy: repaired } = found;
      await write('model.onnx', exportModel(found.graph.with({ outputs: file.outputs })));
      await write(
        'policy.json',
        toJson(repaired instanceof InputPolicy ? inputPolicyToJson(repaired) : policyToJson(repaired)),
      );
      return mitigateResult({ model: basename(model), policy: basename(options.policy), seed }, found, judgements);
    });
    return { result, files: [run.file('model.onnx'), run.file('policy.json')] };
  },
});
