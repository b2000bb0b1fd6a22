// The loop of every kind of training: batches in a seeded order, one step each, periodic checkpoints. A run depends on
// its configuration alone: killed at any moment and restarted it ends with the same bits.
import { isDeepStrictEqual } from 'node:util';
import { requireInteger } from '../core/errors.js';
import type { Batch, Loader } from '../data/loader.js';
import type { Graph } from '../graph/graph.js';
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
}

export interface CheckpointOptions {
  /** Folder for checkpoints; none are written without it. */
  readonly checkpoints?: string;
  /** Steps between checkpoints. Default: an epoch. */
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

async function latest(loop: Loop): Promise<Checkpoint | undefined> {
  const { checkpoints, resume, configuration } = loop;
  const found = checkpoints !== undefined && resume ? await loadCheckpoint(checkpoints) : undefined;
  // After a round trip through JSON.
  const expected = JSON.parse(JSON.stringify(configuration));
  if (found && !isDeepStrictEqual(found.configuration, expected)) {
    const text = (value: unknown) => JSON.stringify(value);
    throw new CheckpointError(
      checkpoints as string,
      `options: expected ${text(expected)}, received ${text(found.configuration)}`,
    );
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

/** Takes the steps. `begin` makes the learner, from a checkpoint's network when the run resumes. */
export async function runSteps<Kind extends Learner>(
  loop: Loop,
  begin: (from: Checkpoint | undefined) => Kind,
  onStep: (progress: StepProgress, sums: EpochSums) => void,
): Promise<{ learner: Kind; seconds: number }> {
  const { operation, loader, steps, batchSize, checkpoints, signal, configuration } = loop;
  const checkpointEvery = loop.checkpointEvery ?? loader.batches;
  requireInteger(operation, 'checkpointEvery', checkpointEvery, 1, Number.MAX_SAFE_INTEGER);
  const found = await latest(loop);
  const learner = begin(found);
  if (found) restore(learner, found, checkpoints as string);
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
      if (checkpoints !== undefined && (done % checkpointEvery === 0 || done === steps)) {
        const { state, remembered } = learner;
        const graph = learner.graph();
        await saveCheckpoint(checkpoints, { step: done, configuration, epoch: sums, graph, state, remembered });
      }
      await yieldToEvents();
      if (done === steps) break;
    }
  }
  return { learner, seconds: (performance.now() - started) / 1000 };
}
