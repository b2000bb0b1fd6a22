// `faultline mitigate`: repairs a model that fails when quantized, from images alone, and says what helped and what did not.
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { judgeMitigated } from '../assess/mitigate/judgement.js';
import {
  CALIBRATION_IMAGES,
  CURE_NAMES,
  type CureName,
  mitigate,
  VALIDATION_IMAGES,
} from '../assess/mitigate/mitigate.js';
import { TRAINING_STEPS } from '../assess/mitigate/qat.js';
import { InvalidArgumentError } from '../core/errors.js';
import { type ImageSet, subset } from '../data/image_set.js';
import { exportModel } from '../graph/onnx/export.js';
import { policyToJson } from '../policy/json.js';
import { mitigateReport, mitigateText } from '../report/mitigate_report.js';
import { writeReport } from '../report/write.js';
import { toJson, writeWhole } from '../run/files.js';
import { InputPolicy } from '../search/input_policy.js';
import { inputPolicyToJson } from '../search/input_policy_json.js';
import { Random } from '../tensor/random.js';
import { addInputOptions, type InputFlags, readImages } from './inputs.js';
import { readGraph } from './model.js';
import { integerOption, numberOption, outFolder } from './options.js';
import { readAnyPolicy } from './policy.js';
import { Progress } from './progress.js';

interface MitigateFlags extends InputFlags {
  readonly policy: string;
  readonly cures: 'auto' | readonly CureName[];
  readonly steps?: number;
  readonly moreBits?: number;
  readonly out: string;
  readonly json?: true;
}

/** Those that teach and those that judge each cure. */
const IMAGES = CALIBRATION_IMAGES + VALIDATION_IMAGES;
/** More judge the whole no better for the time they take. */
const MOST_JUDGES = 10_000;

/** Cures as they are named on the command line. */
const flagOf = (cure: CureName) => cure.replaceAll(' ', '-').toLowerCase();
const CURE_FLAGS = CURE_NAMES.map(flagOf).join(', ');

function curesOption(text: string): 'auto' | CureName[] {
  if (text === 'auto') return 'auto';
  if (text === 'all') return [...CURE_NAMES];
  return text.split(',').map((part) => {
    const cure = CURE_NAMES.find((one) => flagOf(one) === part.trim().toLowerCase());
    if (cure) return cure;
    throw new InvalidArgumentError('mitigate', '--cures', `auto, all or of ${CURE_FLAGS}`, `"${part}"`);
  });
}

/** Two parts of a set, none in both: at most `count` images for repairing, the rest, not too many, for judging the whole. */
function parted(set: ImageSet, count: number, seed: number): readonly [ImageSet, ImageSet] {
  const order = Int32Array.from({ length: set.count }, (_, i) => i);
  new Random(seed).split('mitigate parts').shuffle(order);
  const own = Math.min(count, Math.floor((2 * set.count) / 3));
  return [subset(set, order.subarray(0, own).sort()), subset(set, order.subarray(own, own + MOST_JUDGES).sort())];
}

async function mitigateCommand(model: string, flags: MitigateFlags): Promise<void> {
  const graph = await readGraph(model);
  const policy = await readAnyPolicy(graph, flags.policy);
  const { set, dataset, normalization, layout, prepare } = await readImages(graph, flags);
  // Where the data have a set for training, its images repair and those of the split asked for judge.
  const apart = flags.split === 'test' ? dataset.train : undefined;
  const [given, rest] = parted(prepare(apart ?? set), flags.images ?? IMAGES, flags.seed);
  const test = apart ? prepare(set) : rest;
  await outFolder(flags.out);
  const line = new Progress();
  const { seed, cures } = flags;
  const result = await mitigate(graph, given, normalization, {
    ...{ policy, cures, seed, layout, steps: flags.steps, moreBits: flags.moreBits },
    onProgress: ({ stage, done, total }) => line.show(done === total, () => `${stage}: ${done}/${total}`),
  });
  line.end();
  const mitigated = { graph: result.graph, policy: result.policy };
  const judgements = await judgeMitigated({ graph, policy }, mitigated, test, normalization, { seed, layout });
  const parts = { model: basename(model), policy: basename(flags.policy), result, judgements };
  const files = ['model.onnx', 'policy.json', 'report.html'].map((name) => join(flags.out, name));
  const [modelFile = '', policyFile = ''] = files;
  await writeWhole(modelFile, exportModel(result.graph));
  const { policy: own } = result;
  await writeWhole(policyFile, toJson(own instanceof InputPolicy ? inputPolicyToJson(own) : policyToJson(own)));
  const report = await writeReport(flags.out, mitigateReport(parts));
  process.stdout.write(flags.json ? toJson(report) : `${mitigateText(parts)}\n${files.join('\n')}\n`);
}

export function addMitigateCommand(program: Command): void {
  const command = program
    .command('mitigate')
    .argument('<model.onnx>')
    .description('repair a model that fails when quantized, without labels, and report what helped and what did not');
  addInputOptions(command, IMAGES)
    .requiredOption('--policy <bits or file>', 'W2A2 … W8A8, or the file of a policy, static or by input')
    .option(
      '--cures <list>',
      `auto: what the diagnosis asks for; all; or, in this order, ${CURE_FLAGS}`,
      curesOption,
      'auto',
    )
    .option('--steps <n>', 'training steps of short-qat', integerOption('--steps', 1), TRAINING_STEPS)
    .option('--more-bits <n>', 'effective bits that policy-repair may add; default: none', numberOption('--more-bits'))
    .requiredOption('--out <folder>', 'gets model.onnx, policy.json and the report')
    .option('--json', 'the report as JSON on stdout')
    .addHelpText(
      'after',
      `
Of --images, half repair and half judge each cure, at most ${CALIBRATION_IMAGES} each. Data with
training images give these; all of --split then judge the whole, else the third
that is left. Labels are used for that judgement alone.`,
    )
    .action(mitigateCommand);
}
