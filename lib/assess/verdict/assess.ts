// May this network be quantized? Everything that answers it, stage by stage. Each stage's result is kept by the store as
// it finishes, and what is known so far is a whole assessment at any time.
import { InvalidArgumentError, requireInteger } from '../../core/errors.js';
import type { Graph } from '../../graph/graph.js';
import { leftInFloat } from '../../graph/left_in_float.js';
import { outputOf } from '../../graph/output.js';
import { uniformPolicy } from '../../policy/policy.js';
import { percentScore } from '../../tasks/task.js';
import { DEFAULT_THRESHOLDS, float32Policy, type Thresholds } from '../measure/figures.js';
import { Measurer, type PolicyAnswers } from '../measure/measurer.js';
import type { Part } from '../measure/part.js';
import { type Samples, splitSamples } from '../samples.js';
import { defaultBudget, type SearchBudget } from './budget.js';
import { type CostEstimate, estimateCost, secondsPerRun, workOf } from './estimate.js';
import { agentsFor } from './policy_search.js';
import type { AssessResult, Evidence } from './result.js';
import {
  type Findings,
  MOST_COMPARED,
  MOST_PROFILED,
  MOST_SCANNED,
  NOTHING,
  type Setting,
  STAGES,
  subjectOf,
} from './stages.js';
import type { AssessProgress, AssessStore } from './timed.js';
import { verdictOf } from './verdict.js';

/** Policies, thresholds, signal and progress of an assessment. */
export interface AssessOptions {
  /** In reports. Default: the graph's name. */
  readonly model?: string | undefined;
  /** Default W8A8, W4A8, W8A4, W4A4. */
  readonly policies?: readonly string[] | undefined;
  /** What is searched: `choices`, and the effective bits of all policies; `false`: nothing. */
  readonly search?: false | Partial<SearchBudget> | undefined;
  /** Policies that each agent may evaluate for each objective. Default 64. */
  readonly evaluations?: number | undefined;
  readonly thresholds?: Partial<Thresholds> | undefined;
  /** Of everything drawn. Default 0. */
  readonly seed?: number | undefined;
  /** Seconds to be done in: stages that do not fit are left out, and the result says so. */
  readonly timeBudget?: number | undefined;
  readonly store?: AssessStore | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Sees how far it is. */
  readonly onProgress?: ((progress: AssessProgress) => void) | undefined;
  /** Sees the cost before anything is spent. */
  readonly onEstimate?: ((estimate: CostEstimate) => void) | undefined;
  /** Sees the assessment so far, after every stage. */
  readonly onResult?: ((result: AssessResult) => void | Promise<void>) | undefined;
}

const UNIFORM = ['W8A8', 'W4A8', 'W8A4', 'W4A4'] as const;
const EVALUATIONS = 64;
/** A search compares policies, which takes fewer samples than judging one; a quarter, and at most this many. */
const MOST_SEARCHED = 500;
/** Fewer than this are not split: everything is done on all of them, and the result says so. */
const LEAST_TO_SPLIT = 40;
/** Of a time budget, what full precision and the uniform policies may take; fewer samples are judged where it is not. */
const FIRST_SHARE = 0.4;
const LEAST_JUDGED = 50;

function checkThresholds({ maxDrop, catastrophe, confidence }: Thresholds): void {
  const refuse = (name: string, expected: string, received: number) => {
    throw new InvalidArgumentError('assess', `thresholds.${name}`, expected, String(received));
  };
  if (!(maxDrop >= 0)) refuse('maxDrop', 'a number from 0', maxDrop);
  if (!(catastrophe >= 0)) refuse('catastrophe', 'a number from 0', catastrophe);
  if (!(confidence > 0 && confidence < 1)) refuse('confidence', 'a number between 0 and 1', confidence);
}

/** What is refused before any work, and what the stages need but for the two parts of the samples. */
function termsOf(measurer: Measurer, samples: Samples, options: AssessOptions) {
  const { graph } = measurer;
  const { policies: uniform = UNIFORM, evaluations = EVALUATIONS, timeBudget, seed } = options;
  const thresholds: Thresholds = { ...DEFAULT_THRESHOLDS, ...options.thresholds };
  checkThresholds(thresholds);
  const names = [...uniformPolicy(graph, 'W8A8').schemes.keys()];
  if (names.length === 0) throw new InvalidArgumentError('assess', 'graph', 'nodes that can be quantized', 'none');
  for (const name of uniform) uniformPolicy(graph, name);
  const searched = options.search !== false && names.length > 1;
  const budget = searched ? defaultBudget(graph, options.search || {}) : undefined;
  const noBudget = options.search === false ? 'not requested' : 'one node has no budget to share';
  requireInteger('assess', 'evaluations', evaluations, 1, Number.MAX_SAFE_INTEGER);
  if (timeBudget !== undefined && !(timeBudget > 0)) {
    throw new InvalidArgumentError('assess', 'timeBudget', 'seconds above 0', String(timeBudget));
  }
  // A timer takes whole milliseconds, at most these.
  const budgetMs = Math.min(Math.ceil(1e3 * (timeBudget ?? 0)), 2 ** 31 - 1);
  const deadline = timeBudget === undefined ? undefined : AbortSignal.timeout(budgetMs);
  const { store, signal, onProgress } = options;
  const measure = samples.labels ? ('accuracy' as const) : ('agreement' as const);
  return {
    ...{ measurer, names, thresholds, measure, uniform, budget, noBudget, evaluations, seed },
    ...{ store, signal, deadline, onProgress },
  };
}

type AssessTerms = ReturnType<typeof termsOf>;

function estimateOf({ names, uniform, budget, evaluations }: AssessTerms, perRun: number, parts: readonly Samples[]) {
  const [searched = 0, judged = 0] = parts.map(({ count }) => count);
  const work = workOf({
    nodes: names.length,
    uniform: uniform.length,
    searches: budget ? 2 * agentsFor(budget.space, evaluations).length * evaluations : 0,
    searched,
    judged,
    compared: Math.min(MOST_COMPARED, judged),
    profiled: Math.min(MOST_PROFILED, judged),
    scanned: Math.min(MOST_SCANNED, judged),
  });
  return estimateCost(perRun, work);
}

/** As many of the samples as the first stage has time for; once decided, it stays. */
async function affordable(
  samples: Samples,
  perRun: number,
  policies: number,
  { timeBudget, store }: AssessOptions,
): Promise<Samples> {
  const decide = async () => {
    if (timeBudget === undefined) return samples.count;
    const most = Math.floor((FIRST_SHARE * timeBudget) / perRun / (policies + 1));
    return Math.min(samples.count, Math.max(LEAST_JUDGED, most));
  };
  const count = await (store ? store.stage('samples', decide) : decide());
  return count >= samples.count ? samples : samples.take(Int32Array.from({ length: count }, (_, i) => i));
}

/** How different the samples are, where answers are classes: on those of one class nothing can be seen. */
function variety({ fp, samples: { labels, count, task } }: Part) {
  if (!task.classes) return {};
  const classes = new Set(task.classes.of(fp.answers)).size;
  if (!labels) return { classes };
  const counts = new Map<number, number>();
  for (const label of task.classes.of(labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  return { classes, labels: counts.size, commonest: (100 * Math.max(...counts.values())) / count };
}

/** An assessment of what is known. */
function resultOf(
  setting: Setting,
  findings: Findings,
  rest: Pick<Evidence, 'model' | 'skipped' | 'estimate' | 'seconds'> & { readonly all: number },
): AssessResult {
  const { measurer, judge, choose, thresholds, measure } = setting;
  const { all, model, ...known } = rest;
  const { count, task, labels } = judge.samples;
  const scores = task.scores(judge.fp.answers, judge.expected);
  const [low, high] = task.interval(scores, thresholds.confidence);
  const evidence: Evidence = {
    schema: 'faultline.assess/2',
    model,
    measure,
    thresholds,
    samples: { all, searched: choose.samples.count, judged: count, apart: choose !== judge },
    task: task.name,
    measured: task.measures[measure],
    keeps: task.keeps,
    outputDoubt: task.doubt(outputOf(measurer.graph), labels !== undefined),
    leftInFloat: leftInFloat(measurer.graph),
    fp: {
      [measure]: percentScore(task, judge.fp.answers, judge.expected),
      interval: [100 * low, 100 * high],
      ...variety(judge),
    },
    ...findings,
    subject: subjectOf(findings.policies, thresholds)?.name,
    ...known,
  };
  return { ...evidence, ...verdictOf(evidence) };
}

/**
 * Assesses a network on samples; without labels, by agreement with full precision. Every figure is computed on integers,
 * and the network stays as it is: the worst policy found is one of its policies, no attack on its weights.
 *
 * Throws GraphError or InvalidArgumentError, before any work, on a graph, policy or budget that does not fit; the
 * signal's reason when called off.
 */
export async function assess(graph: Graph, samples: Samples, options: AssessOptions = {}): Promise<AssessResult> {
  const measurer = new Measurer(graph, samples.dims);
  try {
    const terms = termsOf(measurer, samples, options);
    const { signal } = options;
    const apart = samples.count >= LEAST_TO_SPLIT;
    const count = Math.min(MOST_SEARCHED, Math.floor(samples.count / 4));
    const [chosen, all] = apart ? splitSamples(samples, count, options.seed) : [samples, samples];
    const perRun = await secondsPerRun(measurer, all, signal);
    const estimate = estimateOf(terms, perRun, [chosen, all]);
    options.onEstimate?.(estimate);
    const judged = await affordable(all, perRun, terms.uniform.length, options);
    const part = async (one: Samples): Promise<Part> => {
      const [fp] = await measurer.run(one, [float32Policy(measurer.graph)], { signal });
      return { samples: one, fp: fp as PolicyAnswers, expected: one.labels ?? (fp as PolicyAnswers).answers };
    };
    const judge = await part(judged);
    const setting: Setting = { ...terms, judge, choose: apart ? await part(chosen) : judge };
    let findings = NOTHING;
    let skipped: Evidence['skipped'] =
      judged.count < all.count ? [{ stage: 'policies', why: `time for ${judged.count} of ${all.count} samples` }] : [];
    let seconds: Evidence['seconds'] = {};
    const known = () => {
      const model = options.model ?? measurer.graph.name;
      return resultOf(setting, findings, { model, skipped, estimate, seconds, all: samples.count });
    };
    for (const { name, run } of STAGES) {
      const result = await run(findings, setting);
      findings = { ...findings, ...result.evidence };
      if (result.skipped !== undefined) skipped = [...skipped, { stage: name, why: result.skipped }];
      if (result.seconds !== undefined) seconds = { ...seconds, [name]: result.seconds };
      await options.onResult?.(known());
    }
    return known();
  } finally {
    measurer.dispose();
  }
}
