// MatMul: numpy's. The last two dimensions multiply, those before them broadcast; a vector is a row or a column.
import { toRows } from '../../autograd/ops/layout.js';
import { matmul as floatMatmul } from '../../autograd/ops/matmul.js';
import { expand, reshape } from '../../autograd/ops/movement.js';
import { sizeOf } from '../../core/shape.js';
import { broadcast, compatible, type Dim, formatShape, sizePerSample } from '../dims.js';
import { defineOperator, floatData, floatOutput, none, required, unknown } from '../operator.js';
import { giveUp, linear } from './channels.js';
import { broadcastOffsets } from './movement.js';

export const MatMul = defineOperator({
  name: 'MatMul',
  attributes: {},
  inputs: [2, 2],
  outputs: [1, 1],
  ...none('fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('samples'),
  channels: (call) => {
    const x = call.slots(0);
    const rank = call.dims(0).length;
    const plain = rank > 1 && call.dims(1).length === 2 && (!x || x.axis === rank - 1);
    return plain ? linear(call, x, 1, 0, rank - 1) : giveUp(call, x, call.slots(1));
  },
  product: {
    activation: 0,
    weight: 1,
    addend: 'none',
    takes: (dims) => sizeOf(dims.slice(0, -2)) === 1,
    form: (_attributes, { length: rank }) => {
      const axes = { outAxis: rank === 1 ? undefined : rank - 1, inAxis: Math.max(rank - 2, 0), channelAxis: -1 };
      return { kind: 'matmul', ...axes, groups: 1, strides: [], alpha: 1, beta: 1, transposed: false };
    },
    window: 'none',
  },
  shape: (call) => {
    const [x, y] = [required(call.inputs, 0), required(call.inputs, 1)];
    const shapes = `${formatShape(x.dims)} and ${formatShape(y.dims)}`;
    if (x.dims.length === 0 || y.dims.length === 0) call.fail(`expected no scalars, received ${shapes}`);
    const { batchX, batchY, m, n, k, k2 } = split<Dim>(x.dims, y.dims);
    const batch = broadcast(batchX, batchY);
    if (!batch || !compatible(k, k2)) return call.fail(`shapes ${shapes} do not multiply`);
    const dims = [...batch];
    if (x.dims.length > 1) dims.push(m);
    if (y.dims.length > 1) dims.push(n);
    return [{ dtype: x.dtype, dims }];
  },
  macs: (_attributes, inputs, output) => {
    return sizePerSample(output.dims) * sizePerSample(required(inputs, 0).dims.slice(-1));
  },
  float: ({ tape, inputs, dims }) => {
    const [x, y] = [toRows(tape, required(inputs, 0)), toRows(tape, required(inputs, 1))];
    const { batchX, batchY, m, n, k } = split(x.dims, y.dims);
    if (x.size === 0 || y.size === 0) return undefined;
    if (batchY.length === 0) {
      // One matrix on the right: all rows at once.
      const rows = x.size / k;
      return reshape(tape, floatMatmul(tape, reshape(tape, x, [rows, k]), reshape(tape, y, [k, n])), dims);
    }
    const batch = broadcast(batchX, batchY) as number[];
    const count = batch.reduce((product, size) => product * size, 1);
    const a = reshape(tape, expand(tape, reshape(tape, x, [...batchX, m, k]), [...batch, m, k]), [count, m, k]);
    const b = reshape(tape, expand(tape, reshape(tape, y, [...batchY, k, n]), [...batch, k, n]), [count, k, n]);
    return reshape(tape, floatMatmul(tape, a, b), dims);
  },
  forward: (call) => {
    const [left, right] = [required(call.inputs, 0), required(call.inputs, 1)];
    const x = floatData(left, call.fail);
    const y = floatData(right, call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const { batchX, batchY, m, n, k } = split(left.dims, right.dims);
    const batch = broadcast(batchX, batchY) as number[];
    const matricesX = broadcastOffsets(batchX, batch);
    const matricesY = broadcastOffsets(batchY, batch);
    for (let matrix = 0; matrix < matricesX.length; matrix++) {
      const startX = (matricesX[matrix] as number) * m * k;
      const startY = (matricesY[matrix] as number) * k * n;
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++) sum += (x[startX + i * k + l] as number) * (y[startY + l * n + j] as number);
          output.data[(matrix * m + i) * n + j] = sum;
        }
      }
    }
    return [output];
  },
});

/** [batch…, m, k] · [batch…, k2, n]; a vector's missing dimension is 1. */
function split<Size>(x: readonly Size[], y: readonly Size[]) {
  const [rows, columns] = [x.length === 1 ? [1 as Size, ...x] : x, y.length === 1 ? [...y, 1 as Size] : y];
  return {
    batchX: rows.slice(0, -2),
    batchY: columns.slice(0, -2),
    m: rows.at(-2) as Size,
    k: rows.at(-1) as Size,
    k2: columns.at(-2) as Size,
    n: columns.at(-1) as Size,
  };
}
