// A random model through every interpreter, and through the export, beside onnxruntime.
import ort from 'onnxruntime-node';
import { toRows } from '../../lib/autograd/ops/layout.js';
import { Tape } from '../../lib/autograd/tape.js';
import { GraphError, OnnxFormatError, UnsupportedOperatorsError } from '../../lib/graph/errors.js';
import type { Graph } from '../../lib/graph/graph.js';
import { exportModel } from '../../lib/graph/onnx/export.js';
import { importModel } from '../../lib/graph/onnx/import.js';
import { revealWeights } from '../../lib/graph/passes/index.js';
import { prepare } from '../../lib/graph/prepare.js';
import { runReference } from '../../lib/graph/reference.js';
import { runFloat } from '../../lib/runtime/backends/float.js';
import { integer } from '../../lib/runtime/backends/integer.js';
import { compile } from '../../lib/runtime/program.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import { Memory } from '../../lib/tensor/memory.js';
import { knownError } from './onnxruntime_errors.js';
import { randomModel } from './random_graphs.js';

/**
 * Float32 sums of at most some hundred products of size 1 are off by 1e-5 of the largest; a few such nodes in a row
 * amplify that, where a later one divides or squares, a hundred times at most.
 */
const TOLERANCE = 1e-3;

type Feeds = Readonly<Record<string, HostTensor>>;
type Results = ReadonlyMap<string, HostTensor>;

const INTERPRETERS: Readonly<Record<string, (graph: Graph, feeds: Feeds) => Results>> = {
  reference: (graph, feeds) => {
    const keep = new Set(graph.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
    return runReference(graph, feeds, { keep: [...keep] });
  },
  'float tape': (graph, feeds) => runFloat(graph, feeds),
  'prepared, reference': (graph, feeds) => runReference(prepare(graph), feeds),
  'prepared, float tape': (graph, feeds) => runFloat(prepare(graph), feeds),
  'integer program without bits': (graph, feeds) => {
    const program = compile(graph, integer());
    const tape = new Tape({ memory: new Memory(), training: false, record: false });
    try {
      const results = [...program.run(feeds, {})].map(([name, value]): [string, HostTensor] => {
        const data = toRows(tape, value).data.slice(0, value.size);
        return [name, { dtype: 'float32', dims: value.dims, data }];
      });
      return new Map(results);
    } finally {
      program.dispose();
    }
  },
};

async function onnxruntime(bytes: Uint8Array, feeds: Feeds): Promise<Results> {
  const session = await ort.InferenceSession.create(bytes, {
    ...{ intraOpNumThreads: 1, logSeverityLevel: 4, graphOptimizationLevel: 'disabled' },
  });
  try {
    const tensors = Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
      name,
      new ort.Tensor(dtype as 'float32', data as Float32Array, dims),
    ]);
    const results = await session.run(Object.fromEntries(tensors));
    return new Map(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        { dtype: type, dims, data } as unknown as HostTensor,
      ]),
    );
  } finally {
    await session.release();
  }
}

/** Where two results differ, in a sentence; undefined where they do not. */
export function difference(actual: HostTensor | undefined, expected: HostTensor): string | undefined {
  if (!actual) return 'missing';
  if (String(actual.dims) !== String(expected.dims)) return `shape [${actual.dims}] for [${expected.dims}]`;
  const [a, b] = [actual.data, expected.data] as unknown as [ArrayLike<number>, ArrayLike<number>];
  let size = 1;
  for (let i = 0; i < b.length; i++) {
    const each = Math.abs(Number(b[i]));
    if (Number.isFinite(each)) size = Math.max(size, each);
  }
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    if (!Object.is(x, y) && !(Math.abs(x - y) <= TOLERANCE * size) && x !== y) return `[${i}]: ${x} for ${y}`;
  }
  return undefined;
}

const isOurs = (error: unknown) =>
  error instanceof GraphError || error instanceof OnnxFormatError || error instanceof UnsupportedOperatorsError;

/** What came of a seed: agreement, a model that both refuse, or what differs. */
export interface Outcome {
  readonly operators: readonly string[];
  readonly opset: number;
  readonly refused?: string;
  /** Differs by an error of onnxruntime that is listed. */
  readonly known?: string;
  readonly differs?: string;
}

/** Runs the model of a seed everywhere. */
export async function compareSeed(seed: number, kind?: string): Promise<Outcome> {
  const model = randomModel(seed, kind);
  if ('refused' in model) {
    const { refused, bytes, drawing } = model;
    const { feeds } = { ...drawing.finish() };
    const { opset } = drawing;
    const operators = drawing.operators;
    if (!isOurs(refused)) return { operators, opset, differs: `raw error: ${refused.stack}` };
    const theirs = await onnxruntime(bytes, feeds).catch((error: Error) => error);
    return theirs instanceof Error
      ? { operators, opset, refused: refused.message }
      : { operators, opset, differs: `refused what onnxruntime computes: ${refused.message}` };
  }
  const { bytes, feeds, operators, opset } = model;
  const about = { operators, opset };
  const expected = await onnxruntime(bytes, feeds).catch((error: Error) => error);
  if (expected instanceof Error) return { ...about, refused: `onnxruntime: ${expected.message}` };
  const { graph } = importModel(bytes);
  let values: Results = new Map();
  const outcome = (differs: string): Outcome => {
    const known = knownError(graph, values)?.onnxruntime;
    return known === undefined ? { ...about, differs } : { ...about, known };
  };
  const check = (how: string, results: Results): string | undefined => {
    for (const { name, dtype } of graph.outputs) {
      // Programs return what is on the tape: floats.
      if (!results.has(name) && dtype !== 'float32') continue;
      const found = difference(results.get(name), expected.get(name) as HostTensor);
      if (found) return `${how}: ${graph.producer(name)?.operator} ${name} ${found}`;
    }
    return undefined;
  };
  for (const [how, run] of Object.entries(INTERPRETERS)) {
    let found: string | undefined;
    try {
      const results = run(graph, feeds);
      if (how === 'reference') values = results;
      found = check(how, results);
    } catch (error) {
      found = `${how}: ${(error as Error).stack}`;
    }
    if (found) return outcome(found);
  }
  const written = seed % 2 === 0 ? graph : revealWeights(graph).graph;
  const again = await onnxruntime(exportModel(written), feeds).catch((error: Error) => error);
  const found = again instanceof Error ? `exported: ${again.message}` : check('exported', again);
  return found ? outcome(found) : about;
}
