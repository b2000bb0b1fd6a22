// Batch-norm folding: y = (Wx + b − mean) · f + bias with f = scale / √(var + epsilon) is a convolution (or matrix
// product) again, with W·f and (b − mean)·f + bias. Computed in float64, rounded once.
// What is quantized later is what would be deployed, so this runs before any bits are assigned.
import { sizeOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { operatorOf } from '../check.js';
import { describeNode, type Graph, type GraphNode } from '../graph.js';
import { attributesOf } from '../operator.js';
import { type PassResult, type Rewrite, withNodes } from './rewrite.js';

/**
 * Folds every BatchNormalization in inference mode that alone reads the output of a Conv or Gemm with constant weights.
 * The folded node keeps its name, and its weight and bias keep theirs unless another node shares them.
 */
export function foldBatchNormalization(graph: Graph): PassResult {
  const weights = new Map(graph.initializers);
  const nodes = new Map<string, GraphNode>(graph.nodes.map((node) => [node.name, node]));
  const log: Rewrite[] = [];
  for (const norm of graph.nodes) {
    const target = foldTarget(graph, norm);
    if (!target) continue;
    nodes.set(target.name, fold(graph, target, norm, weights));
    nodes.delete(norm.name);
    const what = `${describeNode(norm)} folded into ${describeNode(target)}`;
    log.push({ pass: 'foldBatchNormalization', node: norm.name, what });
  }
  return { graph: log.length > 0 ? withNodes(graph, [...nodes.values()], weights) : graph, log };
}

/** The node that `norm` can be folded into, if it is a BatchNormalization that can. */
function foldTarget(graph: Graph, norm: GraphNode): GraphNode | undefined {
  if (norm.operator !== 'BatchNormalization' || norm.outputs.length > 1) return undefined;
  if (attributesOf(operatorOf(norm), norm).training_mode) return undefined;
  const [value = '', ...parameters] = norm.inputs;
  const target = graph.producer(value);
  if (!target || graph.consumers(value).length !== 1 || graph.isOutput(value)) return undefined;
  const { transB, alpha, beta } = target.attributes;
  const plainGemm = target.operator === 'Gemm' && transB === 1 && (alpha ?? 1) === 1 && (beta ?? 1) === 1;
  if (target.operator !== 'Conv' && !plainGemm) return undefined;
  const constants = [...target.inputs.slice(1), ...parameters].filter((name) => name !== '');
  if (!constants.every((name) => graph.initializers.get(name)?.dtype === 'float32')) return undefined;
  const channels = graph.initializers.get(target.inputs[1] ?? '')?.dims[0] as number;
  const oneEach = constants.slice(1).every((name) => sizeOf(graph.initializers.get(name)?.dims ?? []) === channels);
  return oneEach ? target : undefined;
}

function fold(graph: Graph, target: GraphNode, norm: GraphNode, weights: Map<string, HostTensor>): GraphNode {
  const numbers = (name: string | undefined) => weights.get(name ?? '')?.data as Float32Array | undefined;
  const [scale, bias, mean, variance] = norm.inputs.slice(1).map(numbers) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const epsilon = attributesOf(operatorOf(norm), norm).epsilon as unknown as number;
  const [input = '', weightName = '', biasName = ''] = target.inputs;
  const weight = weights.get(weightName) as HostTensor<'float32'>;
  const oldBias = numbers(biasName);
  const channels = weight.dims[0] as number;
  const rowLength = weight.data.length / channels;
  const newWeight = new Float32Array(weight.data.length);
  const newBias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const factor = (scale[c] as number) / Math.sqrt((variance[c] as number) + epsilon);
    newBias[c] = ((oldBias?.[c] ?? 0) - (mean[c] as number)) * factor + (bias[c] as number);
    for (let i = c * rowLength; i < (c + 1) * rowLength; i++) newWeight[i] = (weight.data[i] as number) * factor;
  }
  const nameFor = (own: string, fallback: string) => {
    if (own !== '' && graph.consumers(own).length === 1 && !graph.isOutput(own)) return own;
    let name = fallback;
    while (weights.has(name) || graph.producer(name) || graph.inputs.some((value) => value.name === name)) name += '_';
    return name;
  };
  const weightTo = nameFor(weightName, `${target.name}.weight`);
  weights.set(weightTo, { ...weight, data: newWeight });
  const biasTo = nameFor(biasName, `${target.name}.bias`);
  weights.set(biasTo, { dtype: 'float32', dims: [channels], data: newBias });
  return { ...target, inputs: [input, weightTo, biasTo], outputs: norm.outputs };
}
