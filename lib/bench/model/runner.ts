// One contender ready to run: faultline on its float or integer backend, or an ONNX Runtime session.

import { measureCeilings, speedOf } from '../../assess/profile/speed.js';
import { freeBatch } from '../../assess/samples.js';
import { toRows } from '../../autograd/ops/layout.js';
import { Tape, Value } from '../../autograd/tape.js';
import { sizeOf } from '../../core/shape.js';
import type { Graph } from '../../graph/graph.js';
import { loadModel } from '../../graph/onnx/import.js';
import { Parameters } from '../../graph/parameters.js';
import { prepare } from '../../graph/prepare.js';
import { summarize } from '../../graph/printer.js';
import { setThreads } from '../../native/threads.js';
import { policyFromJson } from '../../policy/json.js';
import { float } from '../../runtime/backends/float.js';
import { integer, type ProductRecord } from '../../runtime/backends/integer.js';
import { compile } from '../../runtime/program.js';
import { Memory } from '../../tensor/memory.js';
import type { Contender, InputShape, Reply } from './contender.js';
import { type BenchInput, benchInput, imagesToChannelsLast } from './inputs.js';

type Layers = Extract<Reply, { kind: 'layers' }>;

export interface Runner {
  /** One batch; the result is valid until the next. */
  readonly run: () => Promise<Float32Array> | Float32Array;
  /** Why its figures must not be shown. */
  readonly check: () => string | undefined;
  readonly layers?: () => Omit<Layers, 'kind'>;
}

/** Passes that a layer's time is the least of. */
const LAYER_PASSES = 5;
const FLOAT_BYTES = 4;

/** Makes the value of an input for each run: images channels-last, as the engine keeps them; others as they are. */
function feedOf({ dims, values }: BenchInput): () => Value {
  const images = dims.length === 4;
  const ordered = images ? imagesToChannelsLast(values, dims) : values;
  return () => new Value([...dims], images ? 'channelsLast' : 'rows', Memory.borrow(ordered), false);
}

function floatRunner(graph: Graph, input: BenchInput): Runner {
  const folded = prepare(graph);
  const program = compile(folded, float());
  const parameters = new Parameters(folded);
  const memory = new Memory();
  const feed = feedOf(input);
  const output = folded.outputs[0]?.name ?? '';
  const run = () => {
    memory.reset();
    const tape = new Tape({ memory, training: false, record: false });
    return toRows(tape, program.run({ [input.name]: feed() }, { tape, parameters }).get(output) as Value).data;
  };
  return { run, check: () => undefined };
}

/** Least milliseconds of each product over some passes, with what it moved. */
function layerTimes(graph: Graph, run: (inspect: (record: ProductRecord) => void) => void, samples: number) {
  const ceilings = measureCeilings();
  const macs = new Map(summarize(graph).nodes.map((node) => [node.name, node.macs ?? 0]));
  const best = new Map<string, ProductRecord & { bytes: number }>();
  let totalMs = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < LAYER_PASSES; pass++) {
    const start = performance.now();
    run((record) => {
      const seen = best.get(record.node.name);
      if (seen && seen.milliseconds <= record.milliseconds) return;
      const bytes = FLOAT_BYTES * (record.x.size + record.y.size) + record.weights.bytes;
      best.set(record.node.name, { ...record, bytes });
    });
    totalMs = Math.min(totalMs, performance.now() - start);
  }
  const layers = [...best.values()].map(({ node, milliseconds, bytes }) => {
    const work = { macs: (macs.get(node.name) as number) * samples, bytes, samples, milliseconds };
    const { gops, ofCeiling, bound } = speedOf(work, ceilings, 0);
    const operator = node.operator;
    return { node: node.name, operator, milliseconds, share: milliseconds / totalMs, gops, ofCeiling, bound };
  });
  return { layers, totalMs };
}

function integerRunner(graph: Graph, contender: Contender, input: BenchInput): Runner {
  const program = compile(graph, integer());
  const policy = policyFromJson(graph, contender.bits);
  const feed = feedOf(input);
  const output = graph.outputs[0]?.name ?? '';
  const runOn = (x: Value) => (program.run({ [input.name]: x }, { bits: policy }).get(output) as Value).data;
  const run = () => runOn(feed());
  // Ranges are per sample: the first one alone must give the same bits as among the others.
  const check = () => {
    const [batch = 1, ...rest] = input.dims;
    const together = Float32Array.from(run());
    const first = { ...input, dims: [1, ...rest], values: input.values.subarray(0, sizeOf(rest)) };
    const alone = runOn(feedOf(first)());
    const same = alone.every((logit, i) => Object.is(logit, together[i]));
    return same ? undefined : `the first of ${batch} samples alone gives other logits than among the others`;
  };
  const layers = () =>
    layerTimes(
      program.graph,
      (inspect) => program.run({ [input.name]: feed() }, { bits: policy, inspect }),
      input.dims[0] ?? 1,
    );
  return { run, check, layers };
}

async function onnxRuntimeRunner(model: string, input: BenchInput, threads: number): Promise<Runner> {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(model, { intraOpNumThreads: threads, executionMode: 'sequential' });
  const feeds = { [session.inputNames[0] as string]: new Tensor('float32', input.values, input.dims) };
  const output = session.outputNames[0] as string;
  const run = async () => (await session.run(feeds))[output]?.data as Float32Array;
  return { run, check: () => undefined };
}

/** Loads a contender. Throws what its library throws. */
export async function makeRunner(contender: Contender, threads: number, shape: InputShape): Promise<Runner> {
  const input = benchInput(shape);
  if (contender.impl === 'onnxruntime') return onnxRuntimeRunner(contender.model, input, threads);
  setThreads(threads);
  const { graph } = freeBatch((await loadModel(contender.model)).graph);
  return contender.bits ? integerRunner(graph, contender, input) : floatRunner(graph, input);
}
