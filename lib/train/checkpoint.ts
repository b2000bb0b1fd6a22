// Checkpoints: a folder a checkpoint, written under another name and renamed when complete, so that a process killed
// at any moment leaves the last one intact. Weights are an ONNX model; the optimizer's state lies beside it.
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Graph } from '../graph/graph.js';
import { exportModel } from '../graph/onnx/export.js';
import { importModel } from '../graph/onnx/import.js';
import { sha256, syncFolder, toJson, writeWhole } from '../run/files.js';
import { CheckpointError } from './errors.js';

/** Sums over the batches of the epoch in progress, by name: images, loss, … */
export type EpochSums = Readonly<Record<string, number>>;

export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  /** Configuration of the run: it resumes only with the same. */
  readonly configuration: unknown;
  readonly epoch: EpochSums;
  /** Weights and running statistics, as a model. */
  readonly graph: Graph;
  /** The optimizer's arrays, and the average of the weights where one is kept. */
  readonly state: readonly Float32Array[];
  /** Other state of the run, as JSON. */
  readonly remembered?: unknown;
}

const SCHEMA = 'faultline.checkpoint/1';
const count = z.number().int().nonnegative();
const manifestSchema = z.looseObject({
  schema: z.literal(SCHEMA),
  step: count,
  configuration: z.unknown(),
  epoch: z.record(z.string(), z.number()),
  remembered: z.unknown().optional(),
  /** Elements of each array of state.bin, float32 in little-endian order. */
  lengths: z.array(count),
  sha256: z.looseObject({ model: z.string(), state: z.string() }),
});
type Manifest = z.output<typeof manifestSchema>;

/** The manifest in a text. Throws CheckpointError. */
function manifestOf(path: string, text: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CheckpointError(path, 'expected JSON in checkpoint.json, received other text');
  }
  const { data, error } = manifestSchema.safeParse(json);
  const [issue] = error?.issues ?? [];
  if (data) return data;
  const where = ['checkpoint.json', ...(issue?.path ?? [])].join(': ');
  throw new CheckpointError(path, `${where}: expected what ${SCHEMA} says, received ${issue?.message}`);
}

const NAME = /^step-(\d+)$/;
const bytesOf = (array: Float32Array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Steps of the complete checkpoints in a folder, the latest first. */
async function stepsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** Writes a checkpoint and removes the ones before. */
export async function saveCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const { step, configuration, epoch, graph, state, remembered } = checkpoint;
  const [name, unfinished] = [join(folder, `step-${step}`), join(folder, `unfinished-${step}`)];
  await rm(unfinished, { recursive: true, force: true });
  const model = exportModel(graph);
  const bytes = Buffer.concat(state.map(bytesOf));
  const manifest: Manifest = {
    schema: SCHEMA,
    step,
    configuration,
    epoch,
    ...(remembered === undefined ? {} : { remembered }),
    lengths: state.map(({ length }) => length),
    sha256: { model: sha256(model), state: sha256(bytes) },
  };
  await writeWhole(join(unfinished, 'model.onnx'), model);
  await writeWhole(join(unfinished, 'state.bin'), bytes);
  await writeWhole(join(unfinished, 'checkpoint.json'), toJson(manifest));
  await rm(name, { recursive: true, force: true });
  await rename(unfinished, name);
  await syncFolder(folder);
  for (const old of await stepsIn(folder)) {
    if (old < step) await rm(join(folder, `step-${old}`), { recursive: true, force: true });
  }
}

/** The latest checkpoint of a folder; undefined when there is none. Throws CheckpointError for a damaged one. */
export async function loadCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  const [latest] = await stepsIn(folder);
  if (latest === undefined) return undefined;
  const path = join(folder, `step-${latest}`);
  const read = (name: string) =>
    readFile(join(path, name)).catch((error: NodeJS.ErrnoException) => {
      throw new CheckpointError(join(path, name), `expected a readable file, received ${error.code}`);
    });
  const manifest = manifestOf(path, (await read('checkpoint.json')).toString());
  const [model, bytes] = [await read('model.onnx'), await read('state.bin')];
  if (sha256(model) !== manifest.sha256.model)
    throw new CheckpointError(path, 'expected model.onnx as written, received changed or truncated content');
  if (sha256(bytes) !== manifest.sha256.state)
    throw new CheckpointError(path, 'expected state.bin as written, received changed or truncated content');
  const elements = manifest.lengths.reduce((sum, length) => sum + length, 0);
  if (elements * Float32Array.BYTES_PER_ELEMENT !== bytes.length)
    throw new CheckpointError(
      path,
      `expected the ${bytes.length} bytes of state.bin in lengths, received ${elements} numbers`,
    );
  let offset = 0;
  const state = manifest.lengths.map((length) => {
    const array = new Float32Array(length);
    bytesOf(array).set(bytes.subarray(offset, offset + array.byteLength));
    offset += array.byteLength;
    return array;
  });
  const { step, configuration, epoch, remembered } = manifest;
  return { step, configuration, epoch, remembered, graph: importModel(model, join(path, 'model.onnx')).graph, state };
}
