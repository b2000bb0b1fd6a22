// Summary of a graph: every node with its output's shape, parameters and multiply-accumulates.

import { sizeOf } from '../core/shape.js';
import { isFloat } from '../tensor/dtype.js';
import { isQuantizable, operatorOf } from './check.js';
import type { Graph, TensorType, ValueInfo } from './graph.js';
import { inferShapes } from './infer.js';
import { attributesOf, isSetting, macsOf } from './operator.js';

/** One node. */
export interface NodeSummary {
  readonly name: string;
  readonly operator: string;
  /** Detail of this use of the operator: "3x3/2 g16". */
  readonly detail: string;
  readonly output: TensorType;
  /** Weights that training learns and no earlier node has (shared weights count once). */
  readonly parameters: number;
  /** Multiply-accumulates for one sample. */
  readonly macs: number;
  /** Whether a policy can assign bits: its operator can be quantized, and its weight is a constant. */
  readonly quantizable: boolean;
}

/** A network and its totals. */
export interface GraphSummary {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly NodeSummary[];
  readonly parameters: number;
  /** Bytes of all initializers. */
  readonly weightBytes: number;
  readonly macs: number;
}

/** Throws GraphError when shapes do not fit together. */
export function summarize(graph: Graph): GraphSummary {
  const types = inferShapes(graph);
  const counted = new Set<string>();
  const nodes = graph.nodes.map((node): NodeSummary => {
    const operator = operatorOf(node);
    const output = types.get(node.outputs[0] ?? '') as TensorType;
    const inputs = node.inputs.map((name) => types.get(name));
    let parameters = 0;
    node.inputs.forEach((name, index) => {
      const tensor = graph.initializers.get(name);
      if (!tensor || counted.has(name) || !isFloat(tensor.dtype) || isSetting(operator, index)) return;
      counted.add(name);
      parameters += sizeOf(tensor.dims);
    });
    return {
      name: node.name,
      operator: node.operator,
      detail: operator.detail === 'none' ? '' : operator.detail(attributesOf(operator, node), inputs),
      output,
      parameters,
      macs: macsOf(operator, node, inputs, output),
      quantizable: isQuantizable(graph, node),
    };
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const bytes = [...graph.initializers.values()].map(({ data }) => ('byteLength' in data ? data.byteLength : 0));
  return {
    name: graph.name,
    opset: graph.opset,
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes,
    parameters: sum(nodes.map((node) => node.parameters)),
    weightBytes: sum(bytes),
    macs: sum(nodes.map(({ macs }) => macs)),
  };
}
