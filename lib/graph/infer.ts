// Shape inference: the type and shape of every value, from those of the inputs. Small constants are computed on the way,
// because Reshape, Pad and ReduceMean take their shapes and axes as values.
import { formatDims, type HostTensor, sizeOf } from '../tensor/host_tensor.js';
import { operatorOf } from './check.js';
import { compatible, type Dim, formatShape } from './dims.js';
import { GraphError } from './errors.js';
import type { Graph, GraphNode, TensorType, ValueInfo } from './graph.js';
import { outputTypes, runNode } from './operator.js';

/** Constants are followed while they may be shapes, axes or pads: short and int64. Weights are not computed with. */
const MAX_FOLLOWED_ELEMENTS = 1024;

export interface InferOptions {
  /** Shapes of inputs, by name, in place of those declared: `{ input: [8, 3, 32, 32] }`. */
  readonly inputs?: Readonly<Record<string, readonly Dim[]>>;
}

/** Every value's type: inputs, initializers and the outputs of nodes. Throws GraphError naming node or value. */
export function inferShapes(graph: Graph, options: InferOptions = {}): Map<string, TensorType> {
  const inference = new ShapeInference();
  for (const input of graph.inputs) inference.input(input, options.inputs?.[input.name]);
  for (const [name, tensor] of graph.initializers) inference.initializer(name, tensor);
  for (const node of graph.nodes) inference.node(node);
  for (const output of graph.outputs) checkOutput(output, inference.types.get(output.name));
  return inference.types;
}

/** Inference one node at a time, for graphs in the making. */
export class ShapeInference {
  readonly types = new Map<string, TensorType>();
  private readonly constants = new Map<string, HostTensor>();

  input(input: ValueInfo, dims?: readonly Dim[]): void {
    this.types.set(input.name, inputType(input, dims));
  }

  initializer(name: string, tensor: HostTensor): void {
    this.types.set(name, { dtype: tensor.dtype, dims: tensor.dims });
    this.constants.set(name, tensor);
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
    const small = (type: TensorType | undefined) => !type || sizeOf(type.dims.map(Number)) <= MAX_FOLLOWED_ELEMENTS;
    const allKnown = node.inputs.every((name, index) => name === '' || known[index]);
    if (allKnown && inputs.every(small) && outputs.every((type) => type.dtype === 'int64' && small(type))) {
      runNode(operator, node, known).forEach((value, index) => {
        this.constants.set(node.outputs[index] ?? '', value);
      });
    }
  }
}

function inputType(input: ValueInfo, given: readonly Dim[] | undefined): TensorType {
  const where = `input "${input.name}"`;
  if (!given && !input.dims) throw new GraphError(where, 'declares no shape; wanted one, or its dimensions given');
  const dims = given ?? (input.dims as readonly Dim[]);
  const declared = input.dims ?? dims;
  if (declared.length !== dims.length || !dims.every((dim, axis) => compatible(dim, declared[axis] as Dim))) {
    throw new GraphError(where, `wanted shape ${formatShape(declared)}, came ${formatShape(dims)}`);
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
    throw new GraphError(`output "${output.name}"`, `declared ${declared}, is ${type.dtype} ${formatDims(type.dims)}`);
  }
}
