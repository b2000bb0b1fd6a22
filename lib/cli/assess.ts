// `faultline assess`: may this model be quantized? One verdict with evidence, and an exit code.
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_THRESHOLDS } from '../assess/measure/figures.js';
import { assess } from '../assess/verdict/assess.js';
import type { CostEstimate } from '../assess/verdict/estimate.js';
import type { AssessResult } from '../assess/verdict/result.js';
import { InvalidArgumentError } from '../core/errors.js';
import { modelDigest } from '../graph/onnx/codec.js';
import { assessDocument } from '../report/assess_document.js';
import { writeDocument } from '../report/write.js';
import { sha256, toJson } from '../run/files.js';
import { RunDirectory } from '../run/run_directory.js';
import { assessText } from './assess_text.js';
import { addInputOptions, type InputFlags, readInputs } from './inputs.js';
import { readGraph } from './model.js';
import { integerOption, numberOption } from './options.js';
import { Progress } from './progress.js';

/** The verdict as the process ends; 3 failed, 4 refused its arguments. */
export const EXIT_CODES = { safe: 0, caution: 1, unsafe: 2, failed: 3, refused: 4 } as const;

interface AssessFlags extends InputFlags {
  readonly policies: readonly string[];
  readonly search: boolean;
  readonly choices: readonly string[];
  readonly bits?: number;
  readonly evaluations: number;
  readonly maxDrop: number;
  readonly dropType: string;
  readonly confidence: number;
  readonly catastrophe: number;
  readonly timeBudget?: number;
  readonly out?: string;
  readonly fresh?: true;
  readonly json?: true;
}

const list = (text: string) => text.split(',').map((part) => part.trim());

function shareOption(text: string): number {
  const value = numberOption('--confidence')(text);
  if (value < 1) return value;
  throw new InvalidArgumentError('faultline', '--confidence', 'a number between 0 and 1', text);
}

function seconds(value: number): string {
  return value >= 90 ? `${Math.round(value / 60)} min` : `${Math.ceil(value)} s`;
}

function estimateText({ seconds: total, stages }: CostEstimate): string {
  const parts = stages.filter((stage) => stage.seconds >= 0.5).map((each) => `${each.stage} ${seconds(each.seconds)}`);
  return `about ${seconds(total)}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

/** Everything that decides the figures; the time budget decides only which of them there is time for. */
async function configurationOf(model: string, flags: AssessFlags) {
  const { timeBudget: _, out: __, fresh: ___, json: ____, ...settings } = flags;
  return { ...settings, model: await modelDigest(model) };
}

async function assessCommand(model: string, flags: AssessFlags): Promise<void> {
  const dropType = (['absolute', 'relative'] as const).find((name) => name === flags.dropType);
  if (!dropType) throw new InvalidArgumentError('assess', '--drop-type', 'absolute or relative', flags.dropType);
  const graph = await readGraph(model);
  const { samples } = await readInputs(graph, flags);
  const configuration = await configurationOf(model, flags);
  const key = sha256(JSON.stringify(configuration)).slice(0, 8);
  const out = flags.out ?? join('runs', `assess-${basename(model, '.onnx')}-${key}`);
  const command = ['faultline', ...process.argv.slice(2)].join(' ');
  const run = await RunDirectory.open(out, { command, configuration, fresh: flags.fresh ?? false });
  const abort = new AbortController();
  const stop = () => abort.abort(new Error(`interrupted; the same command goes on in ${out}`));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const line = new Progress();
  try {
    const result = await assess(graph, samples, {
      model,
      policies: flags.policies,
      search: flags.search && { choices: flags.choices, ...(flags.bits === undefined ? {} : { bits: flags.bits }) },
      evaluations: flags.evaluations,
      thresholds: {
        maxDrop: flags.maxDrop,
        dropType,
        confidence: flags.confidence,
        catastrophe: flags.catastrophe,
      },
      seed: flags.seed,
      timeBudget: flags.timeBudget,
      store: run,
      signal: abort.signal,
      onEstimate: (estimate) => process.stderr.write(`${estimateText(estimate)}; in ${out}\n`),
      onProgress: ({ stage, done, total }) => line.show(done === total, () => `${stage}: ${done}/${total}`),
      onResult: (soFar: AssessResult) => run.write('assess.json', toJson(soFar)),
    });
    line.end();
    const text = assessText(result);
    await run.write('assess.txt', text);
    await writeDocument(out, assessDocument(result));
    process.stderr.write(`${join(out, 'report.html')}\n`);
    process.stdout.write(flags.json ? toJson(result) : text);
    process.exitCode = EXIT_CODES[result.verdict];
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    run.close();
  }
}

export function addAssessCommand(program: Command): void {
  const command = program
    .command('assess')
    .argument('<model.onnx>')
    .description('may this model be quantized? exit code 0 safe, 1 caution, 2 unsafe, 3 failed, 4 refused');
  addInputOptions(command)
    .option('--policies <list>', 'uniform policies to judge', list, ['W8A8', 'W4A8', 'W8A4', 'W4A4'])
    .option('--no-search', 'leave out the search for the worst and the best policy')
    .option('--choices <list>', 'what a node may get in the search', list, ['W4A4', 'W8A8'])
    .option('--bits <n>', 'effective bits of the policies searched; default: the middle', numberOption('--bits'))
    .option('--evaluations <n>', 'policies that each agent may try', integerOption('--evaluations', 1), 64)
    .option('--max-drop <x>', 'what may be lost', numberOption('--max-drop'), DEFAULT_THRESHOLDS.maxDrop)
    .option('--drop-type <name>', 'absolute: points; relative: percent of the accuracy in fp32', 'absolute')
    .option('--confidence <x>', 'of all intervals', shareOption, DEFAULT_THRESHOLDS.confidence)
    .option(
      '--catastrophe <x>',
      'a loss beyond this is catastrophic',
      numberOption('--catastrophe'),
      DEFAULT_THRESHOLDS.catastrophe,
    )
    .option('--time-budget <seconds>', 'leave out what does not fit', numberOption('--time-budget'))
    .option('--out <folder>', 'the run, which the same command goes on with; default: runs/assess-…')
    .option('--fresh', 'begin anew what --out holds')
    .option('--json', 'everything as JSON on stdout, schema faultline.assess/1')
    .action(assessCommand);
}
