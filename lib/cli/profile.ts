// `faultline profile`: where a quantized model's error comes from, layer by layer and channel by channel.
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Profile, profile } from '../assess/profile.js';
import { InvalidArgumentError } from '../core/errors.js';
import { profileDocument } from '../report/profile_document.js';
import { writeDocument } from '../report/write.js';
import { writeWhole } from '../run/files.js';
import { addInputOptions, type InputFlags, readInputs } from './inputs.js';
import { readGraph } from './model.js';
import { outFolder } from './options.js';
import { blockSizeOption, type GranularityFlags, granularityOf, readPolicy } from './policy.js';
import { profileText } from './profile_text.js';
import { ProgressLine } from './progress.js';

interface ProfileFlags extends InputFlags, GranularityFlags {
  readonly policy: string;
  readonly exclude?: readonly string[];
  readonly activationRange: string;
  readonly reduceRange?: true;
  readonly out?: string;
  readonly json?: true;
}

const IMAGES = 256;

/** JSON has no infinity: a ratio without noise is null. */
export function profileJson(result: Profile): string {
  return JSON.stringify(result, (_, value: unknown) => (value instanceof Float64Array ? [...value] : value));
}

async function profileCommand(model: string, flags: ProfileFlags): Promise<void> {
  const ranges = ['perSample', 'perTensor'] as const;
  const activationRange = ranges.find((name) => name.toLowerCase() === flags.activationRange.replace('-', ''));
  if (!activationRange) {
    throw new InvalidArgumentError('profile', '--activation-range', 'per-sample or per-tensor', flags.activationRange);
  }
  const granularity = granularityOf(flags);
  const graph = await readGraph(model);
  const policy = await readPolicy(graph, flags.policy, flags.exclude);
  const { samples } = await readInputs(graph, flags);
  if (flags.out !== undefined) await outFolder(flags.out);
  const line = new ProgressLine();
  const result = await profile(graph, samples, {
    policy,
    granularity,
    activationRange,
    reduceRange: flags.reduceRange,
    onProgress: (done, total) => line.show(done === total, () => `${done}/${total} samples`),
  });
  line.end();
  const named = { ...result, model };
  if (flags.out !== undefined) {
    await writeWhole(join(flags.out, 'profile.json'), profileJson(named));
    await writeDocument(flags.out, profileDocument(named));
    process.stderr.write(`${join(flags.out, 'report.html')}\n`);
  }
  process.stdout.write(flags.json ? `${profileJson(named)}\n` : profileText(named));
}

export function addProfileCommand(program: Command): void {
  const command = program
    .command('profile')
    .argument('<model.onnx>')
    .description('where the error of a quantized model comes from, by layer and channel, and why it is slow');
  addInputOptions(command, IMAGES)
    .option('--policy <bits or file>', 'W2A2 … W8A8, or a faultline.policy/1 file', 'W8A8')
    .option('--exclude <nodes...>', 'quantizable nodes to leave in float32')
    .option('--per-channel', 'a weight scale for each output channel (default)')
    .option('--per-tensor', 'one weight scale for each node')
    .option('--block-size <n>', 'a weight scale for each block of n weights: a power of two from 16', blockSizeOption)
    .option('--activation-range <what>', 'what shares a range at run time: per-sample or per-tensor', 'per-sample')
    .option('--reduce-range', '8-bit weights in −64 … 64, for processors without VNNI')
    .option('--out <folder>', 'write report.html, report.md, tables/*.csv and profile.json here')
    .option('--json', 'everything as JSON on stdout, schema faultline.profile/1')
    .action(profileCommand);
}
