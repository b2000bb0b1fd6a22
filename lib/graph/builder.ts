// Builds a graph node by node. Shapes are inferred at each node, so that errors name it.
import type { DType } from '../tensor/dtype.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import { FIRST_OPSET, irVersionOf, LAST_OPSET, nodeProblem, operatorOf } from './check.js';
import type { Dim } from './dims.js';
import { GraphError } from './errors.js';
import {
  type AttributeValue,
  describeNode,
  Graph,
  type GraphNode,
  type ModelMetadata,
  type TensorType,
  type ValueInfo,
} from './graph.js';
import { ShapeInference } from './infer.js';

/** Read by all recent runtimes, and the first with LayerNormalization. */
const DEFAULT_OPSET = 17;

/** Attributes, outputs and name of a node. */
export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Names of further outputs, `name.1` and so on by default; 1 by default. */
  readonly outputs?: number;
}

/** Builds a graph node by node, inferring shapes. */
export class GraphBuilder {
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly nodes: GraphNode[] = [];
  private readonly initializers = new Map<string, HostTensor>();
  private readonly inference = new ShapeInference();

  constructor(
    private readonly name: string,
    readonly opset: number = DEFAULT_OPSET,
  ) {
    if (!Number.isInteger(opset) || opset < FIRST_OPSET || opset > LAST_OPSET) {
      throw new GraphError(name, `expected operator set ${FIRST_OPSET} to ${LAST_OPSET}, received ${opset}`);
    }
  }

  /** A graph input; a string among its dimensions names one fixed at run time: `['N', 3, 32, 32]`. */
  input(name: string, dims: readonly Dim[], dtype: DType = 'float32'): string {
    this.inputs.push({ name, dtype, dims });
    this.inference.input({ name, dtype, dims });
    return name;
  }

  /** Adds a constant; returns its name. */
  initializer(name: string, tensor: HostTensor): string {
    if (this.inference.types.has(name)) throw new GraphError(this.name, `value "${name}" is defined twice`);
    this.initializers.set(name, tensor);
    this.inference.initializer(name, tensor);
    return name;
  }

  /** Adds a node and returns its first output, which has the node's name. Throws GraphError naming the node. */
  node(name: string, operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const outputs = [name];
    for (let index = 1; index < (options.outputs ?? 1); index++) outputs.push(`${name}.${index}`);
    const plain = { name, operator, inputs, outputs, attributes: options.attributes ?? {} };
    const fail = (what: string) => {
      throw new GraphError(describeNode(plain), what);
    };
    const problem = nodeProblem(plain, this.opset);
    if (problem) fail(problem);
    const node = { ...plain, attributes: asStored(plain) };
    for (const input of inputs) {
      if (input !== '' && !this.inference.types.has(input)) fail(`nothing produces its input "${input}"`);
    }
    for (const output of outputs) {
      if (this.inference.types.has(output)) fail(`value "${output}" is defined twice`);
    }
    this.inference.node(node);
    this.nodes.push(node);
    return name;
  }

  /** Whether a value of that name was made. */
  has(value: string): boolean {
    return this.inference.types.has(value);
  }

  /** Type and shape of a value made so far. */
  typeOf(value: string): TensorType {
    const type = this.inference.types.get(value);
    if (!type) throw new GraphError(this.name, `nothing produces "${value}"`);
    return type;
  }

  /** Makes a value an output of the graph. */
  output(value: string): void {
    this.outputs.push({ name: value, ...this.typeOf(value) });
  }

  /** The graph; `metadata` beside or in place of the producer's name and the file format's version. */
  build(metadata: ModelMetadata = {}): Graph {
    const { name, opset, inputs, outputs, nodes, initializers } = this;
    const defaults = { irVersion: irVersionOf(opset), producerName: 'faultline' };
    return new Graph({ name, opset, inputs, outputs, nodes, initializers, metadata: { ...defaults, ...metadata } });
  }
}

/** Attributes after a round trip through a file: floats are float32. */
function asStored(node: GraphNode): Record<string, AttributeValue> {
  const table = operatorOf(node).attributes;
  return Object.fromEntries(
    Object.entries(node.attributes).map(([name, value]): [string, AttributeValue] => {
      if (table[name]?.kind === 'float') return [name, Math.fround(value as number)];
      if (table[name]?.kind === 'floats') return [name, (value as number[]).map(Math.fround)];
      return [name, value];
    }),
  );
}
