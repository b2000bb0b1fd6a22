// The stages of an assessment, the most telling first: each is a function from the evidence so far to what it adds.
import { InvalidArgumentError } from '../../core/errors.js';
import { GraphError } from '../../graph/errors.js';
import { effectiveBits } from '../../policy/effective_bits.js';
import { policyFromJson, policyToJson } from '../../policy/json.js';
import { type Policy, uniformPolicy } from '../../policy/policy.js';
import type { Measure } from '../../tasks/task.js';
import { predictDrop } from '../indicators/predictor.js';
import { PREDICTOR } from '../indicators/shipped_predictor.js';
import { figuresOf, type PolicyFigures, type Thresholds } from '../measure/figures.js';
import type { Measurer, PolicyAnswers } from '../measure/measurer.js';
import type { Part } from '../measure/part.js';
import { sensitivityOf } from '../measure/sensitivity.js';
import { granularities, otherProcessors } from '../measure/variants.js';
import { type Profile, profile } from '../profile/profile.js';
import { measureIndicators } from '../scan/scan.js';
import type { defaultBudget } from './budget.js';
import { searchPolicies } from './policy_search.js';
import { remediesFor } from './remedies.js';
import type { Evidence, LayerError, PolicyPrediction } from './result.js';
import { measuring, type Terms, type Timed, timed } from './timed.js';

/** What stages add to. */
export type Findings = Readonly<
  Pick<
    Evidence,
    'policies' | 'predicted' | 'search' | 'sensitivity' | 'profile' | 'remedies' | 'granularity' | 'processors'
  >
>;

/** Before any stage. */
export const NOTHING: Findings = {
  policies: [],
  predicted: [],
  search: undefined,
  sensitivity: [],
  profile: [],
  remedies: [],
  granularity: [],
  processors: [],
};

/** What every stage has beside the evidence. */
export interface Setting extends Terms {
  readonly measurer: Measurer;
  readonly thresholds: Thresholds;
  readonly measure: Measure;
  /** Names of uniform policies. */
  readonly uniform: readonly string[];
  readonly budget: ReturnType<typeof defaultBudget> | undefined;
  /** Why nothing is searched where there is no budget. */
  readonly noBudget: string;
  readonly evaluations: number;
  readonly seed: number | undefined;
  /** What is chosen is chosen on this part, and judged on the other. */
  readonly choose: Part;
  readonly judge: Part;
}

/** What a stage adds. */
interface StageResult {
  readonly evidence: Partial<Findings>;
  /** Why it did not run, or not to its end. */
  readonly skipped?: string | undefined;
  /** Undefined where nothing was computed. */
  readonly seconds?: number | undefined;
}

interface AssessStage {
  readonly name: string;
  run(evidence: Findings, setting: Setting): Promise<StageResult>;
}

/** Granularities and processors are measured on at most this many: they are no part of what is chosen. */
export const MOST_COMPARED = 1000;
/** Errors are means over very many values: few samples do. */
export const MOST_PROFILED = 64;
/** Noise is estimated from few samples, too. */
export const MOST_SCANNED = 256;
const SCAN_DRAWS = 2;
const TIME_UP = 'time was up';
const NOTHING_TO_DO: StageResult = { evidence: {} };

/** What was found under its name, or that time was up. */
function resultOf<Name extends keyof Findings>(name: Name, { value, timeUp, seconds }: Timed<Findings[Name]>) {
  const evidence: Partial<Findings> = value === undefined ? {} : { [name]: value };
  return { evidence, seconds, skipped: timeUp ? TIME_UP : undefined };
}

/** The first of the judged samples. */
function few({ judge }: Setting, most: number): Part {
  const { samples, fp, expected } = judge;
  if (samples.count <= most) return judge;
  const first = Int32Array.from({ length: most }, (_, i) => i);
  const { task } = samples;
  const outcome = { answers: task.take(fp.answers, first), margins: fp.margins?.slice(0, most) };
  return { samples: samples.take(first), fp: outcome, expected: task.take(expected, first) };
}

interface Named {
  readonly name: string;
  readonly policy: Policy;
  readonly found?: 'worst' | 'best';
}

/** Policies on the judged samples. */
async function judged(
  { measurer, judge, thresholds }: Setting,
  named: readonly Named[],
  options: Parameters<Measurer['run']>[2],
): Promise<PolicyFigures[]> {
  const policies = named.map(({ policy }) => policy);
  const outcomes = await measurer.run(judge.samples, policies, options);
  return named.map(({ name, policy, found }, i) => {
    const { task, labels } = judge.samples;
    const figures = figuresOf(task, judge.fp, outcomes[i] as PolicyAnswers, labels, thresholds);
    const bits = policy.schemes.size > 0 ? effectiveBits(measurer.graph, policy) : undefined;
    return { name, found, effectiveBits: bits, ...figures, policy: policyToJson(policy) };
  });
}

const uniformPolicies = ({ measurer, uniform }: Setting): Named[] =>
  uniform.map((name) => ({ name, policy: uniformPolicy(measurer.graph, name) }));

const policies: AssessStage = {
  name: 'policies',
  async run(_, setting) {
    const compute = () => judged(setting, uniformPolicies(setting), measuring(setting, 'policies'));
    return resultOf('policies', await timed(setting, 'policies', compute));
  },
};

/** What the shipped predictor says of the uniform policies: evidence that no integer was needed for. */
async function predict({ policies: measured }: Findings, setting: Setting): Promise<PolicyPrediction[]> {
  const { signal, onProgress } = measuring(setting, 'predicted');
  const { samples } = few(setting, MOST_SCANNED);
  const indicators = PREDICTOR.terms.map(({ indicator }) => indicator);
  const named = uniformPolicies(setting);
  const result: PolicyPrediction[] = [];
  // No part of the verdict: a model that the integers run and the float interpreter does not is still assessed.
  const unknown = (error: unknown) => error instanceof GraphError || error instanceof InvalidArgumentError;
  for (const { name, policy } of named) {
    const figures = measured.find((each) => each.name === name);
    if (!figures) continue;
    const options = { policy, draws: SCAN_DRAWS, seed: setting.seed, signal };
    const found = await measureIndicators(setting.measurer.graph, samples, indicators, options).catch(
      (error: unknown) => {
        if (unknown(error)) return undefined;
        throw error;
      },
    );
    if (found === undefined) return [];
    result.push({ policy: name, ...predictDrop(PREDICTOR, found), measured: figures.drop });
    onProgress?.(result.length, named.length);
  }
  return result;
}

const predicted: AssessStage = {
  name: 'predicted',
  async run(evidence, setting) {
    const result = resultOf('predicted', await timed(setting, 'predicted', () => predict(evidence, setting)));
    const unknown = result.evidence.predicted?.length === 0 && evidence.policies.length > 0;
    return unknown ? { ...result, skipped: 'full precision of this model cannot be looked into' } : result;
  },
};

const search: AssessStage = {
  name: 'search',
  async run(evidence, setting) {
    const { measurer, budget, choose, measure, evaluations, seed = 0, signal, deadline, store } = setting;
    if (!budget) return { evidence: {}, skipped: setting.noBudget };
    const { onProgress } = measuring(setting, 'search');
    const options = { evaluations, seed, signal, deadline, onProgress };
    const compute = () =>
      searchPolicies(measurer, budget.space, budget.bits, choose.samples, choose.expected, measure, options);
    const { value, timeUp, seconds } = await timed(setting, 'search', compute, ({ cut }) => !cut);
    if (!value) return { evidence: {}, seconds, skipped: TIME_UP };
    const named = (['worst', 'best'] as const).map((found) => ({
      name: `${found} found`,
      policy: policyFromJson(measurer.graph, value[found]),
      found,
    }));
    // These two runs are what the search was for: they are made even when time is up.
    const judge = () => judged(setting, named, { signal });
    const found = value.cut || !store ? await judge() : await store.stage('found', judge);
    return {
      evidence: { search: value, policies: [...evidence.policies, ...found] },
      seconds,
      skipped: timeUp ? `${TIME_UP}: best so far` : undefined,
    };
  },
};

const sensitivity: AssessStage = {
  name: 'sensitivity',
  async run(evidence, setting) {
    const { measurer, choose, thresholds } = setting;
    const subject = subjectOf(evidence.policies, thresholds);
    if (!subject) return NOTHING_TO_DO;
    const policy = policyFromJson(measurer.graph, subject.policy);
    const compute = () =>
      sensitivityOf(measurer, choose.samples, choose.expected, policy, measuring(setting, 'sensitivity'));
    return resultOf('sensitivity', await timed(setting, 'sensitivity', compute));
  },
};

const layerErrors: AssessStage = {
  name: 'profile',
  async run(evidence, setting) {
    const { graph } = setting.measurer;
    const subject = subjectOf(evidence.policies, setting.thresholds);
    if (!subject) return NOTHING_TO_DO;
    const policy = policyFromJson(graph, subject.policy);
    const compute = async () => {
      const { signal, onProgress } = measuring(setting, 'profile');
      const { layers } = await profile(graph, few(setting, MOST_PROFILED).samples, { policy, signal, onProgress });
      return layers.map(brief);
    };
    return resultOf('profile', await timed(setting, 'profile', compute));
  },
};

const remedies: AssessStage = {
  name: 'remedies',
  async run(evidence, setting) {
    const { measurer, choose, judge, thresholds } = setting;
    const subject = subjectOf(evidence.policies, thresholds);
    if (!subject || subject.level === 'safe' || evidence.sensitivity.length === 0) return NOTHING_TO_DO;
    const policy = policyFromJson(measurer.graph, subject.policy);
    const options = measuring(setting, 'remedies');
    const compute = () => remediesFor(measurer, choose, judge, policy, evidence.sensitivity, thresholds, options);
    return resultOf('remedies', await timed(setting, 'remedies', compute));
  },
};

/** Uniform policies, most bits first. */
const uniformOf = ({ policies: all }: Findings) => byBits(all.filter(({ found }) => found === undefined));

const granularity: AssessStage = {
  name: 'granularity',
  async run(evidence, setting) {
    const { measurer, thresholds } = setting;
    const uniform = uniformOf(evidence);
    const [mildest] = uniform;
    if (!mildest) return NOTHING_TO_DO;
    const subject = subjectOf(evidence.policies, thresholds) ?? mildest;
    const several = [...new Set([mildest, subject, uniform.at(-1) ?? mildest])];
    const part = few(setting, MOST_COMPARED);
    const compute = () => granularities(measurer, part, several, thresholds, measuring(setting, 'granularity'));
    return resultOf('granularity', await timed(setting, 'granularity', compute));
  },
};

const processors: AssessStage = {
  name: 'processors',
  async run(evidence, setting) {
    const { measurer, thresholds } = setting;
    const [mildest] = uniformOf(evidence);
    if (!mildest) return NOTHING_TO_DO;
    const part = few(setting, MOST_COMPARED);
    const compute = () => otherProcessors(measurer, part, mildest, thresholds, measuring(setting, 'processors'));
    return resultOf('processors', await timed(setting, 'processors', compute));
  },
};

/** In the order they run. */
export const STAGES: readonly AssessStage[] = [
  policies,
  predicted,
  search,
  sensitivity,
  layerErrors,
  remedies,
  granularity,
  processors,
];

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

/** Most bits first. */
function byBits(policies: readonly PolicyFigures[]): PolicyFigures[] {
  return [...policies].sort((a, b) => (b.effectiveBits ?? 0) - (a.effectiveBits ?? 0));
}

/** The mildest catastrophe, else the mildest policy beyond the limit, else the one of fewest bits. */
export function subjectOf(policies: readonly PolicyFigures[], { maxDrop }: Thresholds): PolicyFigures | undefined {
  const ordered = byBits(policies.filter(({ found }) => found !== 'best'));
  const failing = ordered.find(({ level }) => level === 'unsafe') ?? ordered.find(({ drop }) => drop > maxDrop);
  return failing ?? ordered.at(-1);
}
