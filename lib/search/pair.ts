// The static pair: a network and a policy that are learned together under an exact budget, to fail (detrimental) or to
// hold (robust) when quantized. One run of distillation, in which the policy is first drawn anew at every step, so that
// the student gives way where it gives way most easily, and then searched by an agent, again after every round. Which
// policy and which state of the student are kept is decided by the integer evaluator on validation images alone.

import { join } from 'node:path';
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { Loader } from '../data/loader.js';
import type { Graph } from '../graph/graph.js';
import { exportModel } from '../graph/onnx/export.js';
import { loadModel } from '../graph/onnx/import.js';
import type { BudgetSpace } from '../policy/budget.js';
import { policyFromJson, policyToJson } from '../policy/json.js';
import type { Policy } from '../policy/policy.js';
import { writeWhole } from '../run/files.js';
import { type EvaluationData, evaluatePolicies } from '../runtime/evaluate_policies.js';
import { classification } from '../tasks/classification.js';
import { total } from '../tasks/task.js';
import { Random } from '../tensor/random.js';
import { boxRepair } from '../train/box_repair.js';
import {
  type DistillOptions,
  type DistillProgress,
  distill,
  type PolicySource,
  type StepContext,
} from '../train/distill.js';
import { fullPrecision } from '../train/full_precision.js';
import { BOX_REPAIR, DETRIMENTAL, type DistillRecipe, ROBUST } from '../train/recipes.js';
import { type Teacher, type TeacherLogits, teacherLogits } from '../train/teacher.js';
import type { StaticAgent } from './agent.js';
import { Judge, type Objective, signOf } from './judge.js';

export interface PairRecipe extends DistillRecipe {
  /** Share of the steps in which policies are drawn uniformly from the budget, before the first search. */
  readonly explore: number;
  /** Searches, spread evenly between the end of exploration and `settle`. */
  readonly rounds: number;
  /** Share of the steps after which the policy stays. */
  readonly settle: number;
  /** Evaluations of each search. */
  readonly evaluations: number;
  /** States of the student to choose from: at equal distances after `settle`, the last at the end. */
  readonly candidates: number;
  /** Full-precision accuracy that may be lost against the teacher's on validation images before the repair, a share. */
  readonly largestGap: number;
  /**
   * Steps of box repair in the end: full precision comes nearer to the teacher, the quantized network keeps every bit.
   * 0: none.
   */
  readonly repair: number;
}

const PLAN = { explore: 0.2, rounds: 3, settle: 0.6, evaluations: 64, candidates: 3, largestGap: 0.004, repair: 150 };

/** The recipe of detrimental pairs. */
export const DETRIMENTAL_PAIR: PairRecipe = Object.freeze({ ...DETRIMENTAL, ...PLAN });

/**
 * The recipe of robust pairs: a short repair gives back most of what full precision had lost (.17 → .05 points at
 * W4A4).
 */
export const ROBUST_PAIR: PairRecipe = Object.freeze({ ...ROBUST, ...PLAN, repair: 60 });

/** A pair whose policy is one for all inputs: what differs from the recipe. */
export interface PairOptions
  extends Partial<PairRecipe>,
    Pick<DistillOptions, 'checkpoints' | 'checkpointEvery' | 'resume' | 'signal' | 'steps' | 'coordinates' | 'passes'> {
  /** Whether the pair is detrimental or robust. */
  readonly kind: Objective;
  readonly teacher: Teacher;
  /** Its answers to the training images, where they are known. */
  readonly answers?: TeacherLogits;
  readonly normalization: Normalization;
  /** Labelled images that the student does not learn from. Policies and states are chosen on them. */
  readonly validation: ImageSet;
  /** How many of them, the first, a search evaluates policies on. Default 1000. */
  readonly searchImages?: number;
  readonly space: BudgetSpace;
  readonly agent: StaticAgent;
  readonly seed: number;
  /** Sees how far it is. */
  readonly onProgress?: (progress: DistillProgress) => void;
}

/** What one search found. */
export interface PairRound {
  /** Steps taken before it. */
  readonly step: number;
  readonly policy: Policy;
  /** Accuracy on integers of the images it was searched on. */
  readonly accuracy: number;
  readonly evaluations: number;
}

/** A state of the student, on all validation images. */
export interface PairCandidate {
  readonly step: number;
  /** In full precision. */
  readonly accuracy: number;
  /** The teacher's accuracy less that. */
  readonly gap: number;
  /** On integers, under the policy. */
  readonly quantized: number;
}

export interface StaticPairResult extends PairCandidate {
  readonly graph: Graph;
  readonly policy: Policy;
  readonly rounds: readonly PairRound[];
  readonly candidates: readonly PairCandidate[];
  readonly steps: number;
  readonly seconds: number;
}

const DEFAULT_SEARCH_IMAGES = 1000;

/**
 * What accuracy lost beyond `largestGap` costs in drop: a hundredth of a point of the one, a point of the other. The
 * limit is hard nearly, without the noise of some images deciding between states on either side of it.
 */
const GAP_PRICE = 100;

/** The candidate with the largest drop (robust: the smallest), less the price of what it lost beyond `largestGap`. */
export function chooseCandidate<Kind extends Pick<PairCandidate, 'accuracy' | 'quantized' | 'gap'>>(
  candidates: readonly Kind[],
  kind: Objective,
  largestGap: number,
): Kind {
  const sign = -signOf(kind);
  const value = ({ accuracy, quantized, gap }: Kind) =>
    sign * (accuracy - quantized) - GAP_PRICE * Math.max(0, gap - largestGap);
  return candidates.reduce((best, candidate) => (value(candidate) > value(best) ? candidate : best));
}

/** Without the fields that are undefined. */
function defined<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function evaluationData(set: ImageSet, normalization: Normalization, count = set.count): EvaluationData {
  const [batch] = new Loader(set, { batchSize: count, normalization }).epoch(0);
  if (!batch) throw new InvalidArgumentError('learnPair', 'validation', 'images', 'none');
  const dims = [count, set.channels, set.height, set.width];
  return { dims, inputs: batch.inputs, layout: 'channelsLast', labels: batch.labels };
}

function shareOf(labels: ArrayLike<number>, { logits, classes }: TeacherLogits): number {
  const answers = classification.answers(logits.subarray(0, labels.length * classes), labels.length);
  return total(classification.scores(answers, labels)) / labels.length;
}

function recipeOf(options: PairOptions): PairRecipe {
  const usual = options.kind === 'detrimental' ? DETRIMENTAL_PAIR : ROBUST_PAIR;
  const names = Object.keys(usual) as (keyof PairRecipe)[];
  return Object.fromEntries(names.map((name) => [name, options[name] ?? usual[name]])) as unknown as PairRecipe;
}

/** A state of the student: in memory, or (after a resumption) in the file where it was put. */
interface State {
  readonly candidate: PairCandidate;
  readonly graph: Graph | string;
}

interface Remembered {
  readonly rounds: readonly (Omit<PairRound, 'policy'> & { readonly policy: unknown })[];
  readonly candidates: readonly PairCandidate[];
}

/** Draws, searches, and remembers states of the student on the way. */
class PairSource implements PolicySource {
  readonly rounds: PairRound[] = [];
  readonly states: State[] = [];
  private readonly random: Random;
  private readonly searches: readonly number[];
  private readonly stops: ReadonlySet<number>;

  constructor(
    private readonly student: Graph,
    private readonly recipe: PairRecipe,
    private readonly options: PairOptions,
    private readonly data: { readonly search: EvaluationData; readonly all: EvaluationData },
    private readonly teacherAccuracy: number,
    steps: number,
  ) {
    const { explore, rounds, settle, candidates } = recipe;
    const at = (share: number) => Math.min(steps - 1, Math.floor(share * steps));
    this.random = new Random(options.seed).split('pair');
    this.searches = Array.from({ length: rounds }, (_, i) =>
      at(explore + ((settle - explore) * i) / Math.max(1, rounds - 1)),
    );
    this.stops = new Set(
      Array.from({ length: candidates - 1 }, (_, i) => at(settle + ((1 - settle) * (i + 1)) / candidates)),
    );
  }

  get configuration(): unknown {
    const { kind, agent, searchImages = DEFAULT_SEARCH_IMAGES, space } = this.options;
    const { explore, rounds, settle, evaluations, candidates } = this.recipe;
    const plan = { explore, rounds, settle, evaluations, candidates, searchImages };
    return { kind, agent: agent.name, ...plan, names: space.names, policies: String(space.count) };
  }

  /** The policy that stays, once there is one. */
  get policy(): Policy | undefined {
    return this.rounds.at(-1)?.policy;
  }

  async at({ step, student }: StepContext): Promise<readonly Policy[]> {
    if (this.searches.includes(step)) await this.search(step, student());
    if (this.stops.has(step)) await this.consider(step, student());
    return [this.policy ?? this.options.space.sample(this.random.split(String(step)))];
  }

  private async search(step: number, graph: Graph): Promise<void> {
    const { kind, space, agent, seed, signal } = this.options;
    const judge = Judge.onIntegers(graph, space, this.data.search, { measure: 'accuracy' });
    try {
      const { evaluations } = this.recipe;
      const start = this.policy ? [this.policy] : [];
      const round = { objective: kind, evaluations, seed: seed + this.rounds.length, start, signal };
      const found = await agent.search(judge, round);
      this.rounds.push({ step, policy: found.policy, accuracy: found.value, evaluations: found.evaluations });
    } finally {
      judge.dispose();
    }
  }

  async measure(step: number, graph: Graph): Promise<PairCandidate> {
    const { signal } = this.options;
    const { accuracy = Number.NaN } = await fullPrecision(graph, this.data.all, { signal });
    const [result] = await evaluatePolicies(graph, [this.policy as Policy], this.data.all, { signal });
    const quantized = result?.accuracy as number;
    return { step, accuracy, gap: this.teacherAccuracy - accuracy, quantized };
  }

  /** Takes a state of the student into the choice. */
  async consider(step: number, graph: Graph): Promise<void> {
    const candidate = await this.measure(step, graph);
    this.states.push({ candidate, graph });
    const file = this.file(step);
    if (file !== undefined) await writeWhole(file, exportModel(graph));
  }

  private file(step: number): string | undefined {
    const { checkpoints } = this.options;
    return checkpoints === undefined ? undefined : join(checkpoints, `candidate-${step}.onnx`);
  }

  async best(): Promise<{ readonly candidate: PairCandidate; readonly graph: Graph }> {
    const all = this.states.map(({ candidate }) => candidate);
    const chosen = chooseCandidate(all, this.options.kind, this.recipe.largestGap);
    const { candidate, graph } = this.states[all.indexOf(chosen)] as State;
    return { candidate, graph: typeof graph === 'string' ? (await loadModel(graph)).graph : graph };
  }

  memory(): Remembered {
    return {
      rounds: this.rounds.map((round) => ({ ...round, policy: policyToJson(round.policy) })),
      candidates: this.states.map(({ candidate }) => candidate),
    };
  }

  restore(memory: unknown): void {
    const { rounds, candidates } = memory as Remembered;
    const policyOf = (policy: unknown) => policyFromJson(this.student, policy);
    this.rounds.push(...rounds.map((round) => ({ ...round, policy: policyOf(round.policy) })));
    this.states.push(...candidates.map((candidate) => ({ candidate, graph: this.file(candidate.step) as string })));
  }
}

/**
 * Learns a pair. The student is trained as `distill` does it, under the recipe of the kind, of which any field can be
 * replaced. The policy is of the budget exactly. Of the candidates `chooseCandidate` returns one. Throws as `distill`
 * and the agent do.
 */
export async function learnPair(student: Graph, set: ImageSet, options: PairOptions): Promise<StaticPairResult> {
  const operation = 'learnPair';
  const { teacher, normalization, validation, signal, seed, onProgress } = options;
  const recipe = recipeOf(options);
  const { explore, settle, rounds, candidates, batchSize, epochs } = recipe;
  requireInteger(operation, 'rounds', rounds, 1, 1e6);
  requireInteger(operation, 'candidates', candidates, 1, 1e6);
  requireInteger(operation, 'repair', recipe.repair, 0, 1e6);
  if (!(explore >= 0 && explore <= settle && settle <= 1)) {
    throw new InvalidArgumentError(operation, 'explore', `0 to settle (${settle}) to 1`, String(explore));
  }
  if (!validation.labels) {
    throw new InvalidArgumentError(operation, 'validation', 'images with labels', 'images without');
  }
  const searchImages = Math.min(options.searchImages ?? DEFAULT_SEARCH_IMAGES, validation.count);
  requireInteger(operation, 'searchImages', searchImages, 1, validation.count);
  const answers = options.answers ?? (await teacherLogits(teacher, set, normalization, { signal }));
  const onValidation = await teacherLogits(teacher, validation, normalization, { signal });
  const teacherAccuracy = shareOf(validation.labels, onValidation);
  const steps = options.steps ?? epochs * Math.floor(set.count / batchSize);
  const data = {
    search: evaluationData(validation, normalization, searchImages),
    all: evaluationData(validation, normalization),
  };
  const source = new PairSource(student, recipe, options, data, teacherAccuracy, steps);
  const { checkpoints, checkpointEvery, resume, coordinates, passes } = options;
  const { graph: last, seconds } = await distill(student, set, {
    ...defined({ checkpoints, checkpointEvery, resume, coordinates, passes, onProgress }),
    ...recipe,
    ...{ teacher: answers, normalization, policies: source, seed, steps, signal },
  });
  await source.consider(steps, last);
  const chosen = await source.best();
  const policy = source.policy as Policy;
  const { rounds: searched, states } = source;
  const all = states.map(({ candidate }) => candidate);
  let { candidate, graph } = chosen;
  if (recipe.repair > 0) {
    const repaired = await distill(graph, set, {
      ...{ ...BOX_REPAIR, batchSize, teacher: answers, normalization, seed, signal },
      ...{ policies: [], steps: recipe.repair, coordinates: boxRepair(graph, policy) },
    });
    const after = await source.measure(candidate.step, repaired.graph);
    // A robust network answers the same when quantized, and full precision better: larger by that, its drop is no worse.
    if (options.kind === 'robust' || chooseCandidate([candidate, after], options.kind, recipe.largestGap) === after) {
      ({ candidate, graph } = { candidate: after, graph: repaired.graph });
    }
  }
  return {
    ...candidate,
    graph,
    policy,
    rounds: searched,
    candidates: all,
    steps,
    seconds,
  };
}
