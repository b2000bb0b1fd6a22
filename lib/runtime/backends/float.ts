// Full precision: runs a graph on the tape in float32, for training and for every figure in full precision. Images are
// channels-last inside and [N, C, H, W] at ONNX's inputs and outputs.
import { ConvKernels } from '../../autograd/ops/conv2d.js';
import { toRows } from '../../autograd/ops/layout.js';
import { Tape, Value } from '../../autograd/tape.js';
import { sizeOf } from '../../core/shape.js';
import { operatorOf } from '../../graph/check.js';
import type { Graph, GraphNode } from '../../graph/graph.js';
import type { NodeState } from '../../graph/operator.js';
import { Parameters } from '../../graph/parameters.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { Memory } from '../../tensor/memory.js';
import { Random } from '../../tensor/random.js';
import type { Backend, Engine, Network, Results } from '../backend.js';
import type { Fusions, Step } from '../compile.js';
import { execute, executeOffTape } from '../execute.js';
import { type CompileOptions, compile } from '../program.js';
import type { Feeds, Run } from '../run.js';
import { RepeatedRuns } from './repeated_runs.js';

/** Options of full precision. */
export interface FloatOptions {
  /** Seed of dropout. Default 0. */
  readonly seed?: number | undefined;
}

/**
 * Inputs that replace those of a node. The run releases replacements when the node is done: retain one that is kept for
 * another node.
 */
export type Substitution = (node: GraphNode, inputs: readonly (Value | undefined)[]) => readonly (Value | undefined)[];

/** Arguments of a run in full precision: the tape and the weights are the caller's. */
export interface FloatUse {
  readonly tape: Tape;
  readonly parameters: Parameters;
  /** Number of the training step: dropout draws other numbers in each. Default 0. */
  readonly step?: number | undefined;
  /** Replaces the inputs of nodes that can be quantized. */
  readonly substitute?: Substitution | undefined;
  /** Called with the result of every step when it is computed. */
  readonly inspect?: ((node: GraphNode, value: Value) => void) | undefined;
}

/** Runs steps in full precision, also those that another backend leaves to it. */
export class FloatEngine implements Engine<FloatUse> {
  private readonly states = new Map<GraphNode, NodeState>();
  private readonly random: Random;
  private repeated: RepeatedRuns | undefined;
  private step = 0;

  constructor(
    private readonly network: Network,
    { seed = 0 }: FloatOptions = {},
  ) {
    this.random = new Random(seed).split('dropout');
  }

  fuses(node: GraphNode): Fusions {
    const { fuses } = operatorOf(node);
    return { work: fuses === 'none' ? [] : fuses };
  }

  begin({ tape, parameters, step = 0 }: FloatUse) {
    this.step = step;
    return { tape, constants: parameters.on(tape) };
  }

  /** Images that repeat on a tape without gradients: only the native calls are repeated. */
  repeat(feeds: Feeds, use: FloatUse, again: (feeds: Feeds, use: FloatUse) => Results): Results | undefined {
    const { tape, parameters } = use;
    if (use.substitute || use.inspect) return undefined;
    const inputs = new Map(Object.entries(feeds).filter((feed): feed is [string, Value] => feed[1] instanceof Value));
    const { graph, requested } = this.network;
    if (inputs.size !== graph.inputs.length) return undefined;
    const run = (other: Tape, values: ReadonlyMap<string, Value>) =>
      again(Object.fromEntries(values), { tape: other, parameters });
    this.repeated ??= new RepeatedRuns(graph, requested.size > graph.outputs.length);
    return this.repeated.run(run, tape, parameters, inputs);
  }

  compute(step: Step, run: Run, { substitute, inspect }: Pick<FloatUse, 'substitute' | 'inspect'>): Value | undefined {
    const { node, operator, output } = step;
    if (run.known.has(output)) return undefined;
    if (run.isOffTape(node)) {
      executeOffTape(node, operator, run);
      return undefined;
    }
    const read = node.inputs.map((name) => run.find(name));
    const inputs = step.quantizable && substitute ? substitute(node, read) : read;
    const residual = step.residual === undefined ? undefined : run.find(step.residual);
    const residualEnds = step.last.includes(step.residual ?? '');
    const { index, readsOthers, relu, clip } = step;
    const state = this.stateOf(node);
    const result = execute(
      { node, operator, state, index, readsOthers, relu, clip, residual, residualEnds, inputs },
      run,
    );
    inputs.forEach((value, input) => {
      if (value && value !== read[input]) run.tape.release(value);
    });
    const computed = result ?? run.values.get(output);
    if (computed) inspect?.(node, computed);
    return result;
  }

  /**
   * A step's node alone, without fused nodes, a product by another weight where one is passed; undefined
   * where its outputs are kept in the run.
   */
  alone({ node, operator, index, readsOthers }: Step, run: Run, weight?: Value): Value | undefined {
    const { product } = operator;
    const inputs = node.inputs.map((name, i) =>
      weight && product !== 'none' && i === product.weight ? weight : run.find(name),
    );
    const plain = { relu: false, clip: undefined, residual: undefined };
    return execute({ node, operator, state: this.stateOf(node), index, readsOthers, inputs, ...plain }, run);
  }

  private stateOf(node: GraphNode): NodeState {
    let state = this.states.get(node);
    if (!state) {
      const random = () => this.random.split(node.name).split(String(this.step));
      state = { convolutions: new ConvKernels(), random };
      this.states.set(node, state);
    }
    return state;
  }
}

/** Full precision on the processor, with gradients where the tape records them. */
export function float(options: FloatOptions = {}): Backend<FloatUse> {
  return {
    name: 'float',
    device: 'cpu',
    prepares: false,
    open: (network) => new FloatEngine(network, options),
  };
}

/** A graph's float32 outputs for these inputs, row-major: one run in full precision. */
export function runFloat(
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
  options: CompileOptions & FloatOptions = {},
): Map<string, HostTensor> {
  const tape = new Tape({ memory: new Memory(), training: false, record: false });
  const results = new Map<string, HostTensor>();
  const program = compile(graph, float(options), options);
  for (const [name, value] of program.run(feeds, { tape, parameters: new Parameters(graph) })) {
    const data = toRows(tape, value).data.slice(0, sizeOf(value.dims));
    results.set(name, { dtype: 'float32', dims: value.dims, data });
  }
  return results;
}
