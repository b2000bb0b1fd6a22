// The two shapes of elementwise operator: one input and a function, or two that broadcast against each other.
import { binary as floatBinary } from '../../autograd/ops/binary.js';
import { unary as floatUnary } from '../../autograd/ops/unary.js';
import type { BINARY, UNARY } from '../../native/float_addon.js';
import { allocate, isFloat } from '../../tensor/dtype.js';
import type { HostTensor } from '../../tensor/host_tensor.js';
import { broadcast, formatShape } from '../dims.js';
import { type Attributes, type AttributeTable, defineOperator, floatData, floatOutput, required } from '../operator.js';
import { broadcastOffsets } from './movement.js';

/** y = f(x), float; `prepare` reads the attributes once. */
export function unary<Table extends AttributeTable>(
  name: string,
  attributes: Table,
  prepare: (attributes: Attributes<Table>) => (x: number) => number,
  native: (attributes: Attributes<Table>) => { name: keyof typeof UNARY; p?: number; q?: number },
  since?: number,
) {
  return defineOperator({
    name,
    ...(since === undefined ? {} : { since }),
    attributes,
    inputs: [1, 1],
    outputs: [1, 1],
    shape: (call) => {
      const input = required(call.inputs, 0);
      if (!isFloat(input.dtype)) call.fail(`wanted floats, came ${input.dtype}`);
      return [input];
    },
    float: ({ tape, inputs, attributes }) => {
      const { name, p, q } = native(attributes as Attributes<Table>);
      return floatUnary(tape, name, required(inputs, 0), p, q);
    },
    forward: (call) => {
      const x = floatData(required(call.inputs, 0), call.fail);
      const y = floatOutput(required(call.outputs, 0));
      const f = prepare(call.attributes as Attributes<Table>);
      for (let i = 0; i < x.length; i++) y.data[i] = f(x[i] as number);
      return [y];
    },
  });
}

/** z = f(x, y) with broadcasting; integers wrap as their type does, and `exact` says how where a number would round. */
export function binary(
  name: string,
  native: Exclude<keyof typeof BINARY, 'addRelu'>,
  f: (x: number, y: number) => number,
  exact: (x: bigint, y: bigint) => bigint,
) {
  const wrapping = (x: number, y: number) => Number(BigInt.asIntN(32, exact(BigInt(x), BigInt(y))));
  return defineOperator({
    name,
    attributes: {},
    inputs: [2, 2],
    outputs: [1, 1],
    shape: (call) => {
      const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
      if (x.dtype !== y.dtype) call.fail(`wanted inputs of one type, came ${x.dtype} and ${y.dtype}`);
      if (x.dtype === 'string' || x.dtype === 'bool') call.fail(`wanted numbers, came ${x.dtype}`);
      const dims = broadcast(x.dims, y.dims);
      if (!dims) return call.fail(`shapes ${formatShape(x.dims)} and ${formatShape(y.dims)} do not broadcast`);
      return [{ dtype: x.dtype, dims }];
    },
    ...(native === 'add' ? { fuses: { relu: true as const } } : {}),
    float: ({ tape, inputs, relu }) => {
      return floatBinary(tape, relu ? 'addRelu' : native, required(inputs, 0), required(inputs, 1));
    },
    forward: (call) => {
      const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
      const { dtype, dims } = required(call.outputs, 0);
      const left = broadcastOffsets(x.dims, dims);
      const right = broadcastOffsets(y.dims, dims);
      const data = allocate(dtype, left.length);
      if (dtype === 'int64' || dtype === 'uint64') {
        const [a, b, out] = [x.data, y.data, data] as BigInt64Array[];
        for (let i = 0; i < left.length; i++) {
          (out as BigInt64Array)[i] = exact(
            (a as BigInt64Array)[left[i] as number] as bigint,
            (b as BigInt64Array)[right[i] as number] as bigint,
          );
        }
      } else {
        if (dtype === 'float16' || dtype === 'bfloat16') call.fail(`${dtype} arithmetic is not supported`);
        const [a, b, out] = [x.data, y.data, data] as [Float32Array, Float32Array, Float32Array];
        const g = dtype === 'int32' || dtype === 'uint32' ? wrapping : f;
        for (let i = 0; i < left.length; i++) {
          out[i] = g(a[left[i] as number] as number, b[right[i] as number] as number);
        }
      }
      return [{ dtype, dims, data } as HostTensor];
    },
  });
}
