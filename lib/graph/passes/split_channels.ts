// A product split by its input channels: some are multiplied by a separate node, whose result is added. In exact
// arithmetic nothing changes; quantized, the two parts have separate ranges, and may have different bits (the
// decomposition of LLM.int8(), Dettmers et al., arXiv 2208.07339).
import { sizeOf } from '../../core/shape.js';
import { floats, type HostTensor, integers } from '../../tensor/host_tensor.js';
import { GraphError } from '../errors.js';
import { describeNode, type Graph, type GraphNode } from '../graph.js';
import { productView, withOperands } from '../product.js';
import { type PassResult, type Rewrite, withNodes } from './rewrite.js';

/** The end of the names of the nodes that multiply the channels split off. */
export const APART = '/apart';

interface Axes {
  /** Of the channels in the activation and in the weight. */
  readonly activation: number;
  readonly weight: number;
}

/** Where a node's input channels are; undefined where they cannot be split. */
export function channelAxes(graph: Graph, node: GraphNode): Axes | undefined {
  const product = productView(graph, node);
  if (product?.groups !== 1 || product.transposed) return undefined;
  if (product.kind === 'matmul' && product.weightDims.length !== 2) return undefined;
  const floats = graph.initializers.get(product.weight)?.dtype === 'float32';
  return floats ? { activation: product.channelAxis, weight: product.inAxis } : undefined;
}

/** The slices of a tensor at these places of an axis. */
function sliced({ dims, data }: HostTensor, axis: number, places: readonly number[]): HostTensor {
  const size = dims[axis] as number;
  const inner = sizeOf(dims.slice(axis + 1));
  const outer = sizeOf(dims.slice(0, axis));
  const result = new Float32Array(outer * places.length * inner);
  for (let o = 0; o < outer; o++) {
    places.forEach((place, i) => {
      const from = (o * size + place) * inner;
      result.set((data as Float32Array).subarray(from, from + inner), (o * places.length + i) * inner);
    });
  }
  return floats([...dims.slice(0, axis), places.length, ...dims.slice(axis + 1)], result);
}

/**
 * Splits channels off the named nodes: the node keeps its name, its bias and the other channels; `NAME/apart`
 * has these. Throws GraphError for nodes that `channelAxes` has nothing for, and where no channel would be left.
 */
export function splitChannels(graph: Graph, apart: ReadonlyMap<string, readonly number[]>): PassResult {
  const initializers = new Map(graph.initializers);
  const log: Rewrite[] = [];
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    const channels = apart.get(node.name);
    if (!channels) return [node];
    const axes = channelAxes(graph, node);
    const view = productView(graph, node);
    const weight = graph.initializers.get(view?.weight ?? '');
    if (!axes || !view || !weight)
      throw new GraphError(describeNode(node), 'expected input channels that can be split, received none');
    const count = weight.dims[axes.weight] as number;
    const picks = new Set(channels);
    const others = Array.from({ length: count }, (_, i) => i).filter((channel) => !picks.has(channel));
    if (picks.size === 0 || others.length !== count - picks.size || others.length === 0) {
      throw new GraphError(
        describeNode(node),
        `expected 1 to ${count - 1} of its ${count} channels, received ${channels}`,
      );
    }
    const [output] = node.outputs as [string];
    const part = (name: string, places: readonly number[], result: string, inputs: readonly string[]): GraphNode[] => {
      const [picked, indices, factors] = [`${name}/x`, `${name}/channels`, `${name}/w`];
      initializers.set(indices, integers(places));
      initializers.set(factors, sliced(weight, axes.weight, places));
      const gather = { operator: 'Gather', inputs: [view.activation, indices], attributes: { axis: axes.activation } };
      return [
        { ...gather, name: picked, outputs: [picked] },
        { ...node, name, inputs: withOperands(view, inputs, picked, factors), outputs: [result] },
      ];
    };
    const [most, few] = [`${output}/others`, `${output}${APART}`];
    log.push({ pass: 'splitChannels', node: node.name, what: `channels ${channels.join(', ')} split off` });
    return [
      ...part(node.name, others, most, node.inputs),
      ...part(
        `${node.name}${APART}`,
        [...picks].sort((a, b) => a - b),
        few,
        node.inputs.filter((_, i) => i === view.activationInput || i === view.weightInput),
      ),
      { name: `${node.name}${APART}/add`, operator: 'Add', inputs: [most, few], outputs: [output], attributes: {} },
    ];
  });
  for (const name of apart.keys()) graph.node(name);
  return { graph: log.length > 0 ? withNodes(graph, nodes, initializers) : graph, log };
}
