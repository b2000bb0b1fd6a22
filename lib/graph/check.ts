// Checks a node's operator, attributes and numbers of inputs and outputs, and whether it can be quantized.
import type { HostTensor } from '../tensor/host_tensor.js';
import { GraphError } from './errors.js';
import { type AttributeValue, describeNode, type Graph, type GraphNode } from './graph.js';
import type { AttributeKind, Operator } from './operator.js';
import * as operators from './operators/index.js';

/** Every supported operator, by its ONNX name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.values(operators).map((operator) => [operator.name, operator]),
);

/** Versions of ONNX's operator set that graphs are read, built and written in. */
export const FIRST_OPSET = 13;
export const LAST_OPSET = 26;

/** Versions of the file format released with each operator set, 13 first: readers of that age accept the pair. */
const IR_VERSIONS = [7, 7, 8, 8, 8, 8, 9, 9, 10, 10, 11, 12, 13, 13];

export function irVersionOf(opset: number): number {
  return IR_VERSIONS[opset - FIRST_OPSET] as number;
}

/** An operator of more inputs than this takes any number of them, and then none can be left out. */
const MOST_NAMED_INPUTS = 16;

const isNumber = (value: unknown) => typeof value === 'number';
const isString = (value: unknown) => typeof value === 'string';
const HOLDS: Readonly<Record<AttributeKind, (value: AttributeValue) => boolean>> = {
  int: Number.isSafeInteger,
  float: isNumber,
  string: isString,
  ints: (value) => Array.isArray(value) && value.every(Number.isSafeInteger),
  floats: (value) => Array.isArray(value) && value.every(isNumber),
  strings: (value) => Array.isArray(value) && value.every(isString),
  tensor: (value) => typeof value === 'object' && 'dtype' in (value as HostTensor),
};

function checkCount(what: string, values: readonly string[], [least, most]: readonly [number, number]) {
  if (values.length < least || values.length > most || values.slice(0, least).includes('')) {
    const expected = least === most ? least : `${least} to ${most}`;
    return `expected ${expected} ${what}, received ${values.filter((value) => value !== '').length}`;
  }
  return undefined;
}

/** The error where an operator set does not have an attribute or input. */
function outsideSpan(operator: Operator, what: string | number, opset: number): string | undefined {
  const { since = 0, until = LAST_OPSET } = operator.spans?.[what] ?? {};
  if (opset < since) return `expected operator set ${since} or later, received ${opset}`;
  if (opset > until) return `expected operator set ${until} or earlier, received ${opset}`;
  return undefined;
}

/** The error of a node; undefined when it is valid. */
export function nodeProblem(node: GraphNode, opset: number): string | undefined {
  const operator = OPERATORS.get(node.operator);
  if (!operator) return 'unknown operator';
  if (operator.since !== undefined && operator.since > opset) {
    return `expected operator set ${operator.since} or later, received ${opset}`;
  }
  for (const [name, value] of Object.entries(node.attributes)) {
    const spec = Object.hasOwn(operator.attributes, name) ? operator.attributes[name] : undefined;
    if (!spec) return `attribute ${name} is not supported`;
    if (!HOLDS[spec.kind](value)) return `attribute ${name}: expected ${spec.kind}`;
    const outside = outsideSpan(operator, name, opset);
    if (outside) return `attribute ${name}: ${outside}`;
  }
  for (const [index, input] of node.inputs.entries()) {
    const outside = input !== '' && outsideSpan(operator, index, opset);
    if (outside) return `input ${index}: ${outside}`;
  }
  const variadicGap =
    operator.inputs[1] > MOST_NAMED_INPUTS && node.inputs.includes('') ? 'an input is left out' : undefined;
  return (
    checkCount('inputs', node.inputs, operator.inputs) ??
    checkCount('outputs', node.outputs, operator.outputs) ??
    variadicGap
  );
}

/** The operator of a node that belongs to a graph. Throws GraphError when it is unsupported. */
export function operatorOf(node: GraphNode): Operator {
  const operator = OPERATORS.get(node.operator);
  if (!operator) throw new GraphError(describeNode(node), 'unknown operator');
  return operator;
}

/** Whether the node reads no value: its value is in the file. */
export function isLiteral(node: GraphNode): boolean {
  return operatorOf(node).inputs[1] === 0;
}

/** Whether a policy can assign bits to the node: its operator can be quantized, and its weight is a float32 constant. */
export function isQuantizable(graph: Graph, node: GraphNode): boolean {
  const { product } = operatorOf(node);
  if (product === 'none') return false;
  const weight = graph.initializers.get(node.inputs[product.weight] ?? '');
  return weight?.dtype === 'float32' && product.takes(weight.dims);
}

/** The nodes that a policy assigns bits to, in order. */
export function quantizableNodes(graph: Graph): GraphNode[] {
  return graph.nodes.filter((node) => isQuantizable(graph, node));
}
