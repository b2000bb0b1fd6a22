// The one representation of a network: nodes (ONNX operators) between named values, weights as initializers. A graph is
// immutable; a pass builds another. Its constructor refuses inconsistent graphs.
import type { DType } from '../tensor/dtype.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import type { Dim } from './dims.js';
import { GraphError } from './errors.js';

/** A value's element type and shape. */
export interface TensorType {
  readonly dtype: DType;
  readonly dims: readonly Dim[];
}

/** A named value as a graph declares it; without a shape when the file has none. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly dims?: readonly Dim[];
}

/** An attribute's value; which kind it is in ONNX (int or float, …) the operator's table says. */
export type AttributeValue = number | readonly number[] | string | readonly string[] | HostTensor;

/** One operator of a graph. */
export interface GraphNode {
  /** Unique in its graph: policies, profiles and reports use it. */
  readonly name: string;
  /** ONNX's operator name, of ONNX's own domain. */
  readonly operator: string;
  /** Value names; '' where an optional input is left out. */
  readonly inputs: readonly string[];
  /** Value names; '' where an optional output is not used. */
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** Metadata of a model file; kept for export. */
export interface ModelMetadata {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: bigint;
  readonly docString?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** The parts of a graph. */
export interface GraphParts {
  readonly name: string;
  /** Version of ONNX's operator set that the nodes follow, 13–26. */
  readonly opset: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In topological order. */
  readonly nodes: readonly GraphNode[];
  readonly initializers: ReadonlyMap<string, HostTensor>;
  /** Shapes that the file declares for values inside. */
  readonly values?: ReadonlyMap<string, ValueInfo>;
  readonly metadata?: ModelMetadata;
}

/** How errors and logs name a node: `Conv (stem.conv)`. */
export function describeNode(node: Pick<GraphNode, 'name' | 'operator'>): string {
  return `${node.operator} (${node.name})`;
}

/** A network: ONNX operators in an order in which they can run. Immutable. */
export class Graph implements GraphParts {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly GraphNode[];
  readonly initializers: ReadonlyMap<string, HostTensor>;
  readonly values: ReadonlyMap<string, ValueInfo>;
  readonly metadata: ModelMetadata;
  private readonly producers = new Map<string, GraphNode>();
  private readonly users = new Map<string, GraphNode[]>();
  private readonly returned: ReadonlySet<string>;
  private readonly byName = new Map<string, GraphNode>();

  /** Throws GraphError: a name used twice, a value that nothing produces, nodes out of order. */
  constructor(parts: GraphParts) {
    this.name = parts.name;
    this.opset = parts.opset;
    this.inputs = Object.freeze([...parts.inputs]);
    this.outputs = Object.freeze([...parts.outputs]);
    this.nodes = Object.freeze([...parts.nodes]);
    this.initializers = new Map(parts.initializers);
    this.values = new Map(parts.values);
    this.metadata = parts.metadata ?? {};
    this.returned = new Set(this.outputs.map(({ name }) => name));
    this.check();
  }

  private check(): void {
    const defined = new Set<string>();
    const define = (value: string, where: string) => {
      if (value === '') throw new GraphError(where, 'a value has no name');
      if (defined.has(value)) throw new GraphError(where, `value "${value}" is defined twice`);
      defined.add(value);
    };
    for (const { name } of this.inputs) define(name, 'graph inputs');
    for (const name of this.initializers.keys()) define(name, 'initializers');
    for (const node of this.nodes) {
      for (const output of node.outputs) if (output !== '') this.producers.set(output, node);
    }
    for (const node of this.nodes) {
      const where = describeNode(node);
      if (node.name === '') throw new GraphError(where, 'the node has no name');
      if (this.byName.has(node.name)) throw new GraphError(where, 'another node has the same name');
      this.byName.set(node.name, node);
      for (const input of new Set(node.inputs)) {
        if (input === '') continue;
        if (!defined.has(input)) throw new GraphError(where, this.missing(input, node));
        const users = this.users.get(input);
        if (users) users.push(node);
        else this.users.set(input, [node]);
      }
      for (const output of node.outputs) if (output !== '') define(output, where);
    }
    for (const { name } of this.outputs) {
      if (!defined.has(name)) throw new GraphError('graph outputs', `nothing produces "${name}"`);
    }
  }

  private missing(input: string, node: GraphNode): string {
    const producer = this.producers.get(input);
    if (!producer) return `nothing produces its input "${input}"`;
    if (producer === node) return `its input "${input}" is also its output`;
    return `its input "${input}" is produced later, by ${describeNode(producer)}: nodes are not in topological order`;
  }

  /** The node of that name; throws GraphError. */
  node(name: string): GraphNode {
    const node = this.byName.get(name);
    if (!node) throw new GraphError(this.name, `has no node "${name}"`);
    return node;
  }

  /** The node that produces a value; undefined for inputs and initializers. */
  producer(value: string): GraphNode | undefined {
    return this.producers.get(value);
  }

  /** Nodes that read a value, in order. */
  consumers(value: string): readonly GraphNode[] {
    return this.users.get(value) ?? [];
  }

  /** Whether the network returns this value. */
  isOutput(value: string): boolean {
    return this.returned.has(value);
  }

  /** A copy with some parts replaced. */
  with(changes: Partial<GraphParts>): Graph {
    const { name, opset, inputs, outputs, nodes, initializers, values, metadata } = this;
    return new Graph({ name, opset, inputs, outputs, nodes, initializers, values, metadata, ...changes });
  }
}
