// Finds an input-conditioned policy for a network that stays as it is: candidates, the gate between them, then the agent,
// which starts from the gate. What is best is told on validation samples.
import type { Graph } from '../graph/graph.js';
import { type EvaluationData, PolicyEvaluator } from '../quant/evaluate_policies.js';
import type { Policy } from '../quant/policy.js';
import { Random } from '../tensor/random.js';
import { GATE_DEFAULTS, type GateOptions, trainGate } from './agents/gate.js';
import { makeActor, PPO_DEFAULTS, PpoAgent, type PpoOptions } from './agents/ppo.js';
import { chooseCandidates, rewardTable } from './candidates.js';
import { DEFAULT_PULL, type Decider, InputPolicy } from './input_policy.js';
import { Observer, rawInputFeatures, STATISTICS, Standardizer } from './observation.js';
import {
  BATCH,
  choicesOf,
  countOf,
  gather,
  type Objective,
  Runner,
  type RunOptions,
  slice,
  withReference,
} from './runner.js';
import { type ActivationBudget, ActivationSpace } from './space.js';

/** How a policy by input is searched. */
export interface InputSearchOptions extends RunOptions {
  readonly budget: ActivationBudget;
  readonly objective: Objective;
  readonly seed: number;
  /** Cells of the small picture along each side. Default 14. */
  readonly grid?: number;
  /** Static policies that the gate chooses from. Default 16; with 1 the agent starts from the best static policy. */
  readonly candidates?: number;
  /** Static policies that are tried at first. Default 1600. */
  readonly pool?: number;
  /** Training samples that these are tried on (default 400), and that the 96 best of them are (default 2000). */
  readonly screened?: number;
  readonly compared?: number;
  /** Training samples of the gate. Default: all. */
  readonly gateSamples?: number;
  readonly gate?: Partial<Omit<GateOptions, 'seed' | keyof RunOptions>>;
  /** Iterations 0: the gate alone. */
  readonly ppo?: Partial<Omit<PpoOptions, 'seed' | 'objective' | keyof RunOptions>>;
  /** Sees what begins. */
  readonly onStage?: ((stage: string) => void) | undefined;
}

/** The policy found, beside its controls. */
export interface InputSearchResult {
  readonly policy: InputPolicy;
  /** The best static policy: of the finalists, chosen on all validation samples. */
  readonly bestStatic: Policy;
  /** Agreement with full precision on validation samples: of the gate, and as the agent learned. */
  readonly history: readonly { readonly iteration: number; readonly reward: number; readonly agreement: number }[];
}

export const SEARCH_DEFAULTS = {
  grid: 14,
  candidates: 16,
  pool: 1600,
  screened: 400,
  finalists: 96,
  compared: 2000,
} as const;

/** Iterations between looks at the validation samples. */
const VALIDATE_EVERY = 10;
/** Samples that statistics are standardised by. */
const SCALED_SAMPLES = 1000;

type Referenced = EvaluationData & { readonly reference: ArrayLike<number> };

/** Options drawn uniformly of those that are open. */
function decideUniformly(random: Random): Decider {
  return ({ samples, open, logits }, options) => {
    const width = logits.length / samples;
    for (let i = 0; i < samples; i++) {
      const allowed = Array.from({ length: width }, (_, k) => k).filter((k) => ((open[i] as number) >> k) & 1);
      options[i] = allowed[random.integer(allowed.length)] as number;
    }
  };
}

/** Raw features of the gate for all samples, [samples, features]. */
function allInputFeatures(
  runner: Runner,
  space: ActivationSpace,
  observer: Observer,
  data: EvaluationData,
): Float32Array {
  let all = new Float32Array(0);
  const count = countOf(data);
  for (let start = 0; start < count; start += BATCH) {
    const n = Math.min(BATCH, count - start);
    const x = gather(
      data,
      Int32Array.from({ length: n }, (_, i) => start + i),
    );
    const features = rawInputFeatures(observer, runner.firstActivation(space, x), n);
    const width = features.length / n;
    if (all.length === 0) all = new Float32Array(count * width);
    all.set(features, start * width);
  }
  return all;
}

/** A policy that is only able to observe: no candidates, no gate, no actor. */
function observing(
  runner: Runner,
  space: ActivationSpace,
  observer: Observer,
  data: EvaluationData,
  inputs: Float32Array,
  seed: number,
): InputPolicy {
  const features = inputs.length / countOf(data);
  const inputScale = Standardizer.of(inputs, features);
  const none = new Standardizer(new Float32Array(STATISTICS), new Float32Array(STATISTICS).fill(1));
  const nodeScales = space.names.map(() => none);
  const blind = new InputPolicy({
    space,
    observer,
    inputScale,
    nodeScales,
    candidates: [],
    gate: undefined,
    actor: undefined,
    pull: DEFAULT_PULL,
  });
  const count = Math.min(SCALED_SAMPLES, countOf(data));
  const rows = space.names.map(() => new Float32Array(count * STATISTICS));
  const random = new Random(seed).split('scales');
  for (let start = 0; start < count; start += BATCH) {
    const n = Math.min(BATCH, count - start);
    const pass = blind.begin(n, decideUniformly(random));
    const x = gather(
      data,
      Int32Array.from({ length: n }, (_, i) => start + i),
    );
    runner.logits((node, activation) => {
      const place = space.place(node.name);
      const own = place === undefined ? undefined : rows[place];
      if (own) observer.statistics(activation, n, own.subarray(start * STATISTICS, (start + n) * STATISTICS));
      return pass.choose(node, activation);
    }, x);
  }
  return blind.with({ nodeScales: rows.map((own) => Standardizer.of(own, STATISTICS)) });
}

/** What the gate sees of all samples, standardised, and a policy that sees so but chooses nothing yet. */
export function scaledInputs(
  runner: Runner,
  space: ActivationSpace,
  data: EvaluationData,
  grid: number,
  seed: number,
): { readonly features: Float32Array; readonly base: InputPolicy } {
  const observer = new Observer(grid);
  const raw = allInputFeatures(runner, space, observer, data);
  const base = observing(runner, space, observer, data, raw, seed);
  const features = new Float32Array(raw.length);
  base.inputScale.apply(raw, features, 0, base.inputScale.mean.length);
  return { features, base };
}

/** The static policy of most agreement (robust) or least (detrimental); of equals the first. */
async function bestOf(
  graph: Graph,
  policies: readonly Policy[],
  data: EvaluationData,
  objective: Objective,
  { signal }: RunOptions,
): Promise<Policy> {
  const evaluator = new PolicyEvaluator(graph);
  try {
    const results = await evaluator.evaluate(policies, data, { signal });
    const sign = objective === 'detrimental' ? -1 : 1;
    const scores = results.map(({ agreement }) => sign * (agreement as number));
    return policies[scores.indexOf(Math.max(...scores))] as Policy;
  } finally {
    evaluator.dispose();
  }
}

/**
 * Searches on training samples, selects on validation samples; labels of neither are looked at. Throws before any work
 * when the budget is impossible. Deterministic from the seed.
 */
export async function searchInputPolicy(
  graph: Graph,
  train: EvaluationData,
  validation: EvaluationData,
  options: InputSearchOptions,
): Promise<InputSearchResult> {
  const { objective, seed, signal, onStage } = options;
  const settings = { ...SEARCH_DEFAULTS, ...options };
  const runner = new Runner(graph);
  try {
    const space = new ActivationSpace(graph, runner.plan.products, options.budget);
    onStage?.('full precision');
    const full = await choicesOf(graph, train, { signal });
    const data: Referenced = { ...train, reference: full.classes };
    const check = await withReference(graph, validation, { signal });
    onStage?.('candidates');
    const { candidates, finalists } = await chooseCandidates(graph, space, data, full, {
      ...settings,
      objective,
      seed,
    });
    const bestStatic = await bestOf(
      graph,
      finalists.map((own) => space.decode(own)),
      check,
      objective,
      { signal },
    );
    onStage?.('gate');
    const policy = await gated(graph, runner, space, data, candidates, options);
    if ((options.ppo?.iterations ?? PPO_DEFAULTS.iterations) === 0) {
      const { agreement = 0 } = await runner.evaluate(policy, check, { signal });
      return { policy, bestStatic, history: [{ iteration: 0, reward: Number.NaN, agreement }] };
    }
    onStage?.('agent');
    return { ...(await trained(runner, policy, data, check, options)), bestStatic };
  } finally {
    runner.dispose();
  }
}

/** The policy of gate and candidates. */
async function gated(
  graph: Graph,
  runner: Runner,
  space: ActivationSpace,
  data: Referenced,
  candidates: readonly Uint8Array[],
  options: InputSearchOptions,
): Promise<InputPolicy> {
  const { seed, signal, onProgress } = options;
  const part = slice(data, 0, Math.min(countOf(data), options.gateSamples ?? countOf(data))) as Referenced;
  const seen = scaledInputs(runner, space, part, options.grid ?? SEARCH_DEFAULTS.grid, seed);
  const base = seen.base.with({ candidates });
  if (candidates.length < 2) return base;
  const evaluator = new PolicyEvaluator(graph);
  try {
    const rewards = await rewardTable(evaluator, space, candidates, part, options.objective, { signal, onProgress });
    const gate = await trainGate(seen.features, rewards, candidates.length, {
      ...GATE_DEFAULTS,
      ...options.gate,
      seed,
      signal,
      onProgress,
    });
    return base.with({ gate });
  } finally {
    evaluator.dispose();
  }
}

/** The agent on top of a policy; what was best on the validation samples, the policy without it included. */
async function trained(
  runner: Runner,
  start: InputPolicy,
  data: Referenced,
  check: EvaluationData,
  options: InputSearchOptions,
): Promise<Pick<InputSearchResult, 'policy' | 'history'>> {
  const { objective, seed, signal, onProgress } = options;
  const settings: PpoOptions = { ...PPO_DEFAULTS, ...options.ppo, objective, seed, signal };
  const sign = objective === 'detrimental' ? -1 : 1;
  const { agreement = 0 } = await runner.evaluate(start, check, { signal });
  let best = { policy: start, score: sign * agreement };
  const history = [{ iteration: 0, reward: Number.NaN, agreement }];
  const agent = new PpoAgent(start.with({ actor: makeActor(start, settings.hidden, seed) }), settings);
  for (let iteration = 1; iteration <= settings.iterations; iteration++) {
    signal?.throwIfAborted();
    const mean = await agent.iterate(runner, data);
    onProgress?.(iteration, settings.iterations);
    if (iteration % VALIDATE_EVERY !== 0 && iteration !== settings.iterations) continue;
    const result = await runner.evaluate(agent.policy, check, { signal });
    history.push({ iteration, reward: mean, agreement: result.agreement as number });
    const score = sign * (result.agreement as number);
    if (score > best.score) best = { policy: agent.policy.with({ actor: agent.policy.actor?.clone() }), score };
  }
  return { policy: best.policy, history };
}
