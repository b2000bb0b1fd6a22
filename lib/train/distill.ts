// Distillation through quantization: a student, all weights free, learns from the answers of a black-box teacher,
// in full precision and under policies at once. The student has its batch norms folded: the trained network is the one
// that would be deployed.

import { toRows } from '../autograd/ops/layout.js';
import { Tape, type Value } from '../autograd/tape.js';
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { type Batch, Loader } from '../data/loader.js';
import type { Graph } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { addon } from '../native/addon.js';
import { threads } from '../native/threads.js';
import { policyToJson } from '../policy/json.js';
import { checkPolicy, type Policy } from '../policy/policy.js';
import { type FakeQuantUse, fakeQuant } from '../runtime/backends/fake_quant.js';
import { compile, type Program } from '../runtime/program.js';
import { classification } from '../tasks/classification.js';
import { total } from '../tasks/task.js';
import { Memory } from '../tensor/memory.js';
import type { EpochSums } from './checkpoint.js';
import { type Coordinates, plainCoordinates } from './coordinates.js';
import { TrainingDivergedError } from './errors.js';
import { type CheckpointOptions, type Learner, runSteps, type StepProgress } from './loop.js';
import { type Bits, type Pass, passesOf, type Targets } from './objective.js';
import { Optimizer } from './optimizer.js';
import type { DistillRecipe } from './recipes.js';
import { rateAt } from './schedule.js';
import { checkedInput } from './steps.js';
import { type Teacher, type TeacherLogits, teacherLogits } from './teacher.js';

/** The next step. */
export interface StepContext {
  /** Counted from 0, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** The arrays are overwritten by the next batch. */
  readonly batch: Batch;
  /** A copy of the current student. */
  student(): Graph;
}

/** What steps depend on beside the student. */
interface StepMemory {
  /** As JSON: kept in checkpoints … */
  memory?(): unknown;
  /** … and restored when a run resumes. */
  restore?(memory: unknown): void;
  /** Whether that is all after so many steps. Default: always. */
  complete?(steps: number): boolean;
}

/** Policies that change during the training: an agent's, or bits chosen for each sample. */
export interface PolicySource extends StepMemory {
  /** One or more for this step. */
  at(context: StepContext): readonly Bits[] | Promise<readonly Bits[]>;
  /** Must equal that of the checkpoint, as JSON. */
  readonly configuration: unknown;
}

export interface DistillOptions extends DistillRecipe, CheckpointOptions {
  readonly teacher: Teacher | TeacherLogits;
  readonly normalization: Normalization;
  /** Policies of the student. */
  readonly policies: Policy | readonly Policy[] | PolicySource;
  /** Of the order of the images. */
  readonly seed: number;
  /** Steps to take in place of whole epochs. */
  readonly steps?: number;
  /** Further terms of the loss in each step, such as policies to protect. */
  readonly passes?: (context: StepContext) => readonly Pass[] | Promise<readonly Pass[]>;
  /** Of `passes`, in place of that of the policies. */
  readonly memory?: StepMemory;
  /** What the optimizer changes. Default: the weights. */
  readonly coordinates?: (parameters: Parameters, student: Graph) => Coordinates;
  /** Identifies `passes` and `coordinates` in checkpoints, as JSON. */
  readonly configuration?: unknown;
  /** Called with progress. */
  readonly onProgress?: (progress: DistillProgress) => void;
}

/** Means over the epoch so far of the passes of one name (`fullPrecision`, `quantized`). */
export interface PassProgress {
  /** Without its weight. */
  readonly loss: number;
  /** Share of the images whose class is the teacher's. */
  readonly agreement: number;
}

/** Progress of a distillation and figures of its passes. */
export interface DistillProgress extends StepProgress {
  readonly passes: Readonly<Record<string, PassProgress>>;
}

/** A student. */
export interface DistillResult {
  /** The student, its batch norms folded. */
  readonly graph: Graph;
  readonly steps: number;
  /** Of this call: since the checkpoint, when resumed. */
  readonly seconds: number;
  /** Of the last epoch. */
  readonly passes: Readonly<Record<string, PassProgress>>;
}

/** Fixed policies, as a list; undefined where a source supplies them. */
function fixed(policies: DistillOptions['policies']): readonly Policy[] | undefined {
  if ('schemes' in policies) return [policies];
  return 'configuration' in policies ? undefined : policies;
}

function memoryOf({ policies, memory }: DistillOptions): StepMemory | undefined {
  return memory ?? (fixed(policies) ? undefined : (policies as PolicySource));
}

class Distillation implements Learner {
  private readonly program: Program<FakeQuantUse>;
  private readonly parameters: Parameters;
  private readonly coordinates: Coordinates;
  private readonly optimizer: Optimizer;
  private readonly memory = new Memory();
  private readonly names: { readonly input: string; readonly output: string };

  constructor(
    student: Graph,
    private readonly set: ImageSet,
    private readonly options: DistillOptions,
    private readonly answers: TeacherLogits,
    private readonly steps: number,
  ) {
    this.names = checkedInput('distill', student, set);
    this.program = compile(student, fakeQuant());
    this.parameters = new Parameters(this.program.graph);
    this.coordinates = (options.coordinates ?? plainCoordinates)(this.parameters, this.program.graph);
    this.optimizer = new Optimizer(options.optimizer, this.coordinates);
  }

  get state(): readonly Float32Array[] {
    const { coordinates, optimizer, parameters } = this;
    return coordinates.values === parameters.values ? optimizer.state : [...optimizer.state, coordinates.values];
  }

  get remembered(): unknown {
    return memoryOf(this.options)?.memory?.();
  }

  complete(steps: number): boolean {
    return memoryOf(this.options)?.complete?.(steps) ?? true;
  }

  graph(): Graph {
    return this.parameters.toGraph(this.program.graph);
  }

  private targets({ count, indices, labels }: Batch): Targets {
    const { classes, logits } = this.answers;
    const picked = new Float32Array(count * classes);
    for (let row = 0; row < count; row++) {
      const at = (indices[row] as number) * classes;
      picked.set(logits.subarray(at, at + classes), row * classes);
    }
    return { rows: count, classes, logits: picked, teacher: classification.answers(picked, count), labels };
  }

  private async passes(batch: Batch, step: number): Promise<Pass[]> {
    const { policies, objective, passes } = this.options;
    const context: StepContext = { step, steps: this.steps, batch, student: () => this.graph() };
    const bits = fixed(policies) ?? (await (policies as PolicySource).at(context));
    return [...passesOf(objective, bits), ...((await passes?.(context)) ?? [])];
  }

  /** Throws TrainingDivergedError before any change. */
  async step(batch: Batch, step: number): Promise<EpochSums> {
    const { memory, parameters, program, names, set } = this;
    const targets = this.targets(batch);
    const passes = await this.passes(batch, step);
    // Batch norms that could not be folded keep their statistics, and nothing is dropped.
    const tape = new Tape({ memory, training: false, record: true });
    const dims = [batch.count, set.channels, set.height, set.width];
    const feeds = { [names.input]: tape.constant(batch.inputs, dims, 'channelsLast') };
    const sums: Record<string, number> = { images: batch.count };
    const count = (name: string, value: number) => {
      sums[name] = (sums[name] ?? 0) + value;
    };
    const seeds: [Value, Float32Array][] = [];
    for (const { name, bits, loss, weight } of passes) {
      const results = program.run(feeds, { tape, parameters, bits, step });
      const logits = toRows(tape, results.get(names.output) as Value);
      if (logits.size !== batch.count * targets.classes) {
        const expected = `[${batch.count}, ${targets.classes}] as the teacher's`;
        throw new InvalidArgumentError('distill', 'student', `logits ${expected}`, `[${logits.dims}]`);
      }
      const gradient = new Float32Array(logits.size);
      const lost = loss(logits.data, targets, weight, gradient);
      if (!Number.isFinite(lost)) throw new TrainingDivergedError(step + 1, `the ${name} pass`, 'the loss');
      seeds.push([logits, gradient]);
      const answers = classification.answers(logits.data, targets.rows);
      const agreeing = total(classification.scores(answers, targets.teacher));
      count(`images ${name}`, batch.count);
      count(`loss ${name}`, lost * batch.count);
      count(`agreeing ${name}`, agreeing);
    }
    const [first, ...more] = seeds;
    if (first) tape.backward(...first, ...more);
    this.move(step);
    memory.reset();
    return sums;
  }

  private move(step: number): void {
    const { parameters, coordinates, optimizer, options } = this;
    coordinates.gather();
    const norm = addon.norm(coordinates.gradients);
    if (!Number.isFinite(norm)) {
      const last = parameters.learned.findLast(({ gradient }) => gradient && addon.firstNonFinite(gradient) >= 0);
      throw new TrainingDivergedError(step + 1, last ? `the gradient of ${last.name}` : 'the loss', 'a gradient');
    }
    optimizer.step(step + 1, rateAt(options.schedule, step, this.steps), norm);
  }
}

function passProgress(sums: EpochSums): Record<string, PassProgress> {
  const prefix = 'images ';
  const names = Object.keys(sums).filter((name) => name.startsWith(prefix));
  return Object.fromEntries(
    names.map((full) => {
      const name = full.slice(prefix.length);
      const images = sums[full] as number;
      const mean = (what: string) => (sums[`${what} ${name}`] as number) / images;
      return [name, { loss: mean('loss'), agreement: mean('agreeing') }];
    }),
  );
}

function configurationOf(options: DistillOptions, set: ImageSet, steps: number): unknown {
  const { objective, optimizer, schedule, batchSize, seed, normalization, policies, configuration = null } = options;
  const { count, height, width, channels } = set;
  return {
    ...{ objective, optimizer, schedule, batchSize, seed, normalization, steps, configuration },
    policies: fixed(policies)?.map(policyToJson) ?? (policies as PolicySource).configuration,
    images: { count, height, width, channels },
    threads: threads(),
  };
}

function checkOptions(student: Graph, set: ImageSet, options: DistillOptions): void {
  const { epochs, steps, batchSize, seed, policies, objective, teacher } = options;
  requireInteger('distill', 'epochs', epochs, 1, 1e6);
  requireInteger('distill', 'batchSize', batchSize, 1, set.count);
  requireInteger('distill', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (steps !== undefined) requireInteger('distill', 'steps', steps, 1, Number.MAX_SAFE_INTEGER);
  for (const policy of fixed(policies) ?? []) checkPolicy(student, policy);
  if (objective.kind === 'quAnti' && objective.target === 'labels' && !set.labels) {
    throw new InvalidArgumentError('distill', 'set', 'images with labels, or target "teacher"', 'images without');
  }
  if ('logits' in teacher && teacher.count !== set.count) {
    throw new InvalidArgumentError('distill', 'teacher', `answers to ${set.count} images`, String(teacher.count));
  }
}

/**
 * Trains a copy of the student on the images, without augmentation; only objectives that need labels use
 * them. Each epoch runs through the images in a new order and leaves out the last, smaller batch. Deterministic from
 * the options, for a given number of threads. Throws TrainingDivergedError, CheckpointError, InvalidArgumentError,
 * GraphError, or the signal's reason.
 */
export async function distill(student: Graph, set: ImageSet, options: DistillOptions): Promise<DistillResult> {
  checkOptions(student, set, options);
  const { batchSize, seed, normalization, teacher, signal, onProgress } = options;
  const loader = new Loader(set, { batchSize, normalization, seed, dropLast: true });
  const steps = options.steps ?? options.epochs * loader.batches;
  const answers = 'logits' in teacher ? teacher : await teacherLogits(teacher, set, normalization, { signal });
  let passes: Record<string, PassProgress> = {};
  const { learner, seconds } = await runSteps(
    { ...options, operation: 'distill', loader, steps, configuration: configurationOf(options, set, steps) },
    (from) => {
      if (from) {
        memoryOf(options)?.restore?.(from.remembered);
        passes = passProgress(from.epoch);
      }
      return new Distillation(from?.graph ?? student, set, options, answers, steps);
    },
    (progress, sums) => {
      passes = passProgress(sums);
      onProgress?.({ ...progress, passes });
    },
  );
  return { graph: learner.graph(), steps, seconds, passes };
}
