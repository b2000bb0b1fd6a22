// Learned parameters: the float32 initializers in one array, with their gradients in another of the same layout, so
// that an optimizer's step is one pass. Running statistics of batch norms lie beside them and have no gradient.
import { nextVersion, type Tape, type Value } from '../autograd/tape.js';
import { sizeOf } from '../core/shape.js';
import { alignedFloats } from '../tensor/memory.js';
import { operatorOf } from './check.js';
import { GraphError } from './errors.js';
import type { Graph } from './graph.js';
import { isSetting } from './operator.js';

export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
  /** Undefined for running statistics. */
  readonly gradient: Float32Array | undefined;
  /** Where `data` lies in the array of all, in elements. */
  readonly offset: number;
}

/** Each tensor starts on a cache line; the gaps stay zero, and every optimizer leaves zeros as they are. */
const LINE = 16;

function uses(graph: Graph, name: string): { settings: boolean; measured: boolean; learned: boolean } {
  let [settings, measured, learned] = [false, false, false];
  for (const node of graph.consumers(name)) {
    const operator = operatorOf(node);
    node.inputs.forEach((input, index) => {
      if (input !== name) return;
      if (isSetting(operator, index)) settings = true;
      else learned = true;
      if (operator.statistics !== 'none' && operator.statistics.includes(index)) measured = true;
    });
  }
  return { settings, measured, learned };
}

/** The learned numbers of a network, in one array. */
export class Parameters {
  /** All learned values; gradients[i] is that of values[i]. */
  readonly values: Float32Array;
  readonly gradients: Float32Array;
  /** All running statistics. */
  readonly statistics: Float32Array;
  readonly learned: readonly Parameter[];
  readonly measured: readonly Parameter[];
  private readonly byName = new Map<string, Parameter>();
  private readonly onTapes = new WeakMap<Tape, { readonly version: number; readonly values: Map<string, Value> }>();
  private current = nextVersion();

  /** Copies the initializers of a graph. Scalars and settings are constants and stay in the graph. */
  constructor(graph: Graph) {
    const learned: string[] = [];
    const measured: string[] = [];
    for (const [name, tensor] of graph.initializers) {
      if (tensor.dtype !== 'float32' || tensor.dims.length === 0) continue;
      const use = uses(graph, name);
      if (use.settings && use.learned) throw new GraphError(name, 'is a setting of one node and a weight of another');
      if (use.learned) learned.push(name);
      else if (use.measured) measured.push(name);
    }
    const total = (names: readonly string[]) => names.reduce((sum, name) => sum + padded(graph, name), 0);
    this.values = alignedFloats(total(learned));
    this.gradients = alignedFloats(this.values.length);
    this.statistics = alignedFloats(total(measured));
    this.learned = this.place(graph, learned, this.values, this.gradients);
    this.measured = this.place(graph, measured, this.statistics, undefined);
  }

  private place(
    graph: Graph,
    names: readonly string[],
    values: Float32Array,
    gradients: Float32Array | undefined,
  ): Parameter[] {
    let offset = 0;
    return names.map((name) => {
      const tensor = graph.initializers.get(name);
      if (!tensor) throw new GraphError(name, 'expected an initializer, received another value');
      const end = offset + sizeOf(tensor.dims);
      const data = values.subarray(offset, end);
      data.set(tensor.data as Float32Array);
      const parameter = { name, dims: tensor.dims, data, gradient: gradients?.subarray(offset, end), offset };
      this.byName.set(name, parameter);
      offset += padded(graph, name);
      return parameter;
    });
  }

  /** The parameter of an initializer, where it is learned. */
  get(name: string): Parameter | undefined {
    return this.byName.get(name);
  }

  /** Of the values: native reordered copies of weights are updated when it changes. */
  get version(): number {
    return this.current;
  }

  /** Must be called after values change. */
  changed(): void {
    this.current = nextVersion();
  }

  /**
   * All of them as values of a tape, by name. Every run on one tape gets the same values, so that the gradients of
   * several passes (in full precision, quantized) add up.
   */
  on(tape: Tape): ReadonlyMap<string, Value> {
    const known = this.onTapes.get(tape);
    if (known?.version === this.current) return known.values;
    const values = new Map<string, Value>();
    for (const { name, data, gradient, dims } of [...this.learned, ...this.measured]) {
      values.set(name, gradient ? tape.parameter(data, gradient, dims, this.current) : tape.constant(data, dims));
    }
    this.onTapes.set(tape, { version: this.current, values });
    return values;
  }

  /** Learned numbers, without the gaps. */
  get count(): number {
    return this.learned.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** The graph with these values as its initializers. */
  toGraph(graph: Graph, values: Float32Array = this.values): Graph {
    const initializers = new Map(graph.initializers);
    for (const { name, dims, offset, data } of this.learned) {
      initializers.set(name, { dtype: 'float32', dims, data: values.slice(offset, offset + data.length) });
    }
    for (const { name, dims, data } of this.measured) {
      initializers.set(name, { dtype: 'float32', dims, data: data.slice() });
    }
    return graph.with({ initializers });
  }
}

function padded(graph: Graph, name: string): number {
  return Math.ceil(sizeOf(graph.initializers.get(name)?.dims ?? []) / LINE) * LINE;
}
