// `faultline assess`: may this model be quantized? One verdict with evidence, and an exit code.
import { DEFAULT_THRESHOLDS } from '../assess/measure/figures.js';
import { assess } from '../assess/verdict/assess.js';
import type { CostEstimate } from '../assess/verdict/estimate.js';
import type { AssessResult } from '../assess/verdict/result.js';
import { toJson } from '../run/files.js';
import { defineCommand } from './command.js';
import { inputOptions, readInputs } from './inputs.js';
import { MODEL, readJudged } from './model.js';
import { choice, list, option, positive, refuse, unless, wholeNumber } from './option.js';
import { schemeName } from './policy.js';

/** The verdict as the process ends. */
const VERDICTS = { safe: 0, caution: 1, unsafe: 2 } as const;

function seconds(value: number): string {
  return value >= 90 ? `${Math.round(value / 60)} min` : `${Math.ceil(value)} s`;
}

function estimateText({ seconds: total, stages }: CostEstimate): string {
  const parts = stages.filter((stage) => stage.seconds >= 0.5).map((each) => `${each.stage} ${seconds(each.seconds)}`);
  return `about ${seconds(total)}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

/** 0–1, both ends excluded. */
function openShare(one: string, name: string): number {
  const value = Number(one);
  return one.trim() !== '' && value > 0 && value < 1 ? value : refuse(name, 'a number between 0 and 1', one);
}

export const command = defineCommand({
  name: 'assess',
  arguments: MODEL,
  options: {
    ...inputOptions(),
    policies: list('<list>', 'uniform policies to judge', {
      each: schemeName,
      default: ['W8A8', 'W4A8', 'W8A4', 'W4A4'],
    }),
    search: unless('leave out the search for the worst and the best policy'),
    choices: list('<list>', 'what a node may get in the search', { each: schemeName, default: ['W4A4', 'W8A8'] }),
    bits: positive('<n>', 'effective bits of the policies searched; default: the middle'),
    evaluations: wholeNumber('<n>', 'policies that each agent may try', 1, { default: 64 }),
    maxDrop: positive('<x>', 'what may be lost', { default: DEFAULT_THRESHOLDS.maxDrop }),
    dropType: choice(
      '<name>',
      'absolute: points; relative: percent of the accuracy in fp32',
      ['absolute', 'relative'],
      { default: 'absolute' },
    ),
    confidence: option('<x>', 'of all intervals', openShare, { default: DEFAULT_THRESHOLDS.confidence }),
    catastrophe: positive('<x>', 'a loss beyond this is catastrophic', { default: DEFAULT_THRESHOLDS.catastrophe }),
    // Decides only which figures there is time for.
    timeBudget: positive('<seconds>', 'leave out what does not fit', { decides: false }),
  },
  out: 'named',
  examples: [
    'faultline assess model.onnx --data images.npy,labels.npy',
    'faultline assess model.onnx --data images.npy --mean .485,.456,.406 --std .229,.224,.225',
  ],
  details: ['Exit codes: 0 safe, 1 caution, 2 unsafe, 3 failed, 4 refused.'],
  async run({ arguments: { model }, options, signal, progress, folder, openRun }) {
    const graph = await readJudged(model, options, progress);
    const { samples } = await readInputs(graph, options, progress);
    const { policies, choices, bits, evaluations, maxDrop, dropType, confidence, catastrophe, seed, timeBudget } =
      options;
    const run = await openRun();
    const result = await assess(graph, samples, {
      model,
      policies,
      search: options.search && { choices, ...(bits === undefined ? {} : { bits }) },
      evaluations,
      thresholds: { maxDrop, dropType, confidence, catastrophe },
      seed,
      timeBudget,
      store: run,
      signal,
      onEstimate: (estimate) => progress.say(`${estimateText(estimate)}; in ${folder}`),
      onProgress: ({ stage, done, total }) => progress.stage(stage, done, total),
      onResult: (soFar: AssessResult) => run.write('report.json', toJson(soFar)),
    });
    return { result, exitCode: VERDICTS[result.verdict] };
  },
});
