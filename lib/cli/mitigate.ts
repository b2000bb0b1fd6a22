// `faultline mitigate`: mends a model that fails when quantized, from images alone, and says what helped and what did not.
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { judgeMended } from '../assess/mitigate/judgement.js';
import {
  CALIBRATION_IMAGES,
  CURE_NAMES,
  type CureName,
  mitigate,
  VALIDATION_IMAGES,
} from '../assess/mitigate/mitigate.js';
import { type ImageSet, subset } from '../data/image_set.js';
import type { Graph } from '../graph/graph.js';
import { exportModel } from '../graph/onnx/export.js';
import { loadModel } from '../graph/onnx/import.js';
import { InvalidArgumentError } from '../native/errors.js';
import { type Policy, policyToJson } from '../quant/policy.js';
import { mitigateLines, mitigateReport } from '../report/mitigate_report.js';
import { wrapText } from '../report/terminal.js';
import { writeReport } from '../report/write.js';
import { toJson, writeWhole } from '../run/files.js';
import { inputPolicyFromJson, inputPolicyToJson } from '../search/input/json.js';
import { InputPolicy } from '../search/input/policy.js';
import { Random } from '../tensor/random.js';
import { addInputOptions, type InputFlags, readImages } from './inputs.js';
import { integerOption, numberOption } from './options.js';
import { readPolicy } from './policy.js';
import { ProgressLine, tellNotes } from './progress.js';

interface MitigateFlags extends InputFlags {
  readonly policy: string;
  readonly cures: readonly string[];
  readonly steps?: number;
  readonly moreBits?: number;
  readonly out: string;
  readonly json?: true;
}

/** Those that teach and those that judge each cure. */
const IMAGES = CALIBRATION_IMAGES + VALIDATION_IMAGES;

/** A static policy, or the file of an agent that chooses bits for each input. */
async function readAnyPolicy(graph: Graph, text: string): Promise<Policy | InputPolicy> {
  if (text.endsWith('.json')) {
    const content = await readFile(text, 'utf8').catch(() => '');
    if (content.includes('"faultline.input-policy/1"')) return inputPolicyFromJson(graph, JSON.parse(content));
  }
  return readPolicy(graph, text);
}

function curesOf(names: readonly string[]): 'auto' | CureName[] {
  if (names.length === 1 && names[0] === 'auto') return 'auto';
  if (names.length === 1 && names[0] === 'all') return [...CURE_NAMES];
  return names.map((name) => {
    const cure = CURE_NAMES.find((one) => one.replaceAll(' ', '-').toLowerCase() === name.toLowerCase());
    if (cure) return cure;
    const wanted = `auto, all, ${CURE_NAMES.map((one) => one.replaceAll(' ', '-').toLowerCase()).join(', ')}`;
    throw new InvalidArgumentError('mitigate', '--cures', wanted, name);
  });
}

/** Two parts of a set, none in both: at most `count` images for mending, the rest for judging the whole. */
function parted(set: ImageSet, count: number, seed: number): readonly [ImageSet, ImageSet] {
  const order = Int32Array.from({ length: set.count }, (_, i) => i);
  new Random(seed).split('mitigate parts').shuffle(order);
  const own = Math.min(count, Math.floor((2 * set.count) / 3));
  return [subset(set, order.subarray(0, own).sort()), subset(set, order.subarray(own).sort())];
}

async function mitigateCommand(model: string, flags: MitigateFlags): Promise<void> {
  const cures = curesOf(flags.cures);
  const { graph, notes } = await loadModel(model);
  tellNotes(notes);
  const policy = await readAnyPolicy(graph, flags.policy);
  const { set, dataset, normalization, layout, prepare } = await readImages(graph, flags);
  // Where the data have a set for training, its images mend and those of the split asked for judge.
  const apart = flags.split === 'test' ? dataset.train : undefined;
  const [given, rest] = parted(prepare(apart ?? set), flags.images ?? IMAGES, flags.seed);
  const test = apart ? prepare(set) : rest;
  const line = new ProgressLine();
  const { seed } = flags;
  const result = await mitigate(graph, given, normalization, {
    ...{ policy, cures, seed, layout, steps: flags.steps, moreBits: flags.moreBits },
    onProgress: ({ stage, done, total }) => line.show(done === total, () => `${stage}: ${done}/${total}`),
  });
  line.end();
  const mended = { graph: result.graph, policy: result.policy };
  const judgements = await judgeMended({ graph, policy }, mended, test, normalization, { seed, layout });
  const parts = { model: basename(model), policy: basename(flags.policy), result, judgements };
  await mkdir(flags.out, { recursive: true });
  const files = { model: join(flags.out, 'model.onnx'), policy: join(flags.out, 'policy.json') };
  await writeWhole(files.model, exportModel(result.graph));
  const { policy: own } = result;
  await writeWhole(files.policy, toJson(own instanceof InputPolicy ? inputPolicyToJson(own) : policyToJson(own)));
  const report = await writeReport(flags.out, mitigateReport(parts));
  const text = [...mitigateLines(parts), files.model, join(flags.out, 'report.html')].flatMap((one) =>
    wrapText(one, '  '),
  );
  process.stdout.write(flags.json ? toJson(report) : `${text.join('\n')}\n`);
}

export function addMitigateCommand(program: Command): void {
  const command = program
    .command('mitigate')
    .argument('<model.onnx>')
    .description('mend a model that fails when quantized, without labels, and report what helped and what did not');
  addInputOptions(command, IMAGES)
    .requiredOption('--policy <bits or file>', 'W2A2 … W8A8, or the file of a policy, static or by input')
    .option(
      '--cures <list>',
      'auto: what the diagnosis asks for; all; or, in this order, equalization, channel-rescue, bias-correction, ' +
        'clip-percentile, clip-mse, short-qat, policy-repair, range-guard',
      (text: string) => text.split(',').map((part) => part.trim()),
      ['auto'],
    )
    .option('--steps <n>', 'training steps of short-qat', integerOption('--steps', 1))
    .option('--more-bits <n>', 'effective bits that policy-repair may add; default: none', numberOption('--more-bits'))
    .requiredOption('--out <folder>', 'gets model.onnx, policy.json and the report')
    .option('--json', 'the report as JSON on stdout')
    .action(mitigateCommand);
}
