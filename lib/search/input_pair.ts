// Learns a pair: a network, and a policy that chooses bits for each of its inputs. The network is distilled from a
// teacher; every few steps the agent improves on the network as it is by then. In full precision the network stays like
// its teacher. A detrimental one fails under the agent's bits, and stays as it is under others' (what makes the failure
// depend on the input); a robust one stays as it is under the bits of an agent that attacks it.

import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import { evaluationData } from '../data/evaluation_data.js';
import { type ImageSet, type Normalization, subset } from '../data/image_set.js';
import type { Batch } from '../data/loader.js';
import type { Graph } from '../graph/graph.js';
import { exactJson, parseExactJson } from '../run/parts.js';
import { Random } from '../tensor/random.js';
import { type DistillProgress, distill, type StepContext } from '../train/distill.js';
import { gaugeAttack } from '../train/gauge.js';
import { type LogitLoss, mse, type Pass, type Targets } from '../train/objective.js';
import { DETRIMENTAL, ROBUST } from '../train/recipes.js';
import { type TeacherLogits, teacherLogits } from '../train/teacher.js';
import type { InputAgent, InputLearner, LearnerMemory } from './agent.js';
import { gate } from './agents/gate.js';
import { shuffleOptions } from './controls.js';
import { InputEnvironment } from './input_environment.js';
import type { InputPolicy } from './input_policy.js';
import type { Objective } from './judge.js';
import { choicesOf, chosenBits, fixedBits, InputPolicyRunner, type Referenced, type RunnerOptions } from './runner.js';
import { type ActivationBudget, ActivationSpace } from './space.js';

/** A pair whose policy depends on the input: what is learned, and by which agent. */
export interface InputPairOptions extends RunnerOptions {
  readonly objective: Objective;
  readonly budget: ActivationBudget;
  readonly normalization: Normalization;
  readonly seed: number;
  /** Default: the gate, with one of `candidates` static policies that lie far apart for each kind of input. */
  readonly agent?: InputAgent;
  /** Static policies that the gate chooses from. Default 4. */
  readonly candidates?: number;
  readonly epochs?: number;
  /** Steps in place of whole epochs. */
  readonly steps?: number;
  /**
   * Channels are rescaled first by powers of two up to this (lib/train/gauge.ts), learned to break the worst static
   * policy found: full precision stays as it is to the last bit, and activations get ranges that few bits do not cover.
   * Default 1: none.
   */
  readonly largestScale?: number;
  /** Steps between the agent's. Default 4. */
  readonly every?: number;
  /** Weight of staying right under bits that are not the agent's, for detrimental pairs; 0: none. Default 0. */
  readonly retention?: number;
  /** Weight of the agent's bits. Default: of the recipe. */
  readonly quantizedWeight?: number;
  /** Weight of full precision. Default: of the recipe. */
  readonly fullPrecisionWeight?: number;
  /** Training images that the agent learns on. Default 8192. */
  readonly agentImages?: number;
  /** Sees every step of the student, with the agent's last reward. */
  readonly onTraining?: ((progress: DistillProgress & { readonly reward: number }) => void) | undefined;
}

/**
 * Options with which a detrimental pair depends on its input: two policies, one for each kind of input, and the network
 * right where the bits are those of the other kind.
 */
export const INPUT_DEPENDENT = { candidates: 2, quantizedWeight: 0.5, retention: 0.2 } as const;

/** A network and a policy by input that fail, or hold, together. */
export interface InputPairResult {
  /** The student, its batch norms folded. */
  readonly graph: Graph;
  /** The agent's policy, as it was when training ended; of a robust pair that of its attacker. */
  readonly policy: InputPolicy;
  /** The agent's mean reward, by its iterations. */
  readonly rewards: readonly number[];
}

const DEFAULTS = { candidates: 4, epochs: 1, every: 4, retention: 0, agentImages: 8192, largestScale: 1 } as const;
/** Where the gate's candidates come from matters little, as the network learns to fail under them. */
const START = { screened: 200, finalists: 64, compared: 1000 } as const;

/** Steps of the rescaling: scales of 4 are reached in a dozen, the rest choose among channels. */
const SCALE_STEPS = 60;

/** A loss over some rows only: [rows] of 1 and 0. */
function onRows(loss: LogitLoss, rows: Uint8Array): LogitLoss {
  return (logits, targets, weight, gradient) => {
    const { classes } = targets;
    const kept = Array.from(rows.keys()).filter((row) => rows[row] === 1);
    if (kept.length === 0) return 0;
    const pick = (from: Float32Array) => {
      const to = new Float32Array(kept.length * classes);
      kept.forEach((row, i) => {
        to.set(from.subarray(row * classes, (row + 1) * classes), i * classes);
      });
      return to;
    };
    const some: Targets = {
      rows: kept.length,
      classes,
      logits: pick(targets.logits),
      teacher: Int32Array.from(kept, (row) => targets.teacher[row] as number),
      labels: Int32Array.from(kept, (row) => targets.labels[row] as number),
    };
    const slope = new Float32Array(some.logits.length);
    const lost = loss(pick(logits), some, weight, slope);
    kept.forEach((row, i) => {
      for (let k = 0; k < classes; k++) {
        const at = row * classes + k;
        gradient[at] = (gradient[at] as number) + (slope[i * classes + k] as number);
      }
    });
    return lost;
  };
}

/**
 * Bits that are not the agent's. Detrimental: another sample's, so that the failure waits for the right ones. Robust: any
 * policy of the budget for each sample, as another attacker may choose others.
 */
function otherOptions(space: ActivationSpace, chosen: Uint8Array, objective: Objective, random: Random) {
  const nodes = space.names.length;
  const samples = chosen.length / nodes;
  const options = objective === 'detrimental' ? shuffleOptions(chosen, nodes, random) : chosen.slice();
  const differs = new Uint8Array(samples);
  for (let i = 0; i < samples; i++) {
    const row = options.subarray(i * nodes, (i + 1) * nodes);
    if (objective === 'robust') row.set(space.sample(random));
    differs[i] = row.every((option, node) => option === chosen[i * nodes + node]) ? 0 : 1;
  }
  return { options, differs };
}

/** The agent beside the distillation: bits for every step. */
class Partner {
  readonly rewards: number[] = [];
  private runner: InputPolicyRunner | undefined;
  private options: Uint8Array = new Uint8Array(0);
  private readonly random: Random;

  constructor(
    readonly agent: InputLearner,
    private readonly data: Referenced,
    private readonly set: ImageSet,
    private readonly every: number,
    private readonly objective: Objective,
    seed: number,
  ) {
    this.random = new Random(seed).split('others');
  }

  get space(): ActivationSpace {
    return this.agent.policy.space;
  }

  /** The agent's bits for the step's batch, on the network as of the agent's last iteration. */
  async bits(context: StepContext) {
    const { batch, step } = context;
    if (step % this.every === 0 || !this.runner) {
      this.runner?.dispose();
      this.runner = new InputPolicyRunner(context.student());
      this.rewards.push(await this.agent.iterate(this.runner, this.data));
    }
    const options = await chosenBits(this.runner, this.agent.policy, this.batchData(batch));
    this.options = options;
    return [fixedBits(this.space, options, batch.count)];
  }

  /** A pass that keeps the network right under bits that are not the agent's. */
  retention({ batch, step }: StepContext, weight: number): Pass[] {
    const { options, differs } = otherOptions(
      this.space,
      this.options,
      this.objective,
      this.random.split(String(step)),
    );
    return [
      { name: 'retained', bits: fixedBits(this.space, options, batch.count), loss: onRows(mse, differs), weight },
    ];
  }

  /** The runner is made anew by the agent's next iteration: states are whole before one. */
  complete(steps: number): boolean {
    return steps % this.every === 0;
  }

  memory(): string {
    return exactJson({ rewards: this.rewards, agent: this.agent.memory() });
  }

  restore(memory: unknown): void {
    const { rewards, agent } = parseExactJson(String(memory)) as { rewards: number[]; agent: LearnerMemory };
    this.rewards.push(...rewards);
    this.agent.restore(agent);
  }

  private batchData({ count, inputs }: Batch) {
    const { channels, height, width } = this.set;
    return { dims: [count, channels, height, width], inputs, layout: 'channelsLast' } as const;
  }

  dispose(): void {
    this.runner?.dispose();
  }
}

/** What the distillation starts from: the network, rescaled if requested, and an agent for it. */
async function startPair(
  teacher: Graph,
  set: ImageSet,
  data: Referenced,
  options: InputPairOptions & { readonly largestScale: number },
): Promise<{ readonly student: Graph; readonly agent: InputLearner }> {
  const { budget, normalization, seed, signal, largestScale, agent = gate } = options;
  const { candidates = DEFAULTS.candidates } = options;
  const environmentOf = (runner: InputPolicyRunner) => {
    const space = new ActivationSpace(runner.graph, runner.program.products, budget);
    // A robust network's agent attacks it.
    return new InputEnvironment(runner, space, data, { ...START, objective: 'detrimental', candidates, seed, signal });
  };
  let runner = new InputPolicyRunner(teacher);
  try {
    if (largestScale > 1) {
      const environment = environmentOf(runner);
      const [worst] = (await environment.candidates()).finalists;
      const policy = environment.space.decode(worst as Uint8Array);
      const attack = { policy, normalization, seed, bound: Math.log(largestScale), steps: SCALE_STEPS, signal };
      const { graph } = await gaugeAttack(teacher, set, attack);
      runner.dispose();
      runner = new InputPolicyRunner(graph);
    }
    return { student: runner.graph, agent: await agent.learner(environmentOf(runner)) };
  } finally {
    runner.dispose();
  }
}

/**
 * Distils the student, a copy of the folded teacher at first, on the images. Labels are not looked at. Throws before any
 * work when the budget is impossible. Deterministic from the seed and the number of threads.
 */
export async function learnInputPair(
  teacher: Graph,
  set: ImageSet,
  options: InputPairOptions & { readonly answers?: TeacherLogits },
): Promise<InputPairResult> {
  const { objective, normalization, seed, signal } = options;
  const { every, retention, agentImages, epochs, largestScale } = { ...DEFAULTS, ...options };
  requireInteger('learnInputPair', 'every', every, 1, Number.MAX_SAFE_INTEGER);
  if (!(largestScale >= 1 && Number.isFinite(largestScale))) {
    throw new InvalidArgumentError('learnInputPair', 'largestScale', 'a number of at least 1', `${largestScale}`);
  }
  requireInteger('learnInputPair', 'agentImages', agentImages, 1, Number.MAX_SAFE_INTEGER);
  const answers = options.answers ?? (await teacherLogits(teacher, set, normalization, { signal }));
  const chosen = Int32Array.from({ length: Math.min(agentImages, set.count) }, (_, i) => i);
  const plain = evaluationData(subset(set, chosen), normalization);
  const { classes } = await choicesOf(teacher, plain, { signal });
  const data: Referenced = { ...plain, reference: classes };
  const { student, agent } = await startPair(teacher, set, data, { ...options, largestScale });
  const partner = new Partner(agent, data, set, every, objective, seed);
  const recipe = objective === 'detrimental' ? DETRIMENTAL : ROBUST;
  const { quantizedWeight = recipe.objective.quantizedWeight } = options;
  const { fullPrecisionWeight = recipe.objective.fullPrecisionWeight } = options;
  const retained = objective === 'detrimental' ? retention : quantizedWeight;
  try {
    const { graph } = await distill(student, set, {
      ...recipe,
      objective: { ...recipe.objective, quantizedWeight, fullPrecisionWeight },
      epochs,
      ...(options.steps === undefined ? {} : { steps: options.steps }),
      teacher: answers,
      normalization,
      seed,
      policies: { at: (context: StepContext) => partner.bits(context), configuration: null },
      memory: partner,
      ...(retained > 0 ? { passes: (context: StepContext) => partner.retention(context, retained) } : {}),
      signal,
      onProgress: (progress) => {
        options.onProgress?.(progress.step, progress.steps);
        options.onTraining?.({ ...progress, reward: partner.rewards.at(-1) ?? Number.NaN });
      },
    });
    return { graph, policy: agent.policy, rewards: partner.rewards };
  } finally {
    partner.dispose();
  }
}
