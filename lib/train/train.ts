// The training loop: batches through the tape, one optimizer step each, periodic checkpoints. A run depends on its
// options and its seed alone: killed at any moment and restarted it ends with the same bits, for the same number of
// threads.
import { toRows } from '../autograd/ops/layout.js';
import { type CrossEntropyResult, crossEntropy } from '../autograd/ops/loss.js';
import { Tape, type Value } from '../autograd/tape.js';
import { Trace } from '../autograd/trace.js';
import { InvalidArgumentError, requireInteger } from '../core/errors.js';
import type { ImageSet, Normalization } from '../data/image_set.js';
import { type Augmentation, type Batch, Loader } from '../data/loader.js';
import { describeNode, type Graph, type GraphNode } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { addon } from '../native/addon.js';
import { threads } from '../native/threads.js';
import { type FloatUse, float } from '../runtime/backends/float.js';
import { compile, type Program } from '../runtime/program.js';
import { alignedFloats, Memory } from '../tensor/memory.js';
import { TrainingDivergedError } from './errors.js';
import { type CheckpointOptions, type Learner, runSteps, type StepProgress } from './loop.js';
import { Optimizer, type OptimizerOptions } from './optimizer.js';
import { rateAt, type Schedule } from './schedule.js';
import { checkedInput } from './steps.js';

/** All settings of a run beside the graph and the images. */
export interface TrainingRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerOptions;
  readonly schedule: Schedule;
  readonly seed: number;
  readonly augmentation?: Augmentation;
  /** Share of the target spread evenly over the classes. Default 0. */
  readonly labelSmoothing?: number;
  /** Keeps a moving average of the weights with this decay a step, and returns that. */
  readonly averageDecay?: number;
  /** bfloat16 factors in convolutions, float32 weights and sums. */
  readonly bf16?: boolean;
}

/** A recipe, a signal and progress. */
export interface TrainOptions extends TrainingRecipe, CheckpointOptions {
  readonly normalization: Normalization;
  /** Called with progress. */
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Progress of training. */
export interface TrainProgress extends StepProgress {
  /** Mean loss and accuracy over the epoch so far, on augmented training images. */
  readonly loss: number;
  readonly accuracy: number;
}

/** A trained network. */
export interface TrainResult {
  readonly graph: Graph;
  readonly steps: number;
  /** Of this call: since the checkpoint, when resumed. */
  readonly seconds: number;
}

interface TrainingSums extends Readonly<Record<string, number>> {
  readonly images: number;
  readonly correct: number;
  readonly loss: number;
}

/** The native calls that compute a batch's loss and gradients. */
interface Pass {
  /** Undefined where it does more than native calls; then every step runs the graph. */
  readonly trace: Trace | undefined;
  /** Arrays of its batch. */
  readonly inputs: Float32Array;
  readonly labels: Int32Array;
  readonly parameters: readonly Value[];
  readonly result: CrossEntropyResult;
}

class Training implements Learner {
  private readonly parameters: Parameters;
  private readonly optimizer: Optimizer;
  private readonly average: Float32Array | undefined;
  private readonly program: Program<FloatUse>;
  private readonly memory = new Memory();
  private readonly names: { input: string; output: string };
  private pass: Pass | undefined;

  constructor(
    private readonly source: Graph,
    private readonly set: ImageSet,
    private readonly recipe: TrainingRecipe,
    private readonly steps: number,
  ) {
    this.names = checkedInput('train', source, set);
    this.parameters = new Parameters(source);
    this.optimizer = new Optimizer(recipe.optimizer, this.parameters);
    this.program = compile(source, float({ seed: recipe.seed }));
    if (recipe.averageDecay !== undefined) {
      this.average = alignedFloats(this.parameters.values.length);
      this.average.set(this.parameters.values);
    }
  }

  /** State that the next step depends on, beside the weights. */
  get state(): readonly Float32Array[] {
    return this.average ? [...this.optimizer.state, this.average] : this.optimizer.state;
  }

  graph(): Graph {
    return this.parameters.toGraph(this.source);
  }

  /** The network to return: with averaged weights, where an average is kept. */
  result(): Graph {
    return this.parameters.toGraph(this.source, this.average ?? this.parameters.values);
  }

  private run(
    batch: Batch,
    step: number,
    program: Program<FloatUse>,
    tape: Tape,
    inspect?: (layer: string, value: Value) => void,
  ) {
    const dims = [batch.count, this.set.channels, this.set.height, this.set.width];
    const feeds = { [this.names.input]: tape.constant(batch.inputs, dims, 'channelsLast') };
    const { parameters, names } = this;
    const named = inspect && ((node: GraphNode, value: Value) => inspect(describeNode(node), value));
    return toRows(tape, program.run(feeds, { tape, parameters, step, inspect: named }).get(names.output) as Value);
  }

  /** Loss and gradients of a batch: the native calls of the first are repeated for the others. */
  private gradients(batch: Batch, step: number): CrossEntropyResult {
    const { memory, parameters, recipe, pass } = this;
    const convolutions = recipe.bf16 ? 'bf16' : 'fast';
    if (pass?.trace) {
      pass.inputs.set(batch.inputs);
      pass.labels.set(batch.labels);
      for (const value of pass.parameters) value.version = parameters.version;
      pass.trace.replay();
      return pass.result;
    }
    const trace = pass ? undefined : new Trace();
    const inputs = trace ? batch.inputs.slice() : batch.inputs;
    const labels = trace ? batch.labels.slice() : batch.labels;
    const tape = new Tape({ memory, training: true, record: true, convolutions, ...(trace ? { trace } : {}) });
    const logits = this.run({ ...batch, inputs, labels }, step, this.program, tape);
    const smoothing = recipe.labelSmoothing ?? 0;
    const result = crossEntropy(tape, logits, labels, { smoothing, gradient: true });
    if (Number.isFinite(result.loss)) tape.backward(logits, result.gradient as Float32Array);
    if (trace) {
      const values = [...parameters.on(tape).values()].filter(({ version }) => version > 0);
      this.pass = { trace: trace.complete ? trace : undefined, inputs, labels, parameters: values, result };
    }
    // The arrays stay in place: no other code takes memory while steps are traced.
    memory.reset();
    return result;
  }

  /** One step, counted from 0. Throws TrainingDivergedError before any change. */
  step(batch: Batch, step: number): TrainingSums {
    const { parameters, recipe } = this;
    const { loss, correct } = this.gradients(batch, step);
    if (!Number.isFinite(loss)) throw this.diverged(batch, step, 'the loss');
    const norm = addon.norm(parameters.gradients);
    if (!Number.isFinite(norm)) throw this.diverged(batch, step, 'a gradient');
    this.optimizer.step(step + 1, rateAt(recipe.schedule, step, this.steps), norm);
    if (this.average) addon.averageStep(parameters.values, this.average, recipe.averageDecay as number);
    return { images: batch.count, loss: loss * batch.count, correct };
  }

  /** Finds the first layer whose result is not finite, or else the last one with such a gradient. */
  private diverged(batch: Batch, step: number, what: string): TrainingDivergedError {
    const weights = this.parameters.learned.find(({ data }) => addon.firstNonFinite(data) >= 0);
    if (weights) return new TrainingDivergedError(step + 1, `the weights ${weights.name}`, what);
    if (addon.firstNonFinite(batch.inputs) >= 0) return new TrainingDivergedError(step + 1, 'the images', what);
    let layer: string | undefined;
    const tape = new Tape({ memory: this.memory, training: true, record: false });
    this.run(
      batch,
      step,
      compile(this.source, float({ seed: this.recipe.seed }), { keep: 'all' }),
      tape,
      (name, value) => {
        if (layer === undefined && addon.firstNonFinite(value.data) >= 0) layer = name;
      },
    );
    if (layer !== undefined) return new TrainingDivergedError(step + 1, layer, what);
    const last = this.parameters.learned.findLast(({ gradient }) => gradient && addon.firstNonFinite(gradient) >= 0);
    return new TrainingDivergedError(step + 1, last ? `the gradient of ${last.name}` : 'the loss', what);
  }
}

/** Must equal that of the checkpoint: the recipe, the images, and the number of threads (sums are split among them). */
function configurationOf(options: TrainOptions, set: ImageSet): unknown {
  const { epochs, batchSize, optimizer, schedule, seed, normalization } = options;
  const { augmentation = {}, labelSmoothing = 0, averageDecay = null, bf16 = false } = options;
  const { count, height, width, channels } = set;
  const images = { count, height, width, channels };
  const recipe = { epochs, batchSize, optimizer, schedule, seed, augmentation, labelSmoothing, averageDecay, bf16 };
  return { ...recipe, normalization, images, threads: threads() };
}

function checkOptions(options: TrainOptions, set: ImageSet): void {
  const { epochs, batchSize, seed, labelSmoothing = 0 } = options;
  requireInteger('train', 'epochs', epochs, 1, 1e6);
  requireInteger('train', 'batchSize', batchSize, 1, set.count);
  requireInteger('train', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new InvalidArgumentError('train', 'labelSmoothing', '0 to less than 1', String(labelSmoothing));
  }
  if (!set.labels) throw new InvalidArgumentError('train', 'set', 'images with labels', 'images without');
}

/**
 * Trains a classifier with cross-entropy. Each epoch runs through the images in a new order and leaves out the last,
 * smaller batch. Throws TrainingDivergedError, CheckpointError, InvalidArgumentError, or the signal's reason.
 */
export async function train(graph: Graph, set: ImageSet, options: TrainOptions): Promise<TrainResult> {
  checkOptions(options, set);
  const { epochs, batchSize, seed, normalization, onProgress } = options;
  const loader = new Loader(set, {
    batchSize,
    normalization,
    seed,
    dropLast: true,
    ...(options.augmentation ? { augmentation: options.augmentation } : {}),
  });
  const steps = epochs * loader.batches;
  const configuration = configurationOf(options, set);
  const { learner, seconds } = await runSteps(
    { ...options, operation: 'train', loader, steps, configuration },
    (from) => new Training(from?.graph ?? graph, set, options, steps),
    (progress, sums) => {
      const { images, loss, correct } = sums as TrainingSums;
      onProgress?.({ ...progress, loss: loss / images, accuracy: correct / images });
    },
  );
  return { graph: learner.result(), steps, seconds };
}
