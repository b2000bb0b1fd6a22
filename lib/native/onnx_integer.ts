// ONNX MatMulInteger, QLinearMatMul, ConvInteger and QLinearConv, with ONNX's argument names.
//
// Accumulators are exact. The codes of the QLinear operators are
//   y = saturate(round(float(accumulator + bias) · fl(fl(a_scale · b_scale) / y_scale)) + y_zero_point)
// in fp32, half to even, which is the arithmetic of ONNX Runtime too.

import { InvalidArgumentError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { addon, type NativeMatmul } from './addon.js';
import { type ConvAttributes, onnxConvGeometry } from './onnx_conv_geometry.js';
import { columnValues, type MatmulPlan, planMatmul, rowValues } from './onnx_matmul_plan.js';
import {
  BYTES,
  int32s,
  PackedOperand,
  packConvolution,
  packMatrices,
  perChannelValues,
  withPacked,
} from './onnx_operand.js';
import {
  type ByteTensor,
  type OnnxTensor,
  onnxTensor,
  requireScalar,
  requireTensor,
  requireZeroPoint,
} from './onnx_tensor.js';

function requireOperand(operation: string, argument: string, operand: ByteTensor | PackedOperand): void {
  if (!(operand instanceof PackedOperand)) requireTensor(operation, argument, operand, BYTES);
}

/** The arguments that both products begin with. */
function matmulArguments(
  operation: string,
  plan: MatmulPlan,
  a: ByteTensor,
  aZero: ByteTensor | undefined,
  b: PackedOperand,
): NativeMatmul {
  requireZeroPoint(operation, 'a_zero_point', aZero, a);
  const rows = aZero && rowValues(operation, 'a_zero_point', aZero, plan.aShape);
  return [a.data, plan.aBatches, plan.m, int32s(rows), b.handle, plan.products];
}

/**
 * Y = (A − a_zero_point) · (B − b_zero_point), in int32, with the batch rules of numpy.matmul.
 *
 * a_zero_point: scalar, [M], or [..., M, 1] with the batch of A. b_zero_point: scalar, [N], or [..., 1, N]. A B that
 * serves many calls is best packed once (packB), with its zero points.
 * Throws InvalidArgumentError on shapes and types that do not fit, and on a K whose sums could leave int32.
 */
export function matMulInteger(inputs: {
  readonly A: ByteTensor;
  readonly B: ByteTensor | PackedOperand;
  readonly a_zero_point?: ByteTensor | undefined;
  readonly b_zero_point?: ByteTensor | undefined;
}): OnnxTensor<'int32'> {
  const operation = 'matMulInteger';
  const { A, B, a_zero_point, b_zero_point } = inputs;
  requireTensor(operation, 'A', A, BYTES);
  requireOperand(operation, 'B', B);
  const plan = planMatmul(operation, ['A', 'B'], A.dims, B.dims);
  const y = onnxTensor('int32', plan.dims);
  const pack = (tensor: ByteTensor) => packMatrices(operation, tensor, b_zero_point);
  withPacked(operation, 'B', B, 'matrices', b_zero_point, pack, (packed) => {
    addon.matMulInteger(...matmulArguments(operation, plan, A, a_zero_point, packed), y.data);
  });
  return y;
}

/** Parameters of each row of the output; when every one is a scalar, of all rows at once. */
function outputRows(
  plan: MatmulPlan,
  a: readonly ArrayLike<number>[],
  y: readonly ArrayLike<number>[],
): (readonly number[])[] {
  const all = [...a, ...y];
  if (all.every((values) => values.length === 1)) return all.map((values) => [values[0] as number]);
  const batches = plan.products.length / 3;
  return all.map((values, which) => {
    const rows = new Array<number>(batches * plan.m);
    for (let i = 0; i < plan.products.length; i += 3) {
      const to = plan.products[i] as number;
      const from = which < a.length ? (plan.products[i + 1] as number) : to;
      for (let r = 0; r < plan.m; r++) {
        rows[to * plan.m + r] = values[values.length === 1 ? 0 : from * plan.m + r] as number;
      }
    }
    return rows;
  });
}

/**
 * Y, quantized with y_scale and y_zero_point, of the product of two quantized tensors; the type of y is that of
 * y_zero_point. Parameters of a and y: scalar or per row, of b: scalar or per column, shaped as in matMulInteger.
 *
 * Throws InvalidArgumentError as matMulInteger does, and on scales that are 0 or not finite.
 */
export function qLinearMatMul<Y extends 'uint8' | 'int8'>(inputs: {
  readonly a: ByteTensor;
  readonly a_scale: OnnxTensor<'float32'>;
  readonly a_zero_point: ByteTensor;
  readonly b: ByteTensor | PackedOperand;
  readonly b_scale: OnnxTensor<'float32'>;
  /** Absent with a packed b. */
  readonly b_zero_point?: ByteTensor | undefined;
  readonly y_scale: OnnxTensor<'float32'>;
  readonly y_zero_point: OnnxTensor<Y>;
}): OnnxTensor<Y> {
  const operation = 'qLinearMatMul';
  const { a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point } = inputs;
  requireTensor(operation, 'a', a, BYTES);
  requireOperand(operation, 'b', b);
  if (!(b instanceof PackedOperand)) requireTensor(operation, 'b_zero_point', b_zero_point, [b.dtype]);
  requireTensor(operation, 'a_scale', a_scale, ['float32']);
  requireTensor(operation, 'b_scale', b_scale, ['float32']);
  requireTensor(operation, 'y_scale', y_scale, ['float32']);
  requireTensor(operation, 'y_zero_point', y_zero_point, BYTES);
  const plan = planMatmul(operation, ['a', 'b'], a.dims, b.dims);
  const [aScale, yScale, yZero] = outputRows(
    plan,
    [rowValues(operation, 'a_scale', a_scale, plan.aShape)],
    [
      rowValues(operation, 'y_scale', y_scale, plan.yShape),
      rowValues(operation, 'y_zero_point', y_zero_point, plan.yShape),
    ],
  ) as [number[], number[], number[]];
  const columns = columnValues(operation, 'b_scale', b_scale, plan.bShape);
  const bScale =
    columns.length === 1
      ? new Float32Array(plan.bBatches * plan.n).fill(columns[0] as number)
      : Float32Array.from(columns);
  const y = onnxTensor(y_zero_point.dtype, plan.dims);
  const pack = (tensor: ByteTensor) => packMatrices(operation, tensor, b_zero_point);
  withPacked(operation, 'b', b, 'matrices', b_zero_point, pack, (packed) => {
    addon.qLinearMatMul(
      ...matmulArguments(operation, plan, a, a_zero_point, packed),
      Float32Array.from(aScale),
      bScale,
      Float32Array.from(yScale),
      Int32Array.from(yZero),
      y.data,
    );
  });
  return y;
}

/** Throws unless a packed w was packed for this group. */
function requireGroup(operation: string, w: ByteTensor | PackedOperand, { group = 1 }: ConvAttributes): void {
  if (w instanceof PackedOperand && w.kind === 'convolution' && w.group !== group) {
    throw new InvalidArgumentError(operation, 'group', `${w.group}, for which w was packed`, String(group));
  }
}

/**
 * y [N, OC, OH, OW] = Σ (x − x_zero_point)(w − w_zero_point) over the window, in int32; padding counts as 0.
 * x [N, C, H, W], w [OC, C / group, KH, KW], or without H and KH. w_zero_point: scalar or [OC].
 *
 * Throws InvalidArgumentError on shapes and types that do not fit, and on a window whose sums could leave int32.
 */
export function convInteger(
  inputs: {
    readonly x: ByteTensor;
    readonly w: ByteTensor | PackedOperand;
    readonly x_zero_point?: ByteTensor | undefined;
    readonly w_zero_point?: ByteTensor | undefined;
  },
  attributes: ConvAttributes = {},
): OnnxTensor<'int32'> {
  const operation = 'convInteger';
  const { x, w, x_zero_point, w_zero_point } = inputs;
  requireTensor(operation, 'x', x, BYTES);
  requireOperand(operation, 'w', w);
  requireZeroPoint(operation, 'x_zero_point', x_zero_point, x);
  requireGroup(operation, w, attributes);
  const { shape, dims } = onnxConvGeometry(operation, x.dims, w.dims, attributes);
  const xZero = x_zero_point && [requireScalar(operation, 'x_zero_point', x_zero_point)];
  const y = onnxTensor('int32', dims);
  if (sizeOf(dims) === 0) return y;
  const pack = (tensor: ByteTensor) => packConvolution(operation, tensor, w_zero_point, attributes.group ?? 1);
  withPacked(operation, 'w', w, 'convolution', w_zero_point, pack, (packed) => {
    addon.convInteger(shape, x.data, int32s(xZero), packed.handle, y.data);
  });
  return y;
}

/**
 * The convolution of two quantized tensors, + B (int32, in units of x_scale · w_scale), quantized with y_scale and
 * y_zero_point, whose type y has. w_scale and w_zero_point: scalar or [OC]. Layouts as in convInteger.
 *
 * Throws InvalidArgumentError as convInteger does, and on scales that are 0 or not finite.
 */
export function qLinearConv<Y extends 'uint8' | 'int8'>(
  inputs: {
    readonly x: ByteTensor;
    readonly x_scale: OnnxTensor<'float32'>;
    readonly x_zero_point: ByteTensor;
    readonly w: ByteTensor | PackedOperand;
    readonly w_scale: OnnxTensor<'float32'>;
    /** Absent with a packed w. */
    readonly w_zero_point?: ByteTensor | undefined;
    readonly y_scale: OnnxTensor<'float32'>;
    readonly y_zero_point: OnnxTensor<Y>;
    readonly B?: OnnxTensor<'int32'> | undefined;
  },
  attributes: ConvAttributes = {},
): OnnxTensor<Y> {
  const operation = 'qLinearConv';
  const { x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B } = inputs;
  requireTensor(operation, 'x', x, BYTES);
  requireOperand(operation, 'w', w);
  requireTensor(operation, 'x_zero_point', x_zero_point, [x.dtype]);
  if (!(w instanceof PackedOperand)) requireTensor(operation, 'w_zero_point', w_zero_point, [w.dtype]);
  requireGroup(operation, w, attributes);
  requireTensor(operation, 'x_scale', x_scale, ['float32']);
  requireTensor(operation, 'w_scale', w_scale, ['float32']);
  requireTensor(operation, 'y_scale', y_scale, ['float32']);
  requireTensor(operation, 'y_zero_point', y_zero_point, BYTES);
  const { shape, dims, channels } = onnxConvGeometry(operation, x.dims, w.dims, attributes);
  if (B !== undefined) {
    requireTensor(operation, 'B', B, ['int32']);
    if (B.data.length !== channels) {
      throw new InvalidArgumentError(operation, 'B', `shape [${channels}]`, `[${B.dims}]`);
    }
  }
  const scales = perChannelValues(operation, 'w_scale', w_scale, channels);
  const wScale = new Float32Array(channels).map((_, i) => scales[scales.length === 1 ? 0 : i] as number);
  const xZero = Int32Array.of(requireScalar(operation, 'x_zero_point', x_zero_point));
  const yZero = Int32Array.of(requireScalar(operation, 'y_zero_point', y_zero_point));
  const xScale = Float32Array.of(requireScalar(operation, 'x_scale', x_scale));
  const yScale = Float32Array.of(requireScalar(operation, 'y_scale', y_scale));
  const y = onnxTensor(y_zero_point.dtype, dims);
  if (sizeOf(dims) === 0) return y;
  const pack = (tensor: ByteTensor) => packConvolution(operation, tensor, w_zero_point, attributes.group ?? 1);
  withPacked(operation, 'w', w, 'convolution', w_zero_point, pack, (packed) => {
    addon.qLinearConv(shape, x.data, xZero, packed.handle, xScale, wScale, yScale, yZero, B?.data, y.data);
  });
  return y;
}
