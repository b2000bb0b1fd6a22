// What Softmax and LogSoftmax share: every line along one axis is looked at whole, then its elements are mapped.
import { sizeOf } from '../../core/shape.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { type AttributeTable, type ForwardCall, floatData, floatOutput, required, resolveAxis } from '../operator.js';

/** The output of `call`: `look` sees a line along its `axis` and gives the map of its elements. */
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
