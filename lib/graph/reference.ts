// The reference interpreter: a graph run node by node with the operators' plain forward. Slow and readable; the other
// interpreters are tested against it, and it is tested against ONNX's own suite and onnxruntime.
import type { HostTensor } from '../tensor/host_tensor.js';
import { operatorOf } from './check.js';
import { compatible, formatShape } from './dims.js';
import { GraphError } from './errors.js';
import type { Graph } from './graph.js';
import { runNode } from './operator.js';

/** Options of a run. */
export interface ReferenceOptions {
  /** Values to return beside the outputs. */
  readonly keep?: readonly string[];
}

/** The outputs of a graph for these inputs. Throws GraphError naming the input or node concerned. */
export function runReference(
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
  options: ReferenceOptions = {},
): Map<string, HostTensor> {
  const values = new Map<string, HostTensor>(graph.initializers);
  for (const { name, dtype, dims } of graph.inputs) {
    const value = feeds[name];
    if (!value) throw new GraphError(`input "${name}"`, 'expected a tensor, received none');
    const fits =
      !dims || (dims.length === value.dims.length && value.dims.every((dim, i) => compatible(dim, dims[i] ?? 0)));
    if (value.dtype !== dtype || !fits) {
      const expected = `${dtype} ${dims ? formatShape(dims) : ''}`.trimEnd();
      throw new GraphError(
        `input "${name}"`,
        `expected ${expected}, received ${value.dtype} ${formatShape(value.dims)}`,
      );
    }
    values.set(name, value);
  }
  const requested = new Set([...graph.outputs.map(({ name }) => name), ...(options.keep ?? [])]);
  for (const node of graph.nodes) {
    const outputs = runNode(
      operatorOf(node),
      node,
      node.inputs.map((name) => values.get(name)),
    );
    outputs.forEach((value, index) => {
      const name = node.outputs[index];
      if (name) values.set(name, value);
    });
    for (const name of node.inputs) {
      if (!requested.has(name) && graph.consumers(name).at(-1) === node) values.delete(name);
    }
  }
  return new Map([...requested].map((name) => [name, values.get(name) as HostTensor]));
}
