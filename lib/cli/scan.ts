// `faultline scan`: does full precision tell that a network will break? Without labels, without quantizing.
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Scan, scan } from '../assess/indicators.js';
import { scanDocument } from '../report/scan_document.js';
import { writeDocument } from '../report/write.js';
import { writeWhole } from '../run/files.js';
import { addInputOptions, type InputFlags, readInputs } from './inputs.js';
import { readGraph } from './model.js';
import { integerOption, outFolder } from './options.js';
import { readPolicy } from './policy.js';
import { ProgressLine } from './progress.js';
import { scanText } from './scan_text.js';

interface ScanFlags extends InputFlags {
  readonly policy: string;
  readonly exclude?: readonly string[];
  readonly draws: number;
  readonly out?: string;
  readonly json?: true;
}

const IMAGES = 256;
const DRAWS = 4;

/** JSON has no infinity: the SQNR of weights that lose nothing is null. */
export function scanJson(result: Scan): string {
  return JSON.stringify(result);
}

async function scanCommand(model: string, flags: ScanFlags): Promise<void> {
  const graph = await readGraph(model);
  const policy = await readPolicy(graph, flags.policy, flags.exclude);
  const { samples } = await readInputs(graph, flags);
  if (flags.out !== undefined) await outFolder(flags.out);
  const line = new ProgressLine();
  const result = await scan(graph, samples, {
    policy,
    draws: flags.draws,
    seed: flags.seed,
    onProgress: (done, total) => line.show(done === total, () => `${done}/${total} passes`),
  });
  line.end();
  const named = { ...result, model };
  if (flags.out !== undefined) {
    await writeWhole(join(flags.out, 'scan.json'), scanJson(named));
    await writeDocument(flags.out, scanDocument(named));
    process.stderr.write(`${join(flags.out, 'report.html')}\n`);
  }
  process.stdout.write(flags.json ? `${scanJson(named)}\n` : scanText(named));
}

export function addScanCommand(program: Command): void {
  const command = program
    .command('scan')
    .argument('<model.onnx>')
    .description('signs of brittleness in full precision, for the network and by layer; needs no labels');
  addInputOptions(command, IMAGES)
    .option(
      '--policy <bits or file>',
      'bits whose steps the noise has: W2A2 … W8A8, or a faultline.policy/1 file',
      'W4A4',
    )
    .option('--exclude <nodes...>', 'quantizable nodes to leave without noise')
    .option('--draws <n>', 'draws of each kind of noise', integerOption('--draws', 1), DRAWS)
    .option('--out <folder>', 'write report.html, report.md, tables/*.csv and scan.json here')
    .option('--json', 'everything as JSON on stdout, schema faultline.scan/1')
    .action(scanCommand);
}
