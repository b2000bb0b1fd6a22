// Answers of a network in full precision: its outputs, and what agreement is measured against.

import { toRows } from '../autograd/ops/layout.js';
import { Tape } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import type { Graph } from '../graph/graph.js';
import { Parameters } from '../graph/parameters.js';
import { float } from '../runtime/backends/float.js';
import type { EvaluationData } from '../runtime/evaluate_policies.js';
import { requireFinite } from '../runtime/finite.js';
import { compile } from '../runtime/program.js';
import { taskOf } from '../tasks/index.js';
import { type Answers, type Task, total } from '../tasks/task.js';
import { Memory } from '../tensor/memory.js';
import { yieldToEvents } from './steps.js';

/** Answers of a network in float32. */
export interface FullPrecision {
  /** [samples, width] */
  readonly logits: Float32Array;
  readonly task: Task;
  /** What the task reads from them. */
  readonly answers: Answers;
  /** Mean score against labels; undefined without. */
  readonly accuracy: number | undefined;
}

/** Options of the run. */
export interface FullPrecisionOptions {
  /** Samples at a time. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with progress. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const DEFAULT_BATCH = 250;

/** Runs a network with one float32 input on all samples. Throws InvalidArgumentError when the data does not fit it. */
export async function fullPrecision(
  graph: Graph,
  data: EvaluationData,
  options: FullPrecisionOptions = {},
): Promise<FullPrecision> {
  const { batchSize = DEFAULT_BATCH, signal, onProgress } = options;
  const { dims, inputs, layout = 'rows', labels } = data;
  const [count = 0, ...shape] = dims;
  const [input, ...others] = graph.inputs;
  if (!input || others.length > 0) {
    throw new InvalidArgumentError('fullPrecision', 'graph', 'one input', `${graph.inputs.length} inputs`);
  }
  if (count < 1 || inputs.length !== sizeOf(dims)) {
    throw new InvalidArgumentError('fullPrecision', 'data', `${sizeOf(dims)} > 0 elements`, `${inputs.length}`);
  }
  const program = compile(graph, float());
  const parameters = new Parameters(graph);
  const memory = new Memory();
  let all = new Float32Array();
  for (let start = 0; start < count; start += batchSize) {
    signal?.throwIfAborted();
    const end = Math.min(count, start + batchSize);
    const tape = new Tape({ memory, training: false, record: false });
    const size = sizeOf(shape);
    const x = tape.constant(inputs.subarray(start * size, end * size), [end - start, ...shape], layout);
    const logits = program.run({ [input.name]: x }, { tape, parameters }).get(graph.outputs[0]?.name ?? '');
    if (!logits) throw new InvalidArgumentError('fullPrecision', 'graph', 'an output', 'none');
    const rows = toRows(tape, logits).data;
    requireFinite(graph, rows, end - start, x, start);
    const classes = rows.length / (end - start);
    if (start === 0) all = new Float32Array(count * classes);
    all.set(rows, start * classes);
    memory.reset();
    onProgress?.(end, count);
    await yieldToEvents();
  }
  const { task = taskOf(graph) } = data;
  const answers = task.answers(all, count);
  return { logits: all, task, answers, accuracy: labels && total(task.scores(answers, labels)) / count };
}
