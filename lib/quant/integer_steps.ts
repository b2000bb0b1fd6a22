// Compiles a graph into the steps of the integer interpreter: which nodes run on integer kernels, what these do on the way
// in place of the nodes that follow (bias, residual addition, ReLU or clip), and which values are read for the last time.
import { ConvKernels } from '../autograd/ops/conv2d.js';
import { operatorOf } from '../graph/check.js';
import { sameDims } from '../graph/dims.js';
import { GraphError } from '../graph/errors.js';
import { boundsOf, isActivation, isAddition } from '../graph/fusion.js';
import { describeNode, type Graph, type GraphNode, type TensorType } from '../graph/graph.js';
import { attributesOf, type NodeState, type Operator } from '../graph/operator.js';
import { imageAxes, type WindowAxis } from '../graph/operators/window.js';
import { Random } from '../tensor/random.js';
import { type ConvProduct, type Product, productOf } from './product.js';

export interface Step {
  readonly node: GraphNode;
  readonly operator: Operator;
  readonly state: NodeState;
  /** The value it computes: its own output, or that of the last node done on the way. */
  readonly output: string;
  /** Which output of the node it computes. */
  readonly index: number;
  /** A node that a policy gives bits to. */
  readonly product: Product | undefined;
  /** A constant that a following addition adds as the product's bias, by value name. */
  readonly bias: string | undefined;
  /** Added to the result, before the clip. */
  readonly residual: string | undefined;
  readonly clip: readonly [number, number] | undefined;
  /** Values that no later step reads. */
  readonly last: readonly string[];
}

/** Geometry of a convolution for one size of image (or length), in the order conv2dDynamic wants. */
interface ConvGeometry {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly padding: readonly [number, number, number, number];
  readonly output: readonly [number, number];
}

// Runs repeat: each step keeps the geometry of the size it met last.
const lastGeometry = new WeakMap<Step, { readonly spatial: readonly number[]; readonly geometry: ConvGeometry }>();

export function convGeometry(step: Step, product: ConvProduct, dims: readonly number[]): ConvGeometry {
  const last = lastGeometry.get(step);
  if (last && last.spatial.length === dims.length - 2 && last.spatial.every((size, i) => size === dims[i + 2])) {
    return last.geometry;
  }
  const fail = (what: string): never => {
    throw new GraphError(describeNode(step.node), what);
  };
  const attributes = attributesOf(step.operator, step.node) as unknown as Parameters<typeof imageAxes>[0];
  const spatial = dims.slice(2);
  const [h, v] = imageAxes(attributes, spatial, product.shape.slice(3 - spatial.length, 3), fail) as [
    WindowAxis,
    WindowAxis,
  ];
  const geometry: ConvGeometry = {
    strides: [h.stride, v.stride],
    dilations: [h.dilation, v.dilation],
    padding: [h.padBegin, v.padBegin, h.padEnd, v.padEnd],
    output: [h.output, v.output],
  };
  lastGeometry.set(step, { spatial, geometry });
  return geometry;
}

class Compiler {
  private readonly absorbed = new Set<string>();
  private readonly position: ReadonlyMap<string, number>;

  constructor(
    private readonly graph: Graph,
    private readonly types: ReadonlyMap<string, TensorType>,
    private readonly requested: ReadonlySet<string>,
  ) {
    this.position = new Map(graph.nodes.map((node, index) => [node.name, index]));
  }

  /** The one reader of a value that nobody outside wants. */
  private onlyReader(value: string, is: (node: GraphNode) => boolean): GraphNode | undefined {
    if (this.requested.has(value)) return undefined;
    const readers = this.graph.consumers(value);
    const [reader] = readers;
    const once = readers.length === 1 && reader?.inputs.filter((input) => input === value).length === 1;
    return once && reader && is(reader) && !this.absorbed.has(reader.name) ? reader : undefined;
  }

  private sameShape(a: string, b: string): boolean {
    return sameDims(this.types.get(a)?.dims, this.types.get(b)?.dims);
  }

  /** The other operand of an addition of two values of one shape. */
  private residualOf(sum: GraphNode, value: string, node: GraphNode): string | undefined {
    const other = sum.inputs.find((input) => input !== value);
    if (other === undefined || !this.sameShape(other, value)) return undefined;
    if (!this.sameShape(sum.outputs[0] as string, value)) return undefined;
    // The addition waits for the later of its operands, so that branches run in the order of their nodes.
    const producer = this.graph.producer(other);
    const there = producer ? (this.position.get(producer.name) as number) : -1;
    return (this.position.get(node.name) as number) > there ? other : undefined;
  }

  private step(node: GraphNode): Omit<Step, 'last'> {
    const operator = operatorOf(node);
    let product = productOf(this.graph, node);
    let output = node.outputs[0] as string;
    let bias: string | undefined;
    let residual: string | undefined;
    let clip: readonly [number, number] | undefined;
    if (product) {
      const addition = product.bias || product.kind === 'conv' ? undefined : this.onlyReader(output, isAddition);
      const name = addition?.inputs.find((input) => input !== output) ?? '';
      const constant = this.graph.initializers.get(name);
      const { channels } = product;
      const oneEach = constant?.data.length === channels && constant.dims.at(-1) === channels;
      if (addition && oneEach && this.sameShape(addition.outputs[0] as string, output)) {
        product = { ...product, bias: constant.data as Float32Array };
        this.absorbed.add(addition.name);
        output = addition.outputs[0] as string;
        bias = name;
      }
      const sum = this.onlyReader(output, isAddition);
      residual = sum && this.residualOf(sum, output, node);
      if (sum && residual !== undefined) {
        this.absorbed.add(sum.name);
        output = sum.outputs[0] as string;
      }
      const activation = this.onlyReader(output, isActivation);
      clip = activation && boundsOf(this.graph, activation);
      if (activation && clip) {
        this.absorbed.add(activation.name);
        output = activation.outputs[0] as string;
      }
    }
    const random = new Random(0); // nothing is random in inference
    const state = { convolutions: new ConvKernels(), random: () => random };
    return { node, operator, state, output, index: 0, product, bias, residual, clip };
  }

  steps(): Step[] {
    const steps: Omit<Step, 'last'>[] = [];
    for (const node of this.graph.nodes) {
      if (this.absorbed.has(node.name)) continue;
      const step = this.step(node);
      if (!step.operator.eachOutput) steps.push(step);
      else {
        node.outputs.forEach((output, index) => {
          if (output !== '') steps.push({ ...step, output, index });
        });
      }
    }
    const lastReader = new Map<string, number>();
    steps.forEach(({ node, residual, output }, index) => {
      for (const input of [...node.inputs, residual ?? '', output]) lastReader.set(input, index);
    });
    return steps.map((step, index) => ({
      ...step,
      last: [...lastReader].flatMap(([name, reader]) => (reader === index && !this.requested.has(name) ? [name] : [])),
    }));
  }
}

/** Throws GraphError naming a node that cannot run. `wanted`: values to be computed as they are, in no other's place. */
export function compileSteps(
  graph: Graph,
  types: ReadonlyMap<string, TensorType>,
  requested: ReadonlySet<string>,
): readonly Step[] {
  return new Compiler(graph, types, requested).steps();
}
