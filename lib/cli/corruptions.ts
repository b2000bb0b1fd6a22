// `faultline corruptions`: what corrupted, transformed and out-of-range images cost a model, and what quantization adds.
import { basename } from 'node:path';
import type { Command } from 'commander';
import { corruptionGrid, FULL_PRECISION, type NamedPolicy } from '../assess/measure/corruption_grid.js';
import { contactSheet } from '../data/contact_sheet.js';
import { parseCorruptions } from '../data/corruptions.js';
import { writeWhole } from '../run/files.js';
import { corruptionsText } from './corruptions_text.js';
import { addInputOptions, type InputFlags, readImages } from './inputs.js';
import { readGraph } from './model.js';
import { blockSizeOption, type GranularityFlags, granularityOf, readPolicy } from './policy.js';
import { Progress } from './progress.js';

interface CorruptionsFlags extends InputFlags, GranularityFlags {
  readonly corruptions: string;
  readonly policy: readonly string[];
  readonly exclude?: readonly string[];
  readonly baseline: string;
  readonly contactSheet?: string;
  readonly json?: true;
}

const IMAGES = 2000;
/** A line for progress elsewhere than on a terminal, after so many conditions. */
const MILESTONE = 10;

async function corruptionsCommand(model: string, flags: CorruptionsFlags): Promise<void> {
  const corruptions = parseCorruptions(flags.corruptions);
  const granularity = granularityOf(flags);
  const graph = await readGraph(model);
  const policies: NamedPolicy[] = [];
  for (const text of flags.policy) {
    // A file's name is enough where it is the only one of that name.
    const alone = flags.policy.filter((other) => basename(other) === basename(text)).length === 1;
    const name = alone ? basename(text) : text;
    policies.push({ name, policy: await readPolicy(graph, text, flags.exclude) });
  }
  const { set, normalization, layout, prepare } = await readImages(graph, flags);
  if (flags.contactSheet !== undefined) {
    const sheet = await contactSheet(set, corruptions, { seed: flags.seed, normalization });
    await writeWhole(flags.contactSheet, sheet);
  }
  const line = new Progress();
  const grid = await corruptionGrid(graph, set, normalization, {
    policies,
    corruptions,
    count: flags.images,
    seed: flags.seed,
    baseline: policies[flags.policy.indexOf(flags.baseline)]?.name ?? flags.baseline,
    layout,
    prepare,
    plan: { granularity },
    onProgress: (done, total) => {
      line.show(done % MILESTONE === 0 || done === total, () => `${done}/${total} conditions`);
    },
  });
  line.end();
  process.stdout.write(flags.json ? `${JSON.stringify({ ...grid, model })}\n` : corruptionsText(grid, model));
}

export function addCorruptionsCommand(program: Command): void {
  const command = program
    .command('corruptions')
    .argument('<model.onnx>')
    .description('accuracy under corruptions, transformations and range attacks, in fp32 and quantized');
  addInputOptions(command, IMAGES)
    .option(
      '--corruptions <list>',
      'all (19 of ImageNet-C), benchmark (15), noise, blur, weather, digital, transformations, range or names, ' +
        'each alone or as NAME:SEVERITY or NAME:xSTRENGTH',
      'all',
    )
    .option('--policy <bits or files...>', 'W2A2 … W8A8, or faultline.policy/1 files', ['W8A8', 'W4A8', 'W8A4', 'W4A4'])
    .option('--exclude <nodes...>', 'quantizable nodes to leave in float32')
    .option('--baseline <name>', `whose errors are 100 % in mCE: ${FULL_PRECISION} or a policy`, FULL_PRECISION)
    .option('--per-channel', 'a weight scale for each output channel (default)')
    .option('--per-tensor', 'one weight scale for each node')
    .option('--block-size <n>', 'a weight scale for each block of n weights: a power of two from 16', blockSizeOption)
    .option('--contact-sheet <file.png>', 'a picture of what each looks like')
    .option('--json', 'everything as JSON on stdout, schema faultline.corruptions/1')
    .action(corruptionsCommand);
}
