// The shapes of elementwise operator: one input and a function, two that broadcast against each other, any number that do.
import { binary as floatBinary } from '../../autograd/ops/binary.js';
import { unary as floatUnary } from '../../autograd/ops/unary.js';
import type { BINARY, UNARY } from '../../native/codes.js';
import { DEVICE_UNARY } from '../../native/float_addon.js';
import { allocate, isFloat } from '../../tensor/dtype.js';
import { type HostTensor, integers } from '../../tensor/host_tensor.js';
import { broadcast, type Dim, formatShape } from '../dims.js';
import type { Upgrade } from '../facts.js';
import type { TensorType } from '../graph.js';
import {
  type Attributes,
  type AttributeTable,
  defineOperator,
  type FamilyAnswers,
  floatData,
  floatOutput,
  none,
  required,
  type ShapeCall,
  unknown,
  VARIADIC,
} from '../operator.js';
import { broadcastOffsets } from './movement.js';
import { numberOf, without } from './upgrades.js';

interface UnaryOptions extends FamilyAnswers {
  /** First operator set that has it. */
  readonly since?: number;
  readonly readout?: 'probability';
  /** The function for integers, where the operator takes them. */
  readonly integers?: (x: bigint) => bigint;
}

type Native<Table extends AttributeTable> = (attributes: Attributes<Table>) => {
  name: keyof typeof UNARY;
  p?: number;
  q?: number;
};

/** y = f(x); `prepare` reads the attributes once. Without `native` the reference computes it. */
export function unaryOperator<Table extends AttributeTable>(
  name: string,
  attributes: Table,
  prepare: (attributes: Attributes<Table>) => (x: number) => number,
  native?: Native<Table>,
  { since, readout, integers, ...answers }: UnaryOptions = {},
) {
  return defineOperator({
    name,
    ...(since === undefined ? {} : { since }),
    ...(readout === undefined ? {} : { readout }),
    attributes,
    inputs: [1, 1],
    outputs: [1, 1],
    ...none('product', 'macs', 'fuses', 'fusion'),
    ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
    ...unknown('channels', 'samples'),
    shape: (call) => {
      const input = required(call.inputs, 0);
      if (!isFloat(input.dtype) && (!integers || input.dtype === 'bool' || input.dtype === 'string')) {
        call.fail(`expected ${integers ? 'numbers' : 'floats'}, received ${input.dtype}`);
      }
      return [input];
    },
    float: native
      ? ({ tape, inputs, attributes }) => {
          const { name, p, q } = native(attributes as Attributes<Table>);
          return floatUnary(tape, name, required(inputs, 0), p, q);
        }
      : 'none',
    device: native
      ? {
          kind: 'unary',
          use: ({ attributes }) => {
            const { name, p, q } = native(attributes as Attributes<Table>);
            return DEVICE_UNARY.has(name) ? [name, p, q] : undefined;
          },
        }
      : 'none',
    forward: (call) => {
      const input = required(call.inputs, 0);
      if (integers && !isFloat(input.dtype)) return [mapIntegers(input, integers)];
      const x = floatData(input, call.fail);
      const y = floatOutput(required(call.outputs, 0));
      const f = prepare(call.attributes as Attributes<Table>);
      for (let i = 0; i < x.length; i++) y.data[i] = f(x[i] as number);
      return [y];
    },
    ...answers,
  });
}

function mapIntegers({ dtype, dims, data }: HostTensor, f: (x: bigint) => bigint): HostTensor {
  const from = data as unknown as ArrayLike<number | bigint>;
  const to = allocate(dtype, from.length) as unknown as (number | bigint)[];
  const wide = dtype === 'int64' || dtype === 'uint64';
  for (let i = 0; i < from.length; i++) {
    const value = f(BigInt(from[i] as number));
    to[i] = wide ? value : Number(value);
  }
  return { dtype, dims, data: to } as unknown as HostTensor;
}

/** The shape that inputs broadcast to; refuses inputs of several types. */
function broadcastType(call: Pick<ShapeCall, 'fail'>, x: TensorType, y: TensorType): Dim[] {
  if (x.dtype !== y.dtype) call.fail(`expected inputs of one type, received ${x.dtype} and ${y.dtype}`);
  return (
    broadcast(x.dims, y.dims) ?? call.fail(`shapes ${formatShape(x.dims)} and ${formatShape(y.dims)} do not broadcast`)
  );
}

function numbersOnly(call: Pick<ShapeCall, 'fail'>, { dtype }: TensorType): void {
  if (dtype === 'string' || dtype === 'bool') call.fail(`expected numbers, received ${dtype}`);
}

/** f over two tensors that broadcast; integers wrap as their type does. `rounds`: results need not be inputs. */
function combine(
  x: HostTensor,
  y: HostTensor,
  dims: readonly number[],
  f: (x: number, y: number) => number,
  exact: (x: bigint, y: bigint) => bigint,
  fail: (what: string) => never,
  rounds: boolean,
): HostTensor {
  const wrapping = (a: number, b: number) => Number(BigInt.asIntN(32, exact(BigInt(a), BigInt(b))));
  const { dtype } = x;
  const left = broadcastOffsets(x.dims, dims);
  const right = broadcastOffsets(y.dims, dims);
  const data = allocate(dtype, left.length);
  if (dtype === 'int64' || dtype === 'uint64') {
    const [a, b, out] = [x.data, y.data, data] as [BigInt64Array, BigInt64Array, BigInt64Array];
    for (let i = 0; i < left.length; i++) {
      out[i] = exact(a[left[i] as number] as bigint, b[right[i] as number] as bigint);
    }
  } else {
    if (rounds && (dtype === 'float16' || dtype === 'bfloat16')) fail(`${dtype} arithmetic is not supported`);
    const [a, b, out] = [x.data, y.data, data] as [Float32Array, Float32Array, Float32Array];
    const g = dtype === 'int32' || dtype === 'uint32' ? wrapping : f;
    for (let i = 0; i < left.length; i++) out[i] = g(a[left[i] as number] as number, b[right[i] as number] as number);
  }
  return { dtype, dims, data } as HostTensor;
}

/** Before 7: `broadcast` and the axis of the left side where the right side's first one goes. */
export const alignBroadcast: Upgrade = (node, call) => {
  if (call.opset >= 7) return node;
  const axis = node.attributes.axis as number | undefined;
  const plain = without(node, 'broadcast', 'axis', 'consumed_inputs');
  if (axis === undefined || !numberOf(node, 'broadcast', 0)) return plain;
  const [x = '', y = ''] = node.inputs;
  const [left, right] = [call.shapeOf(x), call.shapeOf(y)];
  if (!left || !right) return call.refuse('attribute axis: its inputs have no known shapes');
  const trailing = left.length - (axis < 0 ? axis + left.length : axis) - right.length;
  if (trailing === 0) return plain;
  if (trailing < 0 || right.some((dim) => typeof dim === 'string')) call.refuse('attribute axis does not fit');
  const dims = [...(right as number[]), ...new Array<number>(trailing).fill(1)];
  const value = `${node.name}.aligned`;
  const shape = call.constant(node, 'shape', integers(dims));
  call.insert({ name: value, operator: 'Reshape', inputs: [y, shape], outputs: [value], attributes: {} });
  return { ...plain, inputs: [x, value] };
};

/** z = f(x, y) with broadcasting; integers wrap as their type does, and `exact` computes them where a number would round. */
export function binaryOperator(
  name: string,
  native: Exclude<keyof typeof BINARY, 'addRelu'>,
  f: (x: number, y: number) => number,
  exact: (x: bigint, y: bigint) => bigint,
  answers: FamilyAnswers = {},
) {
  return defineOperator({
    name,
    attributes: {},
    inputs: [2, 2],
    outputs: [1, 1],
    ...none('product', 'macs', 'fuses', 'fusion'),
    ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
    ...unknown('channels', 'samples'),
    device: { kind: 'binary', name: native },
    upgrades: { [name]: alignBroadcast },
    shape: (call) => {
      const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
      const dims = broadcastType(call, x, y);
      numbersOnly(call, x);
      return [{ dtype: x.dtype, dims }];
    },
    float: ({ tape, inputs, relu }) => {
      return floatBinary(tape, relu ? 'addRelu' : native, required(inputs, 0), required(inputs, 1));
    },
    forward: (call) => {
      const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
      return [combine(x, y, required(call.outputs, 0).dims, f, exact, call.fail, true)];
    },
    ...answers,
  });
}

/** f over any number of inputs that broadcast, from the left to the right. */
export function variadic(
  name: string,
  native: 'add' | 'min' | 'max',
  f: (x: number, y: number) => number,
  exact: (x: bigint, y: bigint) => bigint,
) {
  return defineOperator({
    name,
    attributes: {},
    inputs: VARIADIC,
    outputs: [1, 1],
    ...none('product', 'macs', 'fuses', 'fusion'),
    ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
    ...unknown('channels', 'samples'),
    device: { kind: 'binary', name: native },
    shape: (call) => {
      const first = required(call.inputs, 0);
      numbersOnly(call, first);
      let { dims } = first;
      call.inputs.forEach((_, index) => {
        dims = broadcastType(call, { dtype: first.dtype, dims }, required(call.inputs, index));
      });
      return [{ dtype: first.dtype, dims }];
    },
    float: ({ tape, inputs }) => {
      const first = required(inputs, 0);
      if (inputs.length === 1) return tape.alias(first, first.dims, first.layout);
      let sum = first;
      for (let index = 1; index < inputs.length; index++) sum = floatBinary(tape, native, sum, required(inputs, index));
      return sum;
    },
    forward: (call) => {
      const { dims } = required(call.outputs, 0);
      const [first, ...rest] = call.inputs as readonly HostTensor[];
      const zero = required([first], 0);
      let result = rest.length === 0 ? zero : combineTo(zero, rest[0] as HostTensor);
      for (const next of rest.slice(1)) result = combineTo(result, next);
      return [{ ...result, dims }];

      function combineTo(x: HostTensor, y: HostTensor): HostTensor {
        return combine(x, y, broadcast(x.dims, y.dims) as number[], f, exact, call.fail, native === 'add');
      }
    },
  });
}

/** A predicate of two tensors of one type that broadcast: bool. */
export function comparison(name: string, f: (x: unknown, y: unknown) => boolean, accepts: 'any' | 'numbers' | 'bool') {
  return defineOperator({
    name,
    attributes: {},
    inputs: [2, 2],
    outputs: [1, 1],
    ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
    ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
    ...unknown('channels', 'samples'),
    shape: (call) => {
      const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
      const dims = broadcastType(call, x, y);
      if (accepts === 'numbers') numbersOnly(call, x);
      if (accepts === 'bool' && x.dtype !== 'bool') call.fail(`expected bool, received ${x.dtype}`);
      return [{ dtype: 'bool', dims }];
    },
    forward: (call) => {
      const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
      const { dims } = required(call.outputs, 0);
      const [left, right] = [broadcastOffsets(x.dims, dims), broadcastOffsets(y.dims, dims)];
      const [a, b] = [x.data, y.data] as ArrayLike<unknown>[];
      const data = new Uint8Array(left.length);
      for (let i = 0; i < data.length; i++) data[i] = Number(f(a?.[left[i] as number], b?.[right[i] as number]));
      return [{ dtype: 'bool', dims, data }];
    },
  });
}
