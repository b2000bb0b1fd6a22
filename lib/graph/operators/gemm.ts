// Gemm: y = alpha · A · B + beta · C, A and B transposed on request. A: [M, K], B: [K, N], C broadcasts to [M, N].
import { binary } from '../../autograd/ops/binary.js';
import { toRows } from '../../autograd/ops/layout.js';
import { matmul as floatMatmul } from '../../autograd/ops/matmul.js';
import { unary } from '../../autograd/ops/unary.js';
import { broadcast, compatible, formatShape, sizePerSample } from '../dims.js';
import { defineOperator, dimsOf, floatData, floatNumber, floatOutput, int, none, required } from '../operator.js';
import { giveUp, linear } from './channels.js';
import { broadcastOffsets } from './movement.js';
import { without } from './upgrades.js';

export const Gemm = defineOperator({
  name: 'Gemm',
  attributes: { alpha: floatNumber(1), beta: floatNumber(1), transA: int(0), transB: int(0) },
  inputs: [2, 3],
  outputs: [1, 1],
  ...none('fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'detail'),
  // to 6, C broadcast only with an attribute
  upgrades: { Gemm: (node) => without(node, 'broadcast') },
  samples: ({ transA }) => (transA === 0 ? 'alone' : 'unknown'),
  channels: (call) => {
    const x = call.slots(0);
    const { transA, transB } = call.attributes;
    if (transA || x?.axis === 0) return giveUp(call, x, call.slots(1), call.slots(2));
    giveUp(call, call.slots(1), call.slots(2));
    return linear(call, x, transB ? 0 : 1, transB ? 1 : 0, 1);
  },
  product: {
    activation: 0,
    weight: 1,
    addend: 2,
    takes: () => true,
    form: ({ alpha, beta, transA, transB }) => {
      const axes = { outAxis: transB ? 0 : 1, inAxis: transB ? 1 : 0, channelAxis: transA ? 0 : 1 };
      return { kind: 'matmul', ...axes, groups: 1, strides: [], alpha, beta, transposed: transA !== 0 };
    },
    window: 'none',
  },
  shape: (call) => {
    const { transA, transB } = call.attributes;
    const [a, b] = [dimsOf(call, 0, 'a matrix A', 2), dimsOf(call, 1, 'a matrix B', 2)];
    const [m, k] = transA ? [a[1], a[0]] : [a[0], a[1]];
    const [k2, n] = transB ? [b[1], b[0]] : [b[0], b[1]];
    const shapes = `A: ${formatShape(a)}, transA ${transA}, B: ${formatShape(b)}, transB ${transB}`;
    if (!compatible(k as number, k2 as number)) call.fail(`A has ${k} columns, B has ${k2} rows (${shapes})`);
    const dims = [m as number, n as number];
    const c = call.inputs[2];
    const joined = c && broadcast(c.dims, dims);
    if (c && (joined?.length !== 2 || !joined.every((dim, axis) => compatible(dim, dims[axis] as number)))) {
      call.fail(`C of shape ${formatShape(c.dims)} does not broadcast to ${formatShape(dims)} (${shapes})`);
    }
    return [{ dtype: required(call.inputs, 0).dtype, dims }];
  },
  macs: ({ transA }, inputs, output) => {
    const a = required(inputs, 0).dims;
    return sizePerSample(output.dims) * sizePerSample([a[transA ? 0 : 1] as number]);
  },
  float: ({ tape, inputs, attributes }) => {
    const { alpha, beta } = attributes;
    const [a, b] = [toRows(tape, required(inputs, 0)), toRows(tape, required(inputs, 1))];
    const c = inputs[2];
    if (a.size === 0 || b.size === 0) return undefined;
    const options = { transA: attributes.transA !== 0, transB: attributes.transB !== 0 };
    const n = b.dims[options.transB ? 0 : 1];
    if (alpha === 1 && beta === 1 && c?.dims.length === 1 && c.dims[0] === n) {
      return floatMatmul(tape, a, b, { ...options, bias: c });
    }
    const product = floatMatmul(tape, a, b, options);
    const scaled = alpha === 1 ? product : unary(tape, 'scale', product, alpha);
    if (!c) return scaled;
    return binary(tape, 'add', scaled, beta === 1 ? c : unary(tape, 'scale', c, beta));
  },
  forward: (call) => {
    const { alpha, beta, transA, transB } = call.attributes;
    const [left, right] = [required(call.inputs, 0), required(call.inputs, 1)];
    const a = floatData(left, call.fail);
    const b = floatData(right, call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const [m, n] = output.dims as [number, number];
    const k = left.dims[transA ? 0 : 1] as number;
    const [aRow, aStep] = transA ? [1, m] : [k, 1];
    const [bColumn, bStep] = transB ? [k, 1] : [1, n];
    const c = call.inputs[2] && floatData(call.inputs[2], call.fail);
    const cOffsets = call.inputs[2] && broadcastOffsets(call.inputs[2].dims, output.dims);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) {
          sum += (a[i * aRow + l * aStep] as number) * (b[j * bColumn + l * bStep] as number);
        }
        const at = i * n + j;
        output.data[at] = alpha * sum + (c && cOffsets ? beta * (c[cOffsets[at] as number] as number) : 0);
      }
    }
    return [output];
  },
});
