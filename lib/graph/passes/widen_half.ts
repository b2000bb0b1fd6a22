// Half-precision models in float32: float16 and bfloat16 weights, inputs and casts become float32 of the same values, for
// that is what the interpreters compute in. Results differ from a half-precision runtime's by its rounding.
import type { HostTensor } from '../../tensor/host_tensor.js';
import { operatorOf } from '../check.js';
import { type AttributeValue, describeNode, type Graph, type GraphNode, type ValueInfo } from '../graph.js';
import { dtypeOfNumber, numberOfDtype } from '../onnx_types.js';
import type { PassResult, Rewrite } from './rewrite.js';

const isHalf = (dtype: string | undefined) => dtype === 'float16' || dtype === 'bfloat16';

export function widenHalf(graph: Graph): PassResult {
  const log: Rewrite[] = [];
  const widen = (tensor: HostTensor): HostTensor =>
    isHalf(tensor.dtype) ? ({ ...tensor, dtype: 'float32' } as HostTensor) : tensor; // held as float32 already
  const info = (value: ValueInfo): ValueInfo => (isHalf(value.dtype) ? { ...value, dtype: 'float32' } : value);
  const nodes = graph.nodes.map((node): GraphNode => {
    const attributes = Object.entries(node.attributes).map(([name, value]): [string, AttributeValue] => {
      if (typeof value === 'object' && 'dtype' in value) return [name, widen(value)];
      const isType = operatorOf(node).attributes[name]?.isType;
      return [name, isType && isHalf(dtypeOfNumber(value as number)) ? numberOfDtype('float32') : value];
    });
    if (attributes.every(([name, value]) => value === node.attributes[name])) return node;
    log.push({ pass: 'widenHalf', node: node.name, what: `${describeNode(node)} in float32` });
    return { ...node, attributes: Object.fromEntries(attributes) };
  });
  const halves = [...graph.initializers.values(), ...graph.inputs, ...graph.outputs].filter(({ dtype }) =>
    isHalf(dtype),
  );
  if (halves.length === 0 && log.length === 0) return { graph, log };
  const what = `${halves.length} weights, inputs and outputs of half precision are float32`;
  return {
    graph: graph.with({
      nodes,
      inputs: graph.inputs.map(info),
      outputs: graph.outputs.map(info),
      initializers: new Map([...graph.initializers].map(([name, tensor]) => [name, widen(tensor)])),
      values: new Map([...graph.values].map(([name, value]) => [name, info(value)])),
    }),
    log: [{ pass: 'widenHalf', node: '', what }, ...log],
  };
}
