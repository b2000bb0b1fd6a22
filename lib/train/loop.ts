// The loop of every kind of training: batches in a seeded order, one step each, periodic checkpoints. A run depends on
// its configuration alone: killed at any moment and restarted it ends with the same bits.
import { isDeepStrictEqual } from 'node:util';
import { requireInteger } from '../core/errors.js';
import type { Batch, Loader } from '../data/loader.js';
import type { Graph } from '../graph/graph.js';
import { keeping, loopFolder, withoutParts } from '../run/parts.js';
import { type Checkpoint, type EpochSums, loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { CheckpointError } from './errors.js';
import { yieldToEvents } from './steps.js';

/** A network and how it learns. */
export interface Learner {
  /** One step, counted from 0. Returns what is added to the sums of the epoch. */
  step(batch: Batch, step: number): EpochSums | Promise<EpochSums>;
  /** The current network. */
  graph(): Graph;
  /** State that the next step depends on, beside the weights. */
  readonly state: readonly Float32Array[];
  /** The rest of it, as JSON. */
  readonly remembered?: unknown;
  /** Whether the state after so many steps is whole; default: always. */
  complete?(steps: number): boolean;
}

export interface CheckpointOptions {
  /** Folder for checkpoints. Default: one of the stage in progress, where there is one; else none are written. */
  readonly checkpoints?: string;
  /** Steps between checkpoints. Default: an epoch, and more where that takes long. */
  readonly checkpointEvery?: number;
  /** Resumes from the latest checkpoint, if there is one. */
  readonly resume?: boolean;
  readonly signal?: AbortSignal | undefined;
}

interface Loop extends CheckpointOptions {
  readonly operation: string;
  readonly loader: Loader;
  readonly batchSize: number;
  readonly steps: number;
  /** Must equal that of the checkpoint. */
  readonly configuration: unknown;
}

export interface StepProgress {
  /** Steps done, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Epoch of this step, from 1. */
  readonly epoch: number;
  /** The step was the last of its epoch. */
  readonly epochEnded: boolean;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

function addSums(sums: EpochSums, more: EpochSums): EpochSums {
  return Object.fromEntries(Object.entries(more).map(([name, value]) => [name, (sums[name] ?? 0) + value]));
}

async function latest(folder: string, configuration: unknown): Promise<Checkpoint | undefined> {
  const found = await loadCheckpoint(folder);
  // After a round trip through JSON.
  const expected = JSON.parse(JSON.stringify(configuration));
  if (found && !isDeepStrictEqual(found.configuration, expected)) {
    const text = (value: unknown) => JSON.stringify(value);
    throw new CheckpointError(folder, `options: expected ${text(expected)}, received ${text(found.configuration)}`);
  }
  return found;
}

function restore(learner: Learner, found: Checkpoint, path: string): void {
  const state = learner.state;
  if (state.length !== found.state.length || state.some((array, i) => array.length !== found.state[i]?.length)) {
    throw new CheckpointError(path, 'state: expected that of this network, received that of another');
  }
  state.forEach((array, i) => {
    array.set(found.state[i] as Float32Array);
  });
}

/** When and where states are saved. */
class Saver {
  private last = performance.now();
  private took = 0;

  constructor(
    private readonly loop: Loop,
    private readonly folder: string,
  ) {}

  private due(step: number): boolean {
    const { checkpoints, checkpointEvery, loader, steps } = this.loop;
    const asked = checkpoints !== undefined && (step % (checkpointEvery ?? loader.batches) === 0 || step === steps);
    const since = performance.now() - this.last;
    return asked || (since >= keeping.everyMs && since * keeping.share >= this.took);
  }

  async after(step: number, epoch: EpochSums, learner: Learner): Promise<void> {
    const asked = this.loop.checkpoints !== undefined;
    if (!(this.due(step) && (asked || (learner.complete?.(step) ?? true)))) return;
    const began = performance.now();
    const { state, remembered } = learner;
    const { configuration } = this.loop;
    await saveCheckpoint(this.folder, { step, configuration, epoch, graph: learner.graph(), state, remembered });
    this.last = performance.now();
    this.took = this.last - began;
  }
}

/** Takes the steps. `begin` makes the learner, from a checkpoint's network when the run resumes. */
export async function runSteps<Kind extends Learner>(
  loop: Loop,
  begin: (from: Checkpoint | undefined) => Kind,
  onStep: (progress: StepProgress, sums: EpochSums) => void,
): Promise<{ learner: Kind; seconds: number }> {
  const { operation, loader, checkpointEvery = loader.batches } = loop;
  requireInteger(operation, 'checkpointEvery', checkpointEvery, 1, Number.MAX_SAFE_INTEGER);
  const partial = loop.checkpoints === undefined ? loopFolder(operation) : undefined;
  const folder = loop.checkpoints ?? partial;
  const found =
    folder === undefined || !(loop.resume || partial) ? undefined : await latest(folder, loop.configuration);
  const saver = folder === undefined ? undefined : new Saver(loop, folder);
  return withoutParts(() => takeSteps(loop, folder, found, saver, begin, onStep));
}

async function takeSteps<Kind extends Learner>(
  { loader, steps, batchSize, signal }: Loop,
  folder: string | undefined,
  found: Checkpoint | undefined,
  saver: Saver | undefined,
  begin: (from: Checkpoint | undefined) => Kind,
  onStep: (progress: StepProgress, sums: EpochSums) => void,
): Promise<{ learner: Kind; seconds: number }> {
  const learner = begin(found);
  if (found) restore(learner, found, folder as string);
  const first = found?.step ?? 0;
  let done = first;
  let sums = found?.epoch ?? {};
  const started = performance.now();
  while (done < steps) {
    const epoch = Math.floor(done / loader.batches);
    const from = epoch * loader.batches;
    if (done === from) sums = {};
    for (const batch of loader.epoch(epoch, done - from)) {
      signal?.throwIfAborted();
      sums = addSums(sums, await learner.step(batch, done));
      done += 1;
      const seconds = (performance.now() - started) / 1000;
      const progress = {
        step: done,
        steps,
        epoch: epoch + 1,
        epochEnded: done === from + loader.batches,
        imagesPerSecond: ((done - first) * batchSize) / seconds,
        secondsLeft: (seconds / (done - first)) * (steps - done),
      };
      onStep(progress, sums);
      await saver?.after(done, sums, learner);
      await yieldToEvents();
      if (done === steps) break;
    }
  }
  return { learner, seconds: (performance.now() - started) / 1000 };
}
