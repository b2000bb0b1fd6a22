// Batch-norm folding: y = (Wx + b − mean) · f + bias with f = scale / √(var + epsilon) is a convolution (or matrix
// product) again, with W·f and (b − mean)·f + bias. Computed in float64, rounded once.
// It runs before bits are assigned, because the folded network is what would be deployed.
import { sizeOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { operatorOf } from '../check.js';
import type { ChannelAffine } from '../facts.js';
import { viewOf } from '../fusion.js';
import { describeNode, type Graph, type GraphNode } from '../graph.js';
import { type ProductView, productView, withOperands } from '../product.js';
import { type PassResult, type Rewrite, withNodes } from './rewrite.js';

/**
 * Folds every node that scales and shifts channels by constants (BatchNormalization in inference mode) and alone reads
 * the output of a product with constant weights, its rows first. The folded node keeps its name, and its weight and
 * bias keep theirs unless another node shares them.
 */
export function foldBatchNormalization(graph: Graph): PassResult {
  const weights = new Map(graph.initializers);
  const nodes = new Map<string, GraphNode>(graph.nodes.map((node) => [node.name, node]));
  const log: Rewrite[] = [];
  for (const norm of graph.nodes) {
    const folding = foldingOf(graph, norm);
    if (!folding) continue;
    const { target } = folding;
    nodes.set(target.name, { ...fold(graph, folding, weights), outputs: norm.outputs });
    nodes.delete(norm.name);
    const what = `${describeNode(norm)} folded into ${describeNode(target)}`;
    log.push({ pass: 'foldBatchNormalization', node: norm.name, what });
  }
  return { graph: log.length > 0 ? withNodes(graph, [...nodes.values()], weights) : graph, log };
}

/** The node that a node can be folded into, and its factors. */
interface Folding {
  readonly target: GraphNode;
  readonly product: ProductView;
  readonly affine: ChannelAffine;
}

function foldingOf(graph: Graph, norm: GraphNode): Folding | undefined {
  const { fusion } = operatorOf(norm);
  if (fusion === 'none' || fusion.as !== 'affine' || norm.outputs.length > 1) return undefined;
  const [value = ''] = norm.inputs;
  const target = graph.producer(value);
  if (!target || graph.consumers(value).length !== 1 || graph.isOutput(value)) return undefined;
  const product = productView(graph, target);
  const affine = product && fusion.affine(viewOf(graph, norm));
  if (!affine || !takesAffine(graph, product)) return undefined;
  const oneEach = [affine.center, affine.factor, affine.shift].every(({ length }) => length === product.channels);
  return oneEach ? { target, product, affine } : undefined;
}

/** Whether rows of the weight and a bias, both float32 constants, can take a factor and a shift. */
function takesAffine(graph: Graph, product: ProductView): boolean {
  const { outAxis, alpha, beta, weight, addend, addendInput, channels } = product;
  if (outAxis !== 0 || alpha !== 1 || beta !== 1 || addendInput === undefined) return false;
  const bias = graph.initializers.get(addend ?? '');
  const fits = addend === undefined || (bias?.dtype === 'float32' && sizeOf(bias.dims) === channels);
  return fits && graph.initializers.get(weight)?.dtype === 'float32';
}

function fold(graph: Graph, { target, product, affine }: Folding, weights: Map<string, HostTensor>): GraphNode {
  const { center, factor, shift } = affine;
  const { channels, depth } = product;
  const weight = weights.get(product.weight) as HostTensor<'float32'>;
  const oldBias = weights.get(product.addend ?? '')?.data as Float32Array | undefined;
  const newWeight = new Float32Array(weight.data.length);
  const newBias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const scale = factor[c] as number;
    newBias[c] = ((oldBias?.[c] ?? 0) - (center[c] as number)) * scale + (shift[c] as number);
    for (let i = c * depth; i < (c + 1) * depth; i++) newWeight[i] = (weight.data[i] as number) * scale;
  }
  const nameFor = (current: string, fallback: string) => {
    if (current !== '' && graph.consumers(current).length === 1 && !graph.isOutput(current)) return current;
    let name = fallback;
    while (weights.has(name) || graph.producer(name) || graph.inputs.some((value) => value.name === name)) name += '_';
    return name;
  };
  const weightTo = nameFor(product.weight, `${target.name}.weight`);
  weights.set(weightTo, { ...weight, data: newWeight });
  const biasTo = nameFor(product.addend ?? '', `${target.name}.bias`);
  weights.set(biasTo, { dtype: 'float32', dims: [channels], data: newBias });
  const inputs = withOperands(product, target.inputs, product.activation, weightTo);
  inputs[product.addendInput as number] = biasTo;
  return { ...target, inputs };
}
