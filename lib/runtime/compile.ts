// Compiles a network into steps: which nodes a backend computes together with the one before them (a bias, a residual, an
// activation function), and which values a step reads for the last time.
import { isQuantizable, operatorOf } from '../graph/check.js';
import { sameDims } from '../graph/dims.js';
import type { FusedWork } from '../graph/facts.js';
import { boundsOf, isActivation, isAddition, isRectifier } from '../graph/fusion.js';
import type { Graph, GraphNode, TensorType } from '../graph/graph.js';
import type { Operator } from '../graph/operator.js';

/** What a backend computes together with a node, in place of the nodes that follow it. */
export interface Fusions {
  /** Output channels of a product that takes a constant for each: the addition of such constants is its bias. */
  readonly biasChannels?: number | undefined;
  readonly work: readonly FusedWork[];
}

/** A node with those that are computed with it, in the order bias, residual, relu, clip. */
export interface Step {
  readonly node: GraphNode;
  readonly operator: Operator;
  /** The value it computes: its node's output, or that of the last node computed with it. */
  readonly output: string;
  /** Which output of the node it computes. */
  readonly index: number;
  /** Outputs of its node after the first are read or returned. */
  readonly readsOthers: boolean;
  /** A policy may give its node bits. */
  readonly quantizable: boolean;
  /** A constant, by value name. */
  readonly bias: string | undefined;
  /** By value name. */
  readonly residual: string | undefined;
  readonly relu: boolean;
  readonly clip: readonly [number, number] | undefined;
  /** Values that no later step reads. */
  readonly last: readonly string[];
}

/** What is to be compiled, for whom. */
interface CompileInput {
  readonly graph: Graph;
  readonly types: ReadonlyMap<string, TensorType>;
  /** Values that a run returns: computed as they are. */
  readonly requested: ReadonlySet<string>;
  fuses(node: GraphNode): Fusions;
}

class Compiler {
  private readonly absorbed = new Set<string>();
  private readonly producedAt: ReadonlyMap<string, number>;

  constructor(private readonly input: CompileInput) {
    const outputs = input.graph.nodes.flatMap((node, index) => node.outputs.map((name) => [name, index] as const));
    this.producedAt = new Map(outputs);
  }

  /** The only reader of a value that the run does not return. */
  private onlyReader(value: string, is: (node: GraphNode) => boolean): GraphNode | undefined {
    if (this.input.requested.has(value)) return undefined;
    const readers = this.input.graph.consumers(value);
    const [reader] = readers;
    const once = readers.length === 1 && reader?.inputs.filter((input) => input === value).length === 1;
    return once && reader && is(reader) && !this.absorbed.has(reader.name) ? reader : undefined;
  }

  private isRead(name: string): boolean {
    return name !== '' && (this.input.requested.has(name) || this.input.graph.consumers(name).length > 0);
  }

  private sameShape(a: string, b: string): boolean {
    const { types } = this.input;
    return sameDims(types.get(a)?.dims, types.get(b)?.dims);
  }

  /** The addition of one constant for each channel to a value, and the constant's name. */
  private biasOf(value: string, channels: number): readonly [GraphNode, string] | undefined {
    const addition = this.onlyReader(value, isAddition);
    const name = addition?.inputs.find((input) => input !== value) ?? '';
    const constant = this.input.graph.initializers.get(name);
    const oneEach = constant?.data.length === channels && constant.dims.at(-1) === channels;
    return addition && oneEach && this.sameShape(addition.outputs[0] as string, value) ? [addition, name] : undefined;
  }

  /** The addition of a value of the same shape, and that value's name. */
  private residualOf(value: string, position: number): readonly [GraphNode, string] | undefined {
    const sum = this.onlyReader(value, isAddition);
    const other = sum?.inputs.find((input) => input !== value);
    if (!sum || other === undefined || !sum.inputs.every((input) => this.sameShape(input, value))) return undefined;
    // The later of two producers adds: nodes are computed in the graph's order, which agents that choose bits count on.
    return (this.producedAt.get(other) ?? -1) < position ? [sum, other] : undefined;
  }

  private step(node: GraphNode, position: number): Omit<Step, 'last'> {
    const { graph } = this.input;
    const single = node.outputs.filter((output) => output !== '').length === 1;
    const { biasChannels, work }: Fusions = single ? this.input.fuses(node) : { work: [] };
    let output = node.outputs[0] as string;
    const absorb = (follower: GraphNode | undefined) => {
      if (!follower) return;
      this.absorbed.add(follower.name);
      output = follower.outputs[0] as string;
    };
    const bias = biasChannels === undefined ? undefined : this.biasOf(output, biasChannels);
    absorb(bias?.[0]);
    const residual = work.includes('addition') ? this.residualOf(output, position) : undefined;
    absorb(residual?.[0]);
    const relu = work.includes('relu') ? this.onlyReader(output, isRectifier) : undefined;
    absorb(relu);
    const activation = work.includes('clip') ? this.onlyReader(output, isActivation) : undefined;
    const clip = activation && boundsOf(graph, activation);
    if (clip) absorb(activation);
    return {
      node,
      operator: operatorOf(node),
      output,
      index: 0,
      readsOthers: node.outputs.slice(1).some((name) => this.isRead(name)),
      quantizable: isQuantizable(graph, node),
      bias: bias?.[1],
      residual: residual?.[1],
      relu: relu !== undefined,
      clip,
    };
  }

  steps(): Omit<Step, 'last'>[] {
    const steps: Omit<Step, 'last'>[] = [];
    for (const [position, node] of this.input.graph.nodes.entries()) {
      if (this.absorbed.has(node.name)) continue;
      const step = this.step(node, position);
      if (!step.operator.eachOutput) steps.push(step);
      else {
        node.outputs.forEach((output, index) => {
          if (output !== '') steps.push({ ...step, output, index });
        });
      }
    }
    return steps;
  }
}

/** For each step the values that no later one reads; requested ones are never released. */
function lastReads(steps: readonly Omit<Step, 'last'>[], requested: ReadonlySet<string>): string[][] {
  const lastReader = new Map<string, number>();
  steps.forEach(({ node, residual, output }, index) => {
    for (const name of [...node.inputs, residual ?? '', output]) if (name !== '') lastReader.set(name, index);
  });
  const last: string[][] = steps.map(() => []);
  for (const [name, reader] of lastReader) if (!requested.has(name)) last[reader]?.push(name);
  return last;
}

/** The steps of a network, in the order they run. Throws GraphError naming a node that cannot run. */
export function compileSteps(input: CompileInput): readonly Step[] {
  const steps = new Compiler(input).steps();
  const last = lastReads(steps, input.requested);
  return steps.map((step, index) => ({ ...step, last: last[index] as string[] }));
}
