// Shape inference: the type and shape of every value, from those of the inputs. Small constants are computed too,
// because Reshape, Pad and ReduceMean take their shapes and axes as values.
import { sizeOf } from '../core/shape.js';
import { formatDims, type HostTensor } from '../tensor/host_tensor.js';
import { operatorOf } from './check.js';
import { compatible, type Dim, formatShape, sameDims, sizePerSample, UNKNOWN } from './dims.js';
import { GraphError } from './errors.js';
import type { Graph, GraphNode, TensorType, ValueInfo } from './graph.js';
import { attributesOf, outputTypes, runNode } from './operator.js';

/** Constants are followed while they may be shapes, axes or pads: short. Weights are not computed with. */
const MAX_FOLLOWED_ELEMENTS = 1024;

/** Facts beside the graph. */
export interface InferOptions {
  /** Shapes of inputs, by name, in place of those declared: `{ input: [8, 3, 32, 32] }`. */
  readonly inputs?: Readonly<Record<string, readonly Dim[]>>;
}

/** Facts about a graph's values before it runs. */
interface Inferred {
  /** Of every value: inputs, initializers and the outputs of nodes. */
  readonly types: ReadonlyMap<string, TensorType>;
  /** Values of nodes that do not depend on the contents of inputs: shapes and what is computed from them. */
  readonly known: ReadonlyMap<string, HostTensor>;
}

/** Every value's type. Throws GraphError naming node or value. */
export function inferShapes(graph: Graph, options: InferOptions = {}): ReadonlyMap<string, TensorType> {
  return inferValues(graph, options).types;
}

/** Elements for each sample of every value that a run has, inputs included; weights do not count. */
export function sampleSizes(graph: Graph): number[] {
  return [...inferShapes(graph)]
    .filter(([name]) => !graph.initializers.has(name))
    .map(([, { dims }]) => sizePerSample(dims));
}

/**
 * Types and known values. Names cannot follow a graph that computes with the shapes of its values: then numbers are
 * tried for the named dimensions of its inputs, and the results are compared.
 */
export function inferValues(graph: Graph, options: InferOptions = {}): Inferred {
  const inputs = graph.inputs.map((input) => ({ input, type: inputType(input, options.inputs?.[input.name]) }));
  const names = [...new Set(inputs.flatMap(({ type }) => type.dims.filter((dim) => typeof dim === 'string')))];
  const shaped = graph.nodes.some((node) => operatorOf(node).fromTypes !== 'none');
  if (names.length === 0 || !shaped) return inferOnce(graph, inputs, (dim) => dim);
  const places = new Map(names.map((name, place) => [name, place]));
  const tries = TRIED_SIZES.map((sizes) => {
    const size = (dim: Dim) =>
      typeof dim === 'string' ? (sizes[(places.get(dim) as number) % sizes.length] as number) : dim;
    try {
      return { size, ...inferOnce(graph, inputs, size) };
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      const tried = names.map((name) => `${name} = ${size(name)}`).join(', ');
      const hint = `with ${tried}; set the inputs' dimensions where the network does not accept every size`;
      throw new GraphError(error.where, `${error.what} (${hint})`);
    }
  });
  return unify(tries, names);
}

/** The inference for each set of input shapes of a program, computed once. */
export class InferredShapes {
  private readonly kept = new Map<string, Inferred>();
  /** Runs repeat. */
  private last: readonly (readonly number[] | undefined)[] = [];
  private inferred: Inferred | undefined;

  constructor(private readonly graph: Graph) {}

  /** For inputs of these shapes, by name. */
  of(feeds: Readonly<Record<string, { readonly dims: readonly number[] }>>): Inferred {
    const { inferred, last } = this;
    const repeats = this.graph.inputs.every(({ name }, index) => sameDims(last[index], feeds[name]?.dims));
    return inferred && repeats ? inferred : this.infer(feeds);
  }

  private infer(feeds: Readonly<Record<string, { readonly dims: readonly number[] }>>): Inferred {
    const inputs = Object.fromEntries(Object.entries(feeds).map(([name, { dims }]) => [name, dims]));
    const key = JSON.stringify(inputs);
    const inferred = this.kept.get(key) ?? inferValues(this.graph, { inputs });
    this.kept.set(key, inferred);
    this.inferred = inferred;
    this.last = this.graph.inputs.map(({ name }) => feeds[name]?.dims.slice());
    return inferred;
  }
}

/**
 * Numbers tried for named dimensions, a row for each try. One is special (it broadcasts), so it is first for all; what
 * is the same with all three rows counts as the same with any.
 */
const TRIED_SIZES = [
  [1, 1, 1, 1],
  [2, 3, 5, 7],
  [11, 13, 17, 19],
];

function inferOnce(
  graph: Graph,
  inputs: readonly { input: ValueInfo; type: TensorType }[],
  size: (dim: Dim) => Dim,
): Inferred {
  const inference = new ShapeInference();
  for (const { input, type } of inputs) inference.input(input, type.dims.map(size));
  for (const [name, tensor] of graph.initializers) inference.initializer(name, tensor);
  for (const node of graph.nodes) inference.node(node);
  for (const output of graph.outputs) checkOutput(output, inference.types.get(output.name));
  return { types: inference.types, known: inference.known };
}

type Try = Inferred & { size(dim: Dim): Dim };

function unify(tries: readonly Try[], names: readonly string[]): Inferred {
  const [first] = tries as [Try];
  const types = new Map<string, TensorType>();
  // Of names that got the same numbers, the first.
  const named = new Map([...names].reverse().map((name) => [String(tries.map(({ size }) => size(name))), name]));
  for (const [name, { dtype, dims }] of first.types) {
    const all = tries.map((one) => one.types.get(name)?.dims ?? []);
    if (all.some((other) => other.length !== dims.length)) throw new GraphError(name, 'its rank depends on its shape');
    const unified = dims.map((dim, axis): Dim => {
      if (all.every((other) => other[axis] === dim)) return dim;
      return named.get(String(all.map((other) => other[axis]))) ?? UNKNOWN;
    });
    types.set(name, { dtype, dims: unified });
  }
  const known = new Map<string, HostTensor>();
  for (const [name, value] of first.known) {
    const same = tries.every((one) => {
      const other = one.known.get(name);
      return other && String(other.dims) === String(value.dims) && equalData(other, value);
    });
    if (same) known.set(name, value);
  }
  return { types, known };
}

function equalData(a: HostTensor, b: HostTensor): boolean {
  const [left, right] = [a.data, b.data] as ArrayLike<unknown>[];
  return Array.from(left ?? []).every((value, index) => Object.is(value, right?.[index]));
}

/** Inference one node at a time, for graphs under construction. */
export class ShapeInference {
  readonly types = new Map<string, TensorType>();
  /** Inferred values of nodes so far. */
  readonly known = new Map<string, HostTensor>();
  /** Initializers that a network may learn: values computed from them are not inferred. */
  private readonly weights = new Set<string>();
  private readonly constants = new Map<string, HostTensor>();

  input(input: ValueInfo, dims?: readonly Dim[]): void {
    this.types.set(input.name, inputType(input, dims));
  }

  initializer(name: string, tensor: HostTensor): void {
    this.types.set(name, { dtype: tensor.dtype, dims: tensor.dims });
    this.constants.set(name, tensor);
    if (tensor.dtype === 'float32' && tensor.dims.length > 0) this.weights.add(name);
  }

  /** Adds the types of a node's outputs; those of its inputs are known. */
  node(node: GraphNode): void {
    const operator = operatorOf(node);
    const inputs = node.inputs.map((name) => this.types.get(name));
    const known = node.inputs.map((name) => this.constants.get(name));
    const outputs = outputTypes(operator, node, inputs, (index) => known[index]);
    node.outputs.forEach((name, index) => {
      const type = outputs[index];
      if (name !== '' && type) this.types.set(name, type);
    });
    const results = this.resultsOf(node, inputs, known, outputs);
    results?.forEach((value, index) => {
      const name = node.outputs[index];
      if (!name) return;
      this.constants.set(name, value);
      this.known.set(name, value);
    });
  }

  /** A node's outputs where they can be inferred and are short enough to be shapes, axes, indices. */
  private resultsOf(
    node: GraphNode,
    inputs: readonly (TensorType | undefined)[],
    known: readonly (HostTensor | undefined)[],
    outputs: readonly TensorType[],
  ): HostTensor[] | undefined {
    const operator = operatorOf(node);
    const small = (type: TensorType | undefined) => !type || sizeOf(type.dims.map(Number)) <= MAX_FOLLOWED_ELEMENTS;
    if (!outputs.every(small)) return undefined;
    if (operator.fromTypes !== 'none') {
      const value = operator.fromTypes(attributesOf(operator, node), inputs);
      return value && [value];
    }
    const inferable = node.inputs.every((name, index) => name === '' || (known[index] && !this.weights.has(name)));
    const constant = node.inputs.length === 0 && outputs.some(({ dtype }) => dtype === 'float32');
    return inferable && !constant && inputs.every(small) ? runNode(operator, node, known) : undefined;
  }
}

function inputType(input: ValueInfo, supplied: readonly Dim[] | undefined): TensorType {
  const where = `input "${input.name}"`;
  if (!supplied && !input.dims)
    throw new GraphError(where, 'expected a declared shape, or dimensions, received neither');
  const dims = supplied ?? (input.dims as readonly Dim[]);
  const declared = input.dims ?? dims;
  if (declared.length !== dims.length || !dims.every((dim, axis) => compatible(dim, declared[axis] as Dim))) {
    throw new GraphError(where, `expected shape ${formatShape(declared)}, received ${formatShape(dims)}`);
  }
  return { dtype: input.dtype, dims };
}

function checkOutput(output: ValueInfo, type: TensorType | undefined): void {
  const fits =
    type?.dtype === output.dtype &&
    (!output.dims ||
      (output.dims.length === type.dims.length && output.dims.every((dim, i) => compatible(dim, type.dims[i] as Dim))));
  if (!fits && type) {
    const declared = `${output.dtype} ${output.dims ? formatShape(output.dims) : ''}`.trimEnd();
    throw new GraphError(
      `output "${output.name}"`,
      `expected ${declared} as declared, received ${type.dtype} ${formatDims(type.dims)}`,
    );
  }
}
