// A small multilayer perceptron: the networks of agents and of policies by input, and what their logits are as
// probabilities. It is a graph like any other: the float backend runs it, the tape differentiates it, and it is saved
// as ONNX.
import { Tape, type Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Graph } from '../graph/graph.js';
import { exportModel } from '../graph/onnx/export.js';
import { importModel } from '../graph/onnx/import.js';
import { Parameters } from '../graph/parameters.js';
import { addon } from '../native/addon.js';
import { onOneThread } from '../native/threads.js';
import { type FloatUse, float } from '../runtime/backends/float.js';
import { compile, type Program } from '../runtime/program.js';
import { floats } from '../tensor/host_tensor.js';
import { Memory } from '../tensor/memory.js';
import type { Random } from '../tensor/random.js';
import { Optimizer, type OptimizerOptions } from '../train/optimizer.js';

const INPUT = 'features';

/** What a perceptron starts from: how the values of a layer lie between −bound and bound, and what is between layers. */
interface MlpStart {
  readonly activation: 'Tanh' | 'Relu';
  /** `layer` counts from 1. Zero biases where `biases` is false. */
  layer(
    layer: number,
    inputs: number,
    outputs: number,
    last: boolean,
  ): {
    readonly random: Random;
    readonly bound: number;
    readonly biases: boolean;
  };
}

/** Of the last layer's initial weights: the first outputs are nearly zero, a policy nearly uniform. */
const LAST_GAIN = 0.01;

/** Glorot's uniform weights (Glorot & Bengio, AISTATS 2010), zero biases. */
const glorot = (random: Random): MlpStart => ({
  activation: 'Tanh',
  layer: (layer, inputs, outputs, last) => ({
    random: random.split(`layer${layer}`),
    bound: Math.sqrt(6 / (inputs + outputs)) * (last ? LAST_GAIN : 1),
    biases: false,
  }),
});

function mlpGraph(name: string, sizes: readonly number[], start: MlpStart): Graph {
  const builder = new GraphBuilder(name);
  let x = builder.input(INPUT, ['N', sizes[0] as number]);
  const layers = sizes.length - 1;
  for (let layer = 1; layer <= layers; layer++) {
    const [inputs, outputs] = [sizes[layer - 1] as number, sizes[layer] as number];
    const last = layer === layers;
    const { random, bound, biases } = start.layer(layer, inputs, outputs, last);
    const draw = (length: number) => Float32Array.from({ length }, () => random.uniform(-bound, bound));
    const w = builder.initializer(`layer${layer}.weight`, floats([outputs, inputs], draw(inputs * outputs)));
    const bias = biases ? draw(outputs) : new Float32Array(outputs);
    const b = builder.initializer(`layer${layer}.bias`, floats([outputs], bias));
    const gemm = last ? 'outputs' : `layer${layer}`;
    x = builder.node(gemm, 'Gemm', [x, w, b], { attributes: { transB: 1 } });
    if (!last) x = builder.node(`${start.activation.toLowerCase()}${layer}`, start.activation, [x]);
  }
  builder.output(x);
  return builder.build();
}

/** The state of a perceptron that learns. */
export interface MlpState {
  readonly values: Float32Array;
  readonly moments: readonly Float32Array[];
  readonly steps: number;
}

export class Mlp {
  readonly inputs: number;
  readonly outputs: number;
  private readonly parameters: Parameters;
  private readonly program: Program<FloatUse>;
  private readonly memory = new Memory();
  private optimizer: Optimizer | undefined;
  private steps = 0;

  constructor(private readonly graph: Graph) {
    this.parameters = new Parameters(graph);
    this.program = compile(graph, float());
    const last = (info: (typeof graph.inputs)[number] | undefined) => info?.dims?.at(-1);
    const [inputs, outputs] = [last(graph.inputs[0]), last(graph.outputs[0])];
    if (typeof inputs !== 'number' || typeof outputs !== 'number' || graph.inputs[0]?.name !== INPUT) {
      throw new InvalidArgumentError('Mlp', 'graph', 'a perceptron of this program', graph.name);
    }
    this.inputs = inputs;
    this.outputs = outputs;
  }

  /** Inputs, hidden layers and outputs by their sizes. */
  static make(name: string, sizes: readonly number[], start: Random | MlpStart): Mlp {
    return new Mlp(mlpGraph(name, sizes, 'layer' in start ? start : glorot(start)));
  }

  static fromOnnx(bytes: Uint8Array, source: string): Mlp {
    return new Mlp(importModel(bytes, source).graph);
  }

  toOnnx(): Uint8Array {
    return exportModel(this.parameters.toGraph(this.graph));
  }

  /** A copy that learns independently. */
  clone(): Mlp {
    return new Mlp(this.parameters.toGraph(this.graph));
  }

  /** On a tape. x: [rows, inputs] → [rows, outputs] */
  run(tape: Tape, x: Value): Value {
    return this.program.run({ [INPUT]: x }, { tape, parameters: this.parameters }).get('outputs') as Value;
  }

  /** x: [rows, inputs] → [rows, outputs], overwritten by the next call. */
  forward(x: Float32Array, rows: number): Float32Array {
    this.memory.reset();
    const tape = new Tape({ memory: this.memory, training: false, record: false });
    return onOneThread(() => this.run(tape, tape.constant(x, [rows, this.inputs])).data);
  }

  /** Starts to learn: forgets the optimizer's state. */
  learn(options: OptimizerOptions): void {
    this.optimizer = new Optimizer(options, this.parameters);
    this.steps = 0;
  }

  /** What the next step depends on. */
  state(): MlpState {
    const copies = this.optimizer?.state.map((array) => Float32Array.from(array)) ?? [];
    return { values: Float32Array.from(this.parameters.values), moments: copies, steps: this.steps };
  }

  /** Of a perceptron of the same sizes, with an optimizer of the same kind. */
  restore({ values, moments, steps }: MlpState): void {
    this.parameters.values.set(values);
    this.optimizer?.state.forEach((array, i) => {
      array.set(moments[i] as Float32Array);
    });
    this.steps = steps;
    this.parameters.changed();
  }

  /**
   * One optimizer step. `gradientOf` gets the outputs [rows, outputs] and writes the gradient of the loss with respect to
   * them. A step with a gradient that is not finite is left out.
   */
  step(x: Float32Array, rows: number, factor: number, gradientOf: (y: Float32Array, dy: Float32Array) => void): void {
    this.memory.reset();
    onOneThread(() => {
      const tape = new Tape({ memory: this.memory, training: true, record: true });
      const y = this.run(tape, tape.constant(x, [rows, this.inputs]));
      const seed = tape.scratch(y.size);
      seed.fill(0);
      gradientOf(y.data, seed);
      tape.backward(y, seed);
      this.update(factor);
    });
  }

  /** Moves along the gradients of the tape that was gone back last, unless they are not finite. */
  update(factor: number): void {
    if (!this.optimizer) throw new InvalidArgumentError('Mlp', 'update', 'learn() before it', 'none');
    const norm = addon.norm(this.parameters.gradients);
    if (!Number.isFinite(norm)) return;
    this.steps += 1;
    this.optimizer.step(this.steps, { factor }, norm);
  }
}

const LEAST_PROBABILITY = 1e-12;

/** Probabilities of a row of logits, written to `out`. */
export function softmaxRow(logits: Float32Array, at: number, count: number, out: Float64Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < count; k++) most = Math.max(most, logits[at + k] as number);
  let sum = 0;
  for (let k = 0; k < count; k++) {
    out[k] = Math.exp((logits[at + k] as number) - most);
    sum += out[k] as number;
  }
  for (let k = 0; k < count; k++) (out[k] as number) /= sum;
}

/** In nats, of the first `count` probabilities. */
function entropyOf(probabilities: Float64Array, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const p = probabilities[k] as number;
    sum -= p * Math.log(Math.max(p, LEAST_PROBABILITY));
  }
  return sum;
}

/** Adds the gradient of the entropy with respect to the logits, times `factor`. */
export function addEntropyGradient(p: Float64Array, count: number, factor: number, out: Float32Array, at: number) {
  const entropy = entropyOf(p, count);
  for (let k = 0; k < count; k++) {
    const probability = p[k] as number;
    (out[at + k] as number) -= factor * probability * (Math.log(Math.max(probability, LEAST_PROBABILITY)) + entropy);
  }
}
