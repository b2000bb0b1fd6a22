// The float interpreter: a graph run on the tape in float32, for training and for full-precision figures. Images are
// channels-last inside and [N, C, H, W] where ONNX sees them.
//
// A program is the graph's nodes in order, with additions and ReLUs done by the node before them where it can.
import { ConvKernels } from '../autograd/ops/conv2d.js';
import { toRows } from '../autograd/ops/layout.js';
import { Tape, Value } from '../autograd/tape.js';
import { sizeOf } from '../core/shape.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import { Memory } from '../tensor/memory.js';
import { Random } from '../tensor/random.js';
import { isQuantizable, operatorOf } from './check.js';
import { sameDims } from './dims.js';
import { GraphError } from './errors.js';
import { execute, executeOffTape, type Surroundings } from './execute.js';
import type { FusedWork } from './facts.js';
import { RepeatedRuns } from './float_plan.js';
import { boundsOf, isActivation, isAddition, isRectifier } from './fusion.js';
import type { Graph, GraphNode } from './graph.js';
import { InferredShapes, inferShapes } from './infer.js';
import type { NodeState, Operator } from './operator.js';
import { Parameters } from './parameters.js';

export interface FloatProgramOptions {
  /** Values that a run returns beside the outputs; 'all' computes every node by itself. */
  readonly keep?: readonly string[] | 'all';
  /** Seed of dropout. Default 0. */
  readonly seed?: number;
}

/**
 * Inputs to compute a node with in place of its own. The run lets go of those it did not have when the node is done:
 * whoever keeps one for another node holds a reference more.
 */
export type Substitution = (node: GraphNode, inputs: readonly (Value | undefined)[]) => readonly (Value | undefined)[];

export interface RunOptions {
  /** Number of the training step: dropout draws other numbers in each. */
  readonly step?: number;
  /** Puts other values in place of the inputs of nodes that can be quantized. */
  readonly substitute?: Substitution;
  /** Sees every node's result as it is computed. */
  readonly inspect?: (node: GraphNode, value: Value) => void;
}

interface Step {
  readonly node: GraphNode;
  readonly operator: Operator;
  readonly state: NodeState;
  /** The value it computes: its own output, or that of the last node done on the way. */
  readonly output: string;
  readonly residual: string | undefined;
  readonly relu: boolean;
  readonly clip: readonly [number, number] | undefined;
  readonly quantizable: boolean;
  /** Which output of the node it computes. */
  readonly index: number;
  /** Values that no later step reads. */
  readonly last: readonly string[];
}

type Feed = Value | HostTensor;

/** A network run in float32, with gradients. */
export class FloatProgram {
  private readonly steps: readonly Step[];
  private readonly requested: ReadonlySet<string>;
  private step = 0;
  private readonly shapes: InferredShapes;
  private readonly repeated: RepeatedRuns;

  constructor(
    readonly graph: Graph,
    options: FloatProgramOptions = {},
  ) {
    const { keep = [], seed = 0 } = options;
    this.shapes = new InferredShapes(graph);
    const all = keep === 'all' ? graph.nodes.flatMap((node) => node.outputs) : keep;
    this.requested = new Set([...graph.outputs.map(({ name }) => name), ...all]);
    this.repeated = new RepeatedRuns(graph, this.requested.size > graph.outputs.length);
    this.steps = this.compile(new Random(seed).split('dropout'));
  }

  /** The one reader of a value that nobody outside wants. */
  private onlyReader(value: string, is: (node: GraphNode) => boolean): GraphNode | undefined {
    if (this.requested.has(value)) return undefined;
    const readers = this.graph.consumers(value);
    const [reader] = readers;
    const once = readers.length === 1 && reader?.inputs.filter((input) => input === value).length === 1;
    return once && reader && is(reader) ? reader : undefined;
  }

  private compile(random: Random): Step[] {
    const { graph } = this;
    const types = inferShapes(graph);
    const absorbed = new Set<string>();
    const madeAt = new Map(graph.nodes.flatMap(({ outputs }, index) => outputs.map((name) => [name, index] as const)));
    const ordered: Omit<Step, 'last'>[] = [];
    for (const [position, node] of graph.nodes.entries()) {
      if (absorbed.has(node.name)) continue;
      const operator = operatorOf(node);
      let end = node;
      let residual: string | undefined;
      const value = () => end.outputs[0] as string;
      const single = node.outputs.filter((output) => output !== '').length === 1;
      const fuses = (work: FusedWork) => single && operator.fuses !== 'none' && operator.fuses.includes(work);
      const sum = fuses('addition') ? this.onlyReader(value(), isAddition) : undefined;
      const sameShape = sum?.inputs.every((input) => sameDims(types.get(input)?.dims, types.get(value())?.dims));
      const other = sum?.inputs.find((input) => input !== value());
      // The later of the two adds: nodes are computed in the graph's order, which agents that choose bits count on.
      const there = other !== undefined && (madeAt.get(other) ?? -1) < position;
      if (sum && sameShape && there && !absorbed.has(sum.name)) {
        residual = other;
        absorbed.add(sum.name);
        end = sum;
      }
      const relu = fuses('relu') ? this.onlyReader(value(), isRectifier) : undefined;
      if (relu) {
        absorbed.add(relu.name);
        end = relu;
      }
      const activation = fuses('clip') ? this.onlyReader(value(), isActivation) : undefined;
      const clip = activation && boundsOf(graph, activation);
      if (activation && clip) {
        absorbed.add(activation.name);
        end = activation;
      }
      const state = { convolutions: new ConvKernels(), random: () => random.split(node.name).split(String(this.step)) };
      const quantizable = isQuantizable(graph, node);
      const step = {
        node,
        operator,
        state,
        output: value(),
        residual,
        relu: relu !== undefined,
        clip,
        quantizable,
        index: 0,
      };
      if (!operator.eachOutput) ordered.push(step);
      else {
        node.outputs.forEach((output, index) => {
          if (output !== '') ordered.push({ ...step, output, index });
        });
      }
    }
    const lastReader = new Map<string, number>();
    ordered.forEach(({ node, residual, output }, index) => {
      for (const input of [...node.inputs, residual ?? '', output]) lastReader.set(input, index);
    });
    return ordered.map((step, index) => ({
      ...step,
      last: [...lastReader].flatMap(([name, reader]) => (reader === index && !this.requested.has(name) ? [name] : [])),
    }));
  }

  private readsOthers({ outputs }: GraphNode): boolean {
    return outputs
      .slice(1)
      .some((name) => name !== '' && (this.requested.has(name) || this.graph.consumers(name).length));
  }

  /**
   * Runs the graph on a tape. Float inputs are values of that tape, others host tensors. The values returned are the
   * tape's: gone when its memory is reset.
   */
  run(
    tape: Tape,
    parameters: Parameters,
    feeds: Readonly<Record<string, Feed>>,
    options: RunOptions = {},
  ): Map<string, Value> {
    if (!options.substitute && !options.inspect) {
      const inputs = new Map(Object.entries(feeds).filter((feed): feed is [string, Value] => feed[1] instanceof Value));
      const again = (other: Tape, values: ReadonlyMap<string, Value>) =>
        this.interpret(other, parameters, Object.fromEntries(values), {});
      const whole = inputs.size === this.graph.inputs.length;
      const results = whole ? this.repeated.run(again, tape, parameters, inputs) : undefined;
      if (results) return results;
    }
    return this.interpret(tape, parameters, feeds, options);
  }

  private interpret(
    tape: Tape,
    parameters: Parameters,
    feeds: Readonly<Record<string, Feed>>,
    options: RunOptions,
  ): Map<string, Value> {
    this.step = options.step ?? 0;
    const { types, known } = this.shapes.of(feeds);
    const values = new Map<string, Value>();
    const hosts = new Map<string, HostTensor>([...this.graph.initializers, ...known]);
    const given = new Map<string, HostTensor>();
    for (const { name } of this.graph.inputs) {
      const feed = feeds[name];
      if (!feed) throw new GraphError(`input "${name}"`, 'is missing');
      if (feed instanceof Value) values.set(name, feed);
      else if (feed.dtype === 'float32') {
        values.set(name, tape.constant(feed.data as Float32Array, feed.dims));
        given.set(name, feed);
      } else hosts.set(name, feed);
    }
    for (const [name, value] of parameters.on(tape)) values.set(name, value);
    const lookUp = (name: string): Value | undefined => {
      const known = values.get(name);
      const host = known ? undefined : hosts.get(name);
      if (host?.dtype !== 'float32') return known;
      const constant = tape.constant(host.data as Float32Array, host.dims);
      values.set(name, constant);
      return constant;
    };
    const around: Surroundings = {
      tape,
      types,
      readsOthers: (node) => this.readsOthers(node),
      host: (name) => hosts.get(name) ?? given.get(name),
      keep: (name, result) => {
        if (result instanceof Value) values.set(name, result);
        else if (result.dtype === 'float32') values.set(name, tape.constant(result.data as Float32Array, result.dims));
        else hosts.set(name, result);
      },
    };
    for (const step of this.steps) {
      const { node, operator, state, relu, clip, output, index } = step;
      if (known.has(output)) continue;
      if (node.inputs.every((name) => name === '' || (hosts.has(name) && !parameters.get(name)))) {
        // Nothing of the tape comes in: shapes, axes, constants.
        executeOffTape(node, operator, { ...around, keep: (name, result) => hosts.set(name, result as HostTensor) });
        continue;
      }
      const own = node.inputs.map(lookUp);
      const operands = step.quantizable && options.substitute ? options.substitute(node, own) : own;
      const residual = step.residual === undefined ? undefined : lookUp(step.residual);
      const residualEnds = step.last.includes(step.residual ?? '');
      const result = execute(
        { node, operator, state, index, relu, clip, residual, residualEnds, inputs: operands },
        around,
      );
      operands.forEach((value, input) => {
        if (value && value !== own[input]) tape.release(value);
      });
      if (result) values.set(output, result);
      const computed = values.get(output);
      if (computed) options.inspect?.(node, computed);
      for (const name of step.last) {
        const value = values.get(name);
        if (value) tape.release(value);
        values.delete(name);
      }
    }
    const results = new Map<string, Value>();
    for (const name of this.requested) {
      const value = lookUp(name);
      if (value) results.set(name, value);
    }
    return results;
  }
}

/** A graph's float32 outputs for given inputs, row-major: a whole run of the float interpreter. */
export function runFloat(
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
  options: FloatProgramOptions = {},
): Map<string, HostTensor> {
  const program = new FloatProgram(graph, options);
  const tape = new Tape({ memory: new Memory(), training: false, record: false });
  const results = new Map<string, HostTensor>();
  for (const [name, value] of program.run(tape, new Parameters(graph), feeds)) {
    const data = toRows(tape, value).data.slice(0, sizeOf(value.dims));
    results.set(name, { dtype: 'float32', dims: value.dims, data });
  }
  return results;
}
