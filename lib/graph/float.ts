// The float interpreter: a graph run on the tape in float32, for training and for full-precision figures. Images are
// channels-last inside and [N, C, H, W] where ONNX sees them.
//
// A program is the graph's nodes in order, with additions and ReLUs done by the node before them where it can.
import { ConvKernels } from '../autograd/ops/conv2d.js';
import { toRows } from '../autograd/ops/layout.js';
import { Tape, Value } from '../autograd/tape.js';
import { type HostTensor, sizeOf } from '../tensor/host_tensor.js';
import { Memory } from '../tensor/memory.js';
import { Random } from '../tensor/random.js';
import { isQuantizable, operatorOf } from './check.js';
import { GraphError } from './errors.js';
import { describeNode, type Graph, type GraphNode, type TensorType } from './graph.js';
import { inferShapes } from './infer.js';
import { attributesOf, type NodeState, type Operator, runNode } from './operator.js';
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
  readonly quantizable: boolean;
  /** Values that no later step reads. */
  readonly last: readonly string[];
}

type Feed = Value | HostTensor;

export class FloatProgram {
  private readonly steps: readonly Step[];
  private readonly wanted: ReadonlySet<string>;
  private step = 0;
  private readonly shapes = new Map<string, ReadonlyMap<string, TensorType>>();

  constructor(
    readonly graph: Graph,
    options: FloatProgramOptions = {},
  ) {
    const { keep = [], seed = 0 } = options;
    const all = keep === 'all' ? graph.nodes.flatMap((node) => node.outputs) : keep;
    this.wanted = new Set([...graph.outputs.map(({ name }) => name), ...all]);
    this.steps = this.compile(new Random(seed).split('dropout'));
  }

  /** The one reader of a value that nobody outside wants. */
  private onlyReader(value: string, operator: string): GraphNode | undefined {
    if (this.wanted.has(value)) return undefined;
    const readers = this.graph.consumers(value);
    const [reader] = readers;
    const once = readers.length === 1 && reader?.inputs.filter((input) => input === value).length === 1;
    return once && reader?.operator === operator ? reader : undefined;
  }

  private compile(random: Random): Step[] {
    const { graph } = this;
    const position = new Map(graph.nodes.map((node, index) => [node.name, index]));
    const types = inferShapes(graph);
    const absorbed = new Set<string>();
    const placed: { at: number; step: Omit<Step, 'last'> }[] = [];
    for (const node of graph.nodes) {
      if (absorbed.has(node.name)) continue;
      const operator = operatorOf(node);
      let end = node;
      let residual: string | undefined;
      const value = () => end.outputs[0] as string;
      const single = node.outputs.filter((output) => output !== '').length === 1;
      const sum = single && operator.fuses?.residual ? this.onlyReader(value(), 'Add') : undefined;
      const sameShape = sum?.inputs.every(
        (input) => JSON.stringify(types.get(input)?.dims) === JSON.stringify(types.get(value())?.dims),
      );
      if (sum && sameShape && !absorbed.has(sum.name)) {
        residual = sum.inputs.find((input) => input !== value());
        absorbed.add(sum.name);
        end = sum;
      }
      const relu = single && operator.fuses?.relu ? this.onlyReader(value(), 'Relu') : undefined;
      if (relu) {
        absorbed.add(relu.name);
        end = relu;
      }
      const state = { convolutions: new ConvKernels(), random: () => random.split(node.name).split(String(this.step)) };
      const quantizable = isQuantizable(graph, node);
      const step = { node, operator, state, output: value(), residual, relu: relu !== undefined, quantizable };
      placed.push({ at: position.get(end.name) as number, step });
    }
    const ordered = placed.sort((a, b) => a.at - b.at).map(({ step }) => step);
    const lastReader = new Map<string, number>();
    ordered.forEach(({ node, residual, output }, index) => {
      for (const input of [...node.inputs, residual ?? '', output]) lastReader.set(input, index);
    });
    return ordered.map((step, index) => ({
      ...step,
      last: [...lastReader].flatMap(([name, reader]) => (reader === index && !this.wanted.has(name) ? [name] : [])),
    }));
  }

  /** Shapes of all values for these inputs; kept for the next run with the same. */
  private shapesFor(feeds: Readonly<Record<string, Feed>>): ReadonlyMap<string, TensorType> {
    const inputs = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
    const key = JSON.stringify(inputs);
    let types = this.shapes.get(key);
    if (!types) {
      types = inferShapes(this.graph, { inputs });
      this.shapes.set(key, types);
    }
    return types;
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
    this.step = options.step ?? 0;
    const types = this.shapesFor(feeds);
    const values = new Map<string, Value>();
    const hosts = new Map<string, HostTensor>(this.graph.initializers);
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
    for (const step of this.steps) {
      const { node, operator, state, relu, output } = step;
      const inputs = node.inputs.filter((name) => name !== '');
      if (inputs.every((name) => hosts.has(name) && !parameters.get(name))) {
        // Nothing of the tape comes in: shapes, axes, constants.
        const results = runNode(
          operator,
          node,
          node.inputs.map((name) => hosts.get(name)),
        );
        results.forEach((result, index) => {
          hosts.set(node.outputs[index] ?? '', result);
        });
        continue;
      }
      const fail = (what: string): never => {
        throw new GraphError(describeNode(node), what);
      };
      if (!operator.float) return fail('the float interpreter does not compute this operator on float values');
      if (
        node.outputs
          .slice(1)
          .some((name) => name !== '' && (this.wanted.has(name) || this.graph.consumers(name).length))
      ) {
        fail('the float interpreter computes first outputs only');
      }
      const own = node.inputs.map(lookUp);
      const operands = step.quantizable && options.substitute ? options.substitute(node, own) : own;
      const result = operator.float({
        tape,
        attributes: attributesOf(operator, node),
        inputs: operands,
        dims: types.get(node.outputs[0] as string)?.dims as readonly number[],
        relu,
        residual: step.residual === undefined ? undefined : lookUp(step.residual),
        state,
        host: (index) => hosts.get(node.inputs[index] ?? '') ?? given.get(node.inputs[index] ?? ''),
        fail,
      });
      operands.forEach((value, index) => {
        if (value && value !== own[index]) tape.release(value);
      });
      values.set(output, result);
      options.inspect?.(node, result);
      for (const name of step.last) {
        const value = values.get(name);
        if (value) tape.release(value);
        values.delete(name);
      }
    }
    const results = new Map<string, Value>();
    for (const name of this.wanted) {
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
