// `faultline vulnerable`: the points of highest vulnerability, by layer, channel, class and input, and the worst inputs.
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { vulnerable } from '../assess/vulnerable/vulnerable.js';
import { INPUT_CHANGES, type InputChange } from '../assess/vulnerable/worst_inputs.js';
import { InvalidArgumentError } from '../core/errors.js';
import { firstImages, subset } from '../data/image_set.js';
import { terminalReport } from '../report/terminal.js';
import { vulnerableDocument } from '../report/vulnerable_document.js';
import { writeDocument } from '../report/write.js';
import { writeWhole } from '../run/files.js';
import { Random } from '../tensor/random.js';
import { addInputOptions, type InputFlags, readImages } from './inputs.js';
import { readGraph } from './model.js';
import { integerOption, outFolder } from './options.js';
import { readPolicy } from './policy.js';
import { Progress } from './progress.js';

interface VulnerableFlags extends InputFlags {
  readonly policy: string;
  readonly exclude?: readonly string[];
  readonly pairs?: true;
  readonly channels: number;
  readonly changes: readonly InputChange[];
  readonly searched: number;
  readonly out: string;
  readonly json?: true;
}

const IMAGES = 1000;

function changesOption(text: string): InputChange[] {
  if (text === 'none') return [];
  return text.split(',').map((part) => {
    const change = INPUT_CHANGES.find((name) => name === part.trim());
    if (change) return change;
    throw new InvalidArgumentError('faultline', '--changes', `none, or of ${INPUT_CHANGES.join(', ')}`, text);
  });
}

async function vulnerableCommand(model: string, flags: VulnerableFlags): Promise<void> {
  const graph = await readGraph(model);
  const policy = await readPolicy(graph, flags.policy, flags.exclude);
  const { set, dataset, normalization, layout, prepare } = await readImages(graph, flags);
  const { seed, images: most = IMAGES } = flags;
  const order = new Random(seed).split('samples').shuffle(Int32Array.from({ length: set.count }, (_, i) => i));
  const images = prepare(most < set.count ? subset(set, order.subarray(0, most).sort()) : firstImages(set, most));
  await outFolder(flags.out);
  const line = new Progress();
  const found = await vulnerable(graph, images, normalization, {
    ...{ policy, seed, layout, pairs: flags.pairs ?? false, channels: flags.channels },
    ...{ changes: flags.changes, searched: flags.searched },
    onProgress: (stage, done, total) => line.show(done === total, () => `${stage}: ${done}/${total}`),
  });
  line.end();
  const named = { ...found, model: basename(model) };
  const document = vulnerableDocument(named, { images, normalization, classNames: dataset.classNames });
  const json = JSON.stringify(named, (_, value) => (value instanceof Float32Array ? [...value] : value));
  await writeWhole(join(flags.out, 'vulnerable.json'), `${json}\n`);
  await writeDocument(flags.out, document);
  process.stdout.write(flags.json ? `${json}\n` : `${terminalReport(document)}\n\n${join(flags.out, 'report.html')}\n`);
}

export function addVulnerableCommand(program: Command): void {
  const command = program
    .command('vulnerable')
    .argument('<model.onnx>')
    .description(
      'where a model is most vulnerable: layers, channels, classes, inputs, and the smallest change that breaks',
    );
  addInputOptions(command, IMAGES)
    .option('--policy <bits or file>', 'W2A2 … W8A8, or a faultline.policy/1 file', 'W4A4')
    .option('--exclude <nodes...>', 'quantizable nodes to leave in float32')
    .option('--pairs', 'restore every pair of layers together too')
    .option('--channels <n>', 'channels restored one at a time', integerOption('--channels', 0), 8)
    .option('--changes <list>', 'of inputs, searched for the smallest: pixel,linf,intensity or none', changesOption, [
      ...INPUT_CHANGES,
    ])
    .option('--searched <n>', 'images that are changed', integerOption('--searched', 1), 200)
    .requiredOption('--out <folder>', 'gets vulnerable.json, report.html, report.md, tables/*.csv')
    .option('--json', 'everything as JSON on stdout, schema faultline.vulnerable/1')
    .action(vulnerableCommand);
}
