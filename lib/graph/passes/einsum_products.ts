// An Einsum of a value and a constant that is a product of matrices becomes a MatMul of the same name, which a policy can
// give bits; transpositions and reshapes around it put the axes where the equation has them.
import { sizeOf } from '../../core/shape.js';
import { type HostTensor, integers } from '../../tensor/host_tensor.js';
import { GraphError } from '../errors.js';
import { describeNode, type Graph, type GraphNode } from '../graph.js';
import { inferShapes } from '../infer.js';
import { runNode } from '../operator.js';
import { Einsum, type Equation, matrixLabels, parseEquation } from '../operators/einsum.js';
import { Transpose } from '../operators/transpose.js';
import { type PassResult, type Rewrite, withNodes } from './rewrite.js';

/** Throws GraphError as shape inference would. */
export function einsumProducts(graph: Graph): PassResult {
  const constants = new Map<string, HostTensor>(graph.initializers);
  const log: Rewrite[] = [];
  if (!graph.nodes.some(({ operator }) => operator === Einsum.name)) return { graph, log };
  let types: ReturnType<typeof inferShapes> | undefined;
  /** As many axes as labels, where no ellipsis stands for some. */
  const ranksOf = ({ inputs, attributes }: GraphNode) => {
    const terms = String(attributes.equation).replaceAll(' ', '').split('->')[0]?.split(',') ?? [];
    if (!terms.some((term) => term.includes('.'))) return terms.map(({ length }) => length);
    types ??= inferShapes(graph);
    return inputs.map((name) => types?.get(name)?.dims.length ?? 0);
  };
  const nodes = graph.nodes.flatMap((node) => {
    const product = node.operator === Einsum.name && productOf(node, ranksOf(node), constants);
    if (!product) return [node];
    log.push({ pass: 'einsumProducts', node: node.name, what: `${describeNode(node)} is a MatMul now` });
    return product;
  });
  return { graph: log.length > 0 ? withNodes(graph, nodes, constants) : graph, log };
}

const isIdentity = (order: readonly number[]) => order.every((axis, index) => axis === index);

function productOf(
  node: GraphNode,
  ranks: readonly number[],
  constants: Map<string, HostTensor>,
): GraphNode[] | undefined {
  const at = node.inputs.findIndex((name) => constants.get(name)?.dtype === 'float32');
  const weight = constants.get(node.inputs[at] ?? '');
  if (node.inputs.length !== 2 || !weight || constants.has(node.inputs[1 - at] as string)) return undefined;
  const equation = parseEquation(String(node.attributes.equation), ranks, (what) => {
    throw new GraphError(describeNode(node), what);
  });
  const [ofX, ofW] = [equation.operands[1 - at], equation.operands[at]] as [readonly string[], readonly string[]];
  const labels = matrixLabels({ operands: [ofX, ofW], output: equation.output } satisfies Equation);
  const size = (label: string) => weight.dims[ofW.indexOf(label)] as number;
  if (!labels || labels.batch.length > 0 || labels.summed.length === 0) return undefined;
  if (labels.summed.some((label) => size(label) <= 1)) return undefined; // it broadcasts, or there is nothing to multiply
  const rows = ofX.filter((label) => labels.rows.includes(label));
  const { columns, summed } = labels;
  const depth = sizeOf(summed.map(size));
  const nodes: GraphNode[] = [];
  let [value = ''] = node.inputs.slice(1 - at);
  const add = (part: string, operator: string, attributes: GraphNode['attributes'], more: string[] = []) => {
    const name = part === '' ? node.name : `${node.name}.${part}`;
    nodes.push({ name, operator, inputs: [value, ...more], outputs: [`${name}/y`], attributes });
    value = `${name}/y`;
  };
  const constant = (part: string, tensor: HostTensor): string => {
    let name = `${node.name}.${part}`;
    while (constants.has(name)) name += '_';
    constants.set(name, tensor);
    return name;
  };
  const shape = (part: string, dims: readonly number[]) => constant(part, integers([...rows.map(() => 0), ...dims]));
  const entering = [...rows, ...summed].map((label) => ofX.indexOf(label));
  if (!isIdentity(entering)) add('rows', 'Transpose', { perm: entering });
  if (summed.length > 1) add('joined', 'Reshape', {}, [shape('depth', [depth])]);
  const turn = { name: node.name, operator: 'Transpose', inputs: [''], outputs: [''] };
  const perm = [...summed, ...columns].map((label) => ofW.indexOf(label));
  const [turned] = runNode(Transpose, { ...turn, attributes: { perm } }, [weight]);
  const matrix = columns.length === 0 ? [depth] : [depth, sizeOf(columns.map(size))];
  add('', 'MatMul', {}, [constant('weight', { ...(turned as HostTensor), dims: matrix } as HostTensor)]);
  if (columns.length > 1) add('split', 'Reshape', {}, [shape('columns', columns.map(size))]);
  const made = [...rows, ...columns];
  const leaving = equation.output.map((label) => made.indexOf(label));
  if (!isIdentity(leaving)) add('order', 'Transpose', { perm: leaving });
  const last = nodes.pop() as GraphNode;
  return [...nodes, { ...last, outputs: node.outputs }];
}
