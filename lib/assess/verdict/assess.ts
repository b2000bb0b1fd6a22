// May this network be quantized? Everything that answers it, stage by stage, the most telling first. Each stage's result
// is kept by the store as it finishes, and what is known so far is a whole assessment at any time.

import { InvalidArgumentError, requireInteger } from '../../core/errors.js';
import { GraphError } from '../../graph/errors.js';
import type { Graph } from '../../graph/graph.js';
import { effectiveBits } from '../../policy/effective_bits.js';
import { policyFromJson, policyToJson } from '../../policy/json.js';
import { type Policy, uniformPolicy } from '../../policy/policy.js';
import { wilsonInterval } from '../../statistics/shares.js';
import type { Measure, Outcome } from '../../tasks/task.js';
import { predictDrop } from '../indicators/predictor.js';
import { PREDICTOR } from '../indicators/shipped_predictor.js';
import {
  DEFAULT_THRESHOLDS,
  figuresOf,
  fullPrecision,
  type PolicyFigures,
  type Thresholds,
} from '../measure/figures.js';
import { type MeasureOptions, Measurer } from '../measure/measurer.js';
import type { Part } from '../measure/part.js';
import { type NodeSensitivity, sensitivityOf } from '../measure/sensitivity.js';
import { type GranularityFigures, granularities, otherProcessors, type ProcessorFigures } from '../measure/variants.js';
import { type Profile, profile } from '../profile/profile.js';
import { outputDoubt, type Samples, splitSamples } from '../samples.js';
import { measureIndicators } from '../scan/scan.js';
import { defaultBudget, type SearchBudget } from './budget.js';
import { type CostEstimate, estimateCost, type StageWork, secondsPerRun, workOf } from './estimate.js';
import { agentsFor, type PolicySearch, searchPolicies } from './policy_search.js';
import { type Remedy, remediesFor } from './remedies.js';
import type { AssessResult, Evidence, LayerError, PolicyPrediction } from './result.js';
import { verdictOf } from './verdict.js';

/** Keeps what stages found: a RunDirectory does. */
export interface AssessStore {
  /** The result of a stage: computed now, or as it was kept. */
  stage<Result>(name: string, compute: () => Promise<Result>): Promise<Result>;
}

/** How far one stage is. */
export interface AssessProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** What an assessment tries, on what terms, and who hears of it. */
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
/** Fewer than this are not worth splitting: everything is done on all of them, and the result says so. */
const LEAST_TO_SPLIT = 40;
/** Granularities and processors are told on at most this many: they are no part of what is chosen. */
const MOST_COMPARED = 1000;
/** Errors are means over very many values: few samples do. */
const MOST_PROFILED = 64;
/** Noise is told from few samples, too. */
const MOST_SCANNED = 256;
const SCAN_DRAWS = 2;
/** Of a time budget, what full precision and the uniform policies may take; fewer samples are judged where it is not. */
const FIRST_SHARE = 0.4;
const LEAST_JUDGED = 50;

/** Thrown through the store, so that what is not finished is not kept as if it were. */
class Cut {
  constructor(readonly result: PolicySearch) {}
}

function checkThresholds({ maxDrop, catastrophe, confidence }: Thresholds): void {
  const refuse = (name: string, expected: string, received: number) => {
    throw new InvalidArgumentError('assess', `thresholds.${name}`, expected, String(received));
  };
  if (!(maxDrop >= 0)) refuse('maxDrop', 'a number from 0', maxDrop);
  if (!(catastrophe >= 0)) refuse('catastrophe', 'a number from 0', catastrophe);
  if (!(confidence > 0 && confidence < 1)) refuse('confidence', 'a number between 0 and 1', confidence);
}

class Assessment {
  private readonly measurer: Measurer;
  private readonly thresholds: Thresholds;
  private readonly names: readonly string[];
  private readonly measure: Measure;
  private readonly deadline: AbortSignal | undefined;
  private readonly seconds: Record<string, number> = {};
  private readonly skipped: { stage: string; why: string }[] = [];
  private choose!: Part;
  private judge!: Part;
  private estimate!: CostEstimate;
  private policies: PolicyFigures[] = [];
  private predicted: PolicyPrediction[] = [];
  private search: PolicySearch | undefined;
  private sensitivity: NodeSensitivity[] = [];
  private remedies: Remedy[] = [];
  private profile: LayerError[] = [];
  private granularity: GranularityFigures[] = [];
  private processors: ProcessorFigures[] = [];

  constructor(
    source: Graph,
    private readonly samples: Samples,
    private readonly options: AssessOptions,
  ) {
    this.measurer = new Measurer(source, samples.dims);
    this.thresholds = { ...DEFAULT_THRESHOLDS, ...options.thresholds };
    checkThresholds(this.thresholds);
    this.names = [...uniformPolicy(this.graph, 'W8A8').schemes.keys()];
    this.measure = this.measurer.task.measures[samples.labels ? 'labelled' : 'unlabelled'];
    if (this.names.length === 0) {
      throw new InvalidArgumentError('assess', 'graph', 'nodes that can be quantized', 'none');
    }
    for (const name of this.uniform) uniformPolicy(this.graph, name);
    this.budget(); // refuses what no policy meets
    requireInteger('assess', 'evaluations', this.evaluations, 1, Number.MAX_SAFE_INTEGER);
    const { timeBudget } = options;
    if (timeBudget !== undefined && !(timeBudget > 0)) {
      throw new InvalidArgumentError('assess', 'timeBudget', 'seconds above 0', String(timeBudget));
    }
    // A timer takes whole milliseconds, at most these.
    const budgetMs = Math.min(Math.ceil(1e3 * (timeBudget ?? 0)), 2 ** 31 - 1);
    this.deadline = timeBudget === undefined ? undefined : AbortSignal.timeout(budgetMs);
  }

  private get graph(): Graph {
    return this.measurer.graph;
  }

  private get uniform(): readonly string[] {
    return this.options.policies ?? UNIFORM;
  }

  private get evaluations(): number {
    return this.options.evaluations ?? EVALUATIONS;
  }

  private get apart(): boolean {
    return this.samples.count >= LEAST_TO_SPLIT;
  }

  private measuring(stage: string): MeasureOptions {
    const { signal, onProgress } = this.options;
    const either = [signal, this.deadline].filter((one) => one !== undefined);
    return {
      signal: either.length > 0 ? AbortSignal.any(either) : undefined,
      onProgress: (done, total) => onProgress?.({ stage, done, total }),
    };
  }

  /** One stage: from the store, or computed; left out when time is up. */
  private async stage<Result>(name: string, compute: () => Promise<Result>): Promise<Result | undefined> {
    this.options.signal?.throwIfAborted();
    const start = performance.now();
    try {
      const guarded = async () => {
        this.deadline?.throwIfAborted();
        return compute();
      };
      const { store } = this.options;
      return await (store ? store.stage(name, guarded) : guarded());
    } catch (error) {
      this.options.signal?.throwIfAborted();
      if (error instanceof Cut || !this.deadline?.aborted) throw error;
      this.skipped.push({ stage: name, why: 'time was up' });
      return undefined;
    } finally {
      this.seconds[name] = (performance.now() - start) / 1e3;
    }
  }

  async run(): Promise<AssessResult> {
    try {
      const [chosen, judged] = this.parts();
      const work = this.work(chosen.count, judged.count);
      const perRun = await secondsPerRun(this.measurer, judged, this.options.signal);
      this.estimate = estimateCost(perRun, work);
      this.options.onEstimate?.(this.estimate);
      await this.fullPrecision(chosen, await this.affordable(judged, perRun));
      for (const next of [this.uniformStage, this.searchStage, this.subjectStage, this.comparisonStage]) {
        await next.call(this);
        await this.options.onResult?.(this.result());
      }
      return this.result();
    } finally {
      this.measurer.dispose();
    }
  }

  private work(searched: number, judged: number): StageWork[] {
    const budget = this.budget();
    return workOf({
      nodes: this.names.length,
      uniform: this.uniform.length,
      searches: budget ? 2 * agentsFor(budget.space, this.evaluations).length * this.evaluations : 0,
      searched,
      judged,
      compared: Math.min(MOST_COMPARED, judged),
      profiled: Math.min(MOST_PROFILED, judged),
      scanned: Math.min(MOST_SCANNED, judged),
    });
  }

  private parts(): readonly [Samples, Samples] {
    if (!this.apart) return [this.samples, this.samples];
    const count = Math.min(MOST_SEARCHED, Math.floor(this.samples.count / 4));
    return splitSamples(this.samples, count, this.options.seed);
  }

  /** As many of the samples as the first stage has time for; once decided, it stays. */
  private async affordable(samples: Samples, perRun: number): Promise<Samples> {
    const { timeBudget, store } = this.options;
    const decide = async () => {
      if (timeBudget === undefined) return samples.count;
      const most = Math.floor((FIRST_SHARE * timeBudget) / perRun / (this.uniform.length + 1));
      return Math.min(samples.count, Math.max(LEAST_JUDGED, most));
    };
    const count = await (store ? store.stage('samples', decide) : decide());
    if (count >= samples.count) return samples;
    this.skipped.push({ stage: 'policies', why: `time for ${count} of ${samples.count} samples` });
    return samples.take(Int32Array.from({ length: count }, (_, i) => i));
  }

  private async fullPrecision(chosen: Samples, judged: Samples): Promise<void> {
    const part = async (samples: Samples): Promise<Part> => {
      const [fp] = await this.measurer.run(samples, [fullPrecision(this.names)], { signal: this.options.signal });
      return { samples, fp: fp as Outcome, expected: samples.labels ?? (fp as Outcome).classes };
    };
    this.judge = await part(judged);
    this.choose = this.apart ? await part(chosen) : this.judge;
  }

  private figures(name: string, policy: Policy, outcome: Outcome, found?: 'worst' | 'best'): PolicyFigures {
    const figures = figuresOf(this.measurer.task, this.judge.fp, outcome, this.judge.samples.labels, this.thresholds);
    const bits = policy.schemes.size > 0 ? effectiveBits(this.graph, policy) : undefined;
    return { name, found, effectiveBits: bits, ...figures, policy: policyToJson(policy) };
  }

  private async judged(stage: string, named: readonly (readonly [string, Policy])[]): Promise<PolicyFigures[]> {
    const policies = named.map(([, policy]) => policy);
    const outcomes = await this.measurer.run(this.judge.samples, policies, this.measuring(stage));
    return named.map(([name, policy], i) => this.figures(name, policy, outcomes[i] as Outcome));
  }

  private async uniformStage(): Promise<void> {
    const named = this.uniform.map((name) => [name, uniformPolicy(this.graph, name)] as const);
    this.policies = (await this.stage('policies', () => this.judged('policies', named))) ?? [];
    this.predicted = (await this.stage('predicted', () => this.predict(named))) ?? [];
    const told = this.predicted.length > 0 || this.skipped.some(({ stage }) => stage === 'predicted');
    if (!told && this.policies.length > 0) {
      this.skipped.push({ stage: 'predicted', why: 'full precision of this model cannot be looked into' });
    }
  }

  /** What the shipped predictor says of the uniform policies: evidence that no integer was needed for. */
  private async predict(named: readonly (readonly [string, Policy])[]): Promise<PolicyPrediction[]> {
    const { seed } = this.options;
    const { signal, onProgress } = this.measuring('predicted');
    const { samples } = this.few(MOST_SCANNED);
    const indicators = PREDICTOR.terms.map(({ indicator }) => indicator);
    const result: PolicyPrediction[] = [];
    // No part of the verdict: a model that the integers run and the float interpreter does not is still assessed.
    const unknown = (error: unknown) => error instanceof GraphError || error instanceof InvalidArgumentError;
    for (const [name, policy] of named) {
      const measured = this.policies.find((figures) => figures.name === name);
      if (!measured) continue;
      const options = { policy, draws: SCAN_DRAWS, seed, signal };
      const found = await measureIndicators(this.graph, samples, indicators, options).catch((error: unknown) => {
        if (unknown(error)) return undefined;
        throw error;
      });
      if (found === undefined) return [];
      result.push({ policy: name, ...predictDrop(PREDICTOR, found), measured: measured.drop });
      onProgress?.(result.length, named.length);
    }
    return result;
  }

  private budget() {
    const { search } = this.options;
    return search === false || this.names.length < 2 ? undefined : defaultBudget(this.graph, search ?? {});
  }

  private async searchStage(): Promise<void> {
    const budget = this.budget();
    if (!budget) {
      const why = this.options.search === false ? 'not asked for' : 'one node has no budget to share';
      this.skipped.push({ stage: 'search', why });
      return;
    }
    const { seed = 0, signal, onProgress } = this.options;
    const compute = async () => {
      const { samples, expected } = this.choose;
      const found = await searchPolicies(this.measurer, budget.space, budget.bits, samples, expected, this.measure, {
        evaluations: this.evaluations,
        seed,
        signal,
        deadline: this.deadline,
        onProgress: (done, total) => onProgress?.({ stage: 'search', done, total }),
      });
      if (found.cut) throw new Cut(found);
      return found;
    };
    try {
      this.search = await this.stage('search', compute);
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      this.search = error.result;
      this.skipped.push({ stage: 'search', why: 'time was up: best so far' });
    }
    if (!this.search) return;
    const { worst, best } = this.search;
    const named = [
      ['worst', policyFromJson(this.graph, worst)],
      ['best', policyFromJson(this.graph, best)],
    ] as const;
    // These two runs are what the search was for: they are made even when time is up.
    const judge = async () => {
      const policies = named.map(([, policy]) => policy);
      const outcomes = await this.measurer.run(this.judge.samples, policies, { signal });
      return named.map(([end, policy], i) => this.figures(`${end} found`, policy, outcomes[i] as Outcome, end));
    };
    const { store } = this.options;
    const found = this.search.cut || !store ? await judge() : await store.stage('found', judge);
    this.policies = [...this.policies, ...found];
  }

  /** Sensitivity of the policy that matters most, and what would help. */
  private async subjectStage(): Promise<void> {
    const subject = subjectOf(this.policies, this.thresholds);
    if (!subject) return;
    const policy = policyFromJson(this.graph, subject.policy);
    const { samples, expected } = this.choose;
    const sensitivity = () => sensitivityOf(this.measurer, samples, expected, policy, this.measuring('sensitivity'));
    this.sensitivity = (await this.stage('sensitivity', sensitivity)) ?? [];
    this.profile = (await this.stage('profile', () => this.layerErrors(policy))) ?? [];
    if (subject.level === 'safe' || this.sensitivity.length === 0) return;
    const options = this.measuring('remedies');
    const compute = () =>
      remediesFor(this.measurer, this.choose, this.judge, policy, this.sensitivity, this.thresholds, options);
    this.remedies = (await this.stage('remedies', compute)) ?? [];
  }

  private async layerErrors(policy: Policy): Promise<LayerError[]> {
    const { signal, onProgress } = this.measuring('profile');
    const { samples } = this.few(MOST_PROFILED);
    const { layers } = await profile(this.graph, samples, { policy, signal, onProgress });
    return layers.map(brief);
  }

  /** The first of the judged samples. */
  private few(most: number): Part {
    const { samples, fp, expected } = this.judge;
    if (samples.count <= most) return this.judge;
    const part = samples.take(Int32Array.from({ length: most }, (_, i) => i));
    const outcome = { classes: fp.classes.slice(0, most), margins: fp.margins.slice(0, most) };
    return { samples: part, fp: outcome, expected: expected.slice(0, most) };
  }

  private async comparisonStage(): Promise<void> {
    const uniform = byBits(this.policies.filter(({ found }) => found === undefined));
    const [mildest] = uniform;
    if (!mildest) return;
    const subject = subjectOf(this.policies, this.thresholds) ?? mildest;
    const several = [...new Set([mildest, subject, uniform.at(-1) ?? mildest])];
    const part = this.few(MOST_COMPARED);
    const { measurer, thresholds } = this;
    const granularity = () => granularities(measurer, part, several, thresholds, this.measuring('granularity'));
    this.granularity = (await this.stage('granularity', granularity)) ?? [];
    const processors = () => otherProcessors(measurer, part, mildest, thresholds, this.measuring('processors'));
    this.processors = (await this.stage('processors', processors)) ?? [];
  }

  private result(): AssessResult {
    const { judge, choose, thresholds, measure } = this;
    const right = Math.round(
      (this.measurer.task.percent(judge.fp.classes, judge.expected) * judge.samples.count) / 100,
    );
    const [low, high] = wilsonInterval(right, judge.samples.count, thresholds.confidence);
    const share = (100 * right) / judge.samples.count;
    const evidence: Evidence = {
      schema: 'faultline.assess/1',
      model: this.options.model ?? this.graph.name,
      measure,
      thresholds,
      samples: {
        all: this.samples.count,
        searched: choose.samples.count,
        judged: judge.samples.count,
        apart: this.apart,
      },
      outputDoubt: outputDoubt(this.graph),
      fp: { [measure]: share, interval: [100 * low, 100 * high], ...variety(judge) },
      policies: this.policies,
      predicted: this.predicted,
      search: this.search,
      subject: subjectOf(this.policies, thresholds)?.name,
      sensitivity: this.sensitivity,
      remedies: this.remedies,
      profile: this.profile,
      granularity: this.granularity,
      processors: this.processors,
      skipped: this.skipped,
      estimate: this.estimate,
      seconds: { ...this.seconds },
    };
    return { ...evidence, ...verdictOf(evidence) };
  }
}

function brief({ node, isolated, accumulated, ranges, inputs }: Profile['layers'][number]): LayerError {
  const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);
  const { mse, cosine, maxAbsError, propagatedShare } = accumulated;
  return {
    node,
    aloneSqnrDb: finite(isolated?.sqnrDb),
    sqnrDb: finite(accumulated.sqnrDb),
    mse,
    cosine,
    maxAbsError,
    propagatedShare,
    spread: ranges?.spread,
    outliers: inputs?.outliers.length ?? 0,
  };
}

/** How different the samples are: on those of one class nothing can be seen. */
function variety({ fp, samples: { labels, count } }: Part) {
  const classes = new Set(fp.classes).size;
  if (!labels) return { classes };
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return { classes, labels: counts.size, commonest: (100 * Math.max(...counts.values())) / count };
}

/** Most bits first. */
function byBits(policies: readonly PolicyFigures[]): PolicyFigures[] {
  return [...policies].sort((a, b) => (b.effectiveBits ?? 0) - (a.effectiveBits ?? 0));
}

/** The mildest catastrophe, else the mildest policy beyond the limit, else the one of fewest bits. */
function subjectOf(policies: readonly PolicyFigures[], { maxDrop }: Thresholds): PolicyFigures | undefined {
  const ordered = byBits(policies.filter(({ found }) => found !== 'best'));
  const failing = ordered.find(({ level }) => level === 'unsafe') ?? ordered.find(({ drop }) => drop > maxDrop);
  return failing ?? ordered.at(-1);
}

/**
 * Assesses a network on samples; without labels, by agreement with full precision. Every figure is computed on integers,
 * and the network stays as it is: the worst policy found is one of its policies, no attack on its weights.
 *
 * Throws GraphError or InvalidArgumentError, before any work, on a graph, policy or budget that does not fit; the
 * signal's reason when called off.
 */
export async function assess(graph: Graph, samples: Samples, options: AssessOptions = {}): Promise<AssessResult> {
  return new Assessment(graph, samples, options).run();
}
