// A network as the indicators see it: batch norms folded, float32, with a hand on what enters each product. Nothing here
// quantizes; the steps are those that quantization at these bits would take.

import { toChannelsLast, toRows } from '../../autograd/ops/layout.js';
import { Tape, type Value } from '../../autograd/tape.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { sizeOf } from '../../core/shape.js';
import { largestWeightCode } from '../../format/numeric_format.js';
import type { Scheme } from '../../format/scheme.js';
import { GraphError } from '../../graph/errors.js';
import type { Graph, GraphNode } from '../../graph/graph.js';
import { sampleSizes } from '../../graph/infer.js';
import { Parameters } from '../../graph/parameters.js';
import { prepare } from '../../graph/prepare.js';
import { channelOf, type ProductView, productsOf, withOperands } from '../../graph/product.js';
import { addon } from '../../native/addon.js';
import { checkPolicy, type Policy, uniformPolicy } from '../../policy/policy.js';
import { type FloatUse, float, type Substitution } from '../../runtime/backends/float.js';
import { requireFinite } from '../../runtime/finite.js';
import { compile, type Program } from '../../runtime/program.js';
import { taskOf } from '../../tasks/index.js';
import type { Classes, Task } from '../../tasks/task.js';
import { Memory } from '../../tensor/memory.js';
import { freeBatch, inputOf, type SampleBatch, type Samples } from '../samples.js';

/** A product that the policy gives bits to. */
export interface ScanLayer {
  readonly node: GraphNode;
  readonly product: ProductView;
  readonly bits: Scheme;
  /** Name and place of its weight among the inputs. */
  readonly weight: string;
  readonly weights: Float32Array;
  /** Output channels: each has a weight scale. */
  readonly channels: number;
  /** Which of them weight i belongs to. */
  readonly channelOf: (index: number) => number;
  /** Quantization step of each channel: max |w| / (2^(bits − 1) − 1). */
  readonly steps: Float32Array;
}

/** What enters a product, laid out such that each range is over one row of it. */
export interface LayerActivation {
  /** Channels-last images or rows; a new value must be released. */
  readonly value: Value;
  /** Rows with separate ranges, and those of one sample. */
  readonly rows: number;
  readonly rowsPerSample: number;
}

/** Sees, and may replace, activation and weight of a layer. */
export type LayerHook = (
  layer: ScanLayer,
  activation: LayerActivation,
  weight: Value,
  tape: Tape,
) => { readonly x?: Value; readonly w?: Value } | undefined;

/** Samples at a time; part of what is measured, as gradients of weights add up within a batch. */
const BATCH = 64;
/** Elements of the largest value of a batch, 16 MB: gradients keep all values of a batch in memory. */
const BATCH_ELEMENTS = 2 ** 22;

function layerOf(node: GraphNode, product: ProductView, bits: Scheme, weights: Float32Array): ScanLayer {
  const { channels, weight } = product;
  const channel = channelOf(product);
  const steps = new Float32Array(channels);
  weights.forEach((w, i) => {
    const c = channel(i);
    steps[c] = Math.max(steps[c] as number, Math.abs(w));
  });
  // Rectifiers may hide it from the output.
  if (addon.firstNonFinite(weights) >= 0) {
    throw new GraphError(node.name, 'expected finite weights, received NaN or infinity');
  }
  const largestCode = largestWeightCode(bits.weights.format, 'scan');
  const scaled = steps.map((most) => most / largestCode);
  return { node, product, bits, weight, weights, channels, channelOf: channel, steps: scaled };
}

/** Step of each row: its range, zero included, in 2^bits − 1 parts. */
export function activationSteps({ value, rows }: LayerActivation, bits: number): Float32Array {
  const { data } = value;
  const length = data.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let [low, high] = [0, 0];
    for (let i = row * length; i < (row + 1) * length; i++) {
      const x = data[i] as number;
      if (x < low) low = x;
      else if (x > high) high = x;
    }
    return (high - low) / (2 ** bits - 1);
  });
}

export class ScanNetwork {
  /** What the task says of classes. */
  readonly classes: Classes;
  readonly layers: readonly ScanLayer[];
  readonly parameters: Parameters;
  readonly batchSize: number;
  private readonly program: Program<FloatUse>;
  private readonly memory = new Memory();
  private readonly input: string;
  private readonly output: string;
  private readonly byNode: ReadonlyMap<string, ScanLayer>;

  /** Default policy: W4A4 everywhere. Throws GraphError when graph or policy do not fit. */
  constructor(source: Graph, policy?: Policy, task: Task = taskOf(source)) {
    if (!task.classes) {
      throw new InvalidArgumentError(
        'scan',
        'task',
        'one whose answers are classes: indicators are of margins',
        task.name,
      );
    }
    this.classes = task.classes;
    const { graph: freed, batch } = freeBatch(source);
    if (policy) checkPolicy(freed, policy);
    const graph = prepare(freed);
    const { schemes: bits } = policy ?? uniformPolicy(freed, 'W4A4');
    this.layers = productsOf(graph).flatMap(([node, view]) => {
      const scheme = bits.get(node.name);
      return scheme ? [layerOf(node, view, scheme, graph.initializers.get(view.weight)?.data as Float32Array)] : [];
    });
    if (this.layers.length === 0) {
      throw new InvalidArgumentError('scan', 'policy', 'bits for a node with weights (Conv, Gemm, MatMul)', 'none');
    }
    this.byNode = new Map(this.layers.map((layer) => [layer.node.name, layer]));
    this.program = compile(graph, float());
    this.parameters = new Parameters(graph);
    this.input = inputOf(graph).name;
    this.output = graph.outputs[0]?.name ?? '';
    const most = Math.max(1, ...sampleSizes(graph));
    this.batchSize = batch ?? Math.max(1, Math.min(BATCH, Math.floor(BATCH_ELEMENTS / most)));
  }

  /** The first `most` samples, batch by batch. */
  *batches(samples: Samples, most = samples.count): Generator<SampleBatch> {
    for (const batch of samples.batches(this.batchSize)) {
      if (batch.start >= most) return;
      yield batch;
    }
  }

  /**
   * Logits [count, classes] of a batch, row-major, on a new tape: what earlier calls returned is gone. `inputs` in
   * place of the batch's own.
   */
  run(
    batch: SampleBatch,
    options: { readonly record?: boolean; readonly hook?: LayerHook; readonly inputs?: Float32Array } = {},
  ): { readonly tape: Tape; readonly logits: Value; readonly width: number } {
    const { record = false, hook, inputs = batch.inputs } = options;
    this.memory.reset();
    const tape = new Tape({ memory: this.memory, training: false, record });
    const feed = tape.constant(inputs, batch.dims, batch.layout);
    const substitute = hook && this.substitution(tape, batch.count, hook);
    const results = this.program.run({ [this.input]: feed }, { tape, parameters: this.parameters, substitute });
    const result = results.get(this.output);
    if (!result) throw new InvalidArgumentError('scan', 'graph', 'a float32 output', 'none');
    const logits = toRows(tape, result);
    requireFinite(this.program.graph, logits.data, batch.count, feed, batch.start);
    return { tape, logits, width: sizeOf(logits.dims) / batch.count };
  }

  private substitution(tape: Tape, count: number, hook: LayerHook): Substitution {
    return (node, inputs) => {
      const layer = this.byNode.get(node.name);
      const [input, weight] = layer ? [inputs[layer.product.activationInput], inputs[layer.product.weightInput]] : [];
      if (!layer || !input || !weight) return inputs;
      const { kind, transposed } = layer.product;
      const image = kind === 'conv' && input.dims.length === 4;
      const value = image ? toChannelsLast(tape, input) : toRows(tape, input);
      // A transposed activation has its samples last: one range for all of it.
      const items = kind === 'conv' ? count : value.size / (value.dims.at(-1) as number);
      const rows = transposed ? 1 : items;
      const found = hook(layer, { value, rows, rowsPerSample: rows / count }, weight, tape);
      if (found?.x && found.x !== value && value !== input) tape.release(value);
      return withOperands(layer.product, inputs, found?.x ?? value, found?.w ?? weight);
    };
  }
}
