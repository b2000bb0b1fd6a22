// Shared by Softmax and LogSoftmax: every line along one axis is read completely, then its elements are mapped.
import { sizeOf } from '../../core/shape.js';
import { type HostTensor, integers } from '../../tensor/host_tensor.js';
import { UNKNOWN } from '../dims.js';
import type { Upgrade } from '../facts.js';
import { type AttributeTable, type ForwardCall, floatData, floatOutput, required, resolveAxis } from '../operator.js';
import { numberOf } from './upgrades.js';

/** The output of `call`: `look` reads a line along its `axis` and gives the map of its elements. */
export function alongAxis<Table extends AttributeTable>(
  call: ForwardCall<Table> & { readonly attributes: { readonly axis: number } },
  look: (line: Float64Array) => (x: number) => number,
): HostTensor[] {
  const input = required(call.inputs, 0);
  const x = floatData(input, call.fail);
  const output = floatOutput(required(call.outputs, 0));
  const axis = resolveAxis(call.attributes.axis, input.dims.length, input.dims.length, call.fail);
  const line = new Float64Array(input.dims[axis] as number);
  const step = sizeOf(input.dims.slice(axis + 1));
  for (let outer = 0; outer < x.length; outer += line.length * step) {
    for (let start = outer; start < outer + step; start++) {
      for (let i = 0; i < line.length; i++) line[i] = x[start + i * step] as number;
      const map = look(line);
      for (let i = 0; i < line.length; i++) output.data[start + i * step] = map(line[i] as number);
    }
  }
  return [output];
}

/** To 12, everything from the axis on was one dimension: a matrix for the time, where more than one is not 1. */
export const onlyAxis: Upgrade = (node, call) => {
  if (call.opset >= 13) return node;
  const dims = call.shapeOf(node.inputs[0] ?? '');
  const from = numberOf(node, 'axis', 1);
  if (!dims) {
    // −1 is the last axis whatever the rank.
    return from === -1 ? node : call.refuse('before operator set 13: expected an input of known shape');
  }
  const axis = from < 0 ? from + dims.length : from;
  const joined = dims.includes(0) ? [] : dims.slice(axis).filter((dim) => dim !== 1); // no elements: any axis does
  if (joined.length > 1 || (joined.includes(UNKNOWN) && axis !== dims.length - 1)) {
    const sizes = dims.map((dim) => (typeof dim === 'number' ? dim : -1));
    if (sizes.filter((size) => size < 0).length > 1) {
      call.refuse(`before operator set 13: softmax over several open dimensions (axis ${from} of [${dims}])`);
    }
    const [flat, rows] = [`${node.name}.matrix`, `${node.name}.rows`];
    call.insert({ ...node, name: flat, operator: 'Flatten', outputs: [flat], attributes: { axis } });
    call.insert({ ...node, name: rows, inputs: [flat], outputs: [rows], attributes: { axis: 1 } });
    const shape = call.constant(node, 'shape', integers(sizes));
    return { ...node, operator: 'Reshape', inputs: [rows, shape], attributes: {} };
  }
  const last = dims.findIndex((dim, index) => index >= axis && dim !== 1);
  return { ...node, attributes: { ...node.attributes, axis: last < 0 ? axis : last } };
};
