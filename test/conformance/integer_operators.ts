// ONNX's integer operators by their ONNX names and input order, on faultline's operations.
import { convInteger, matMulInteger, qLinearConv, qLinearMatMul } from '../../lib/native/onnx_integer.js';
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from '../../lib/native/onnx_quantize.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';

type Inputs = readonly (HostTensor | undefined)[];
export type Attributes = Readonly<Record<string, unknown>>;

/** An operator's inputs by name, absent ones left out; the operations check types themselves, so a test need not. */
function named<Operation extends (inputs: never, attributes: never) => unknown>(
  _operation: Operation,
  names: readonly string[],
  inputs: Inputs,
): Parameters<Operation>[0] {
  const entries = names.map((name, i) => [name, inputs[i]] as const).filter(([, tensor]) => tensor !== undefined);
  return Object.fromEntries(entries) as Parameters<Operation>[0];
}

const Q_CONV = ['x', 'x_scale', 'x_zero_point', 'w', 'w_scale', 'w_zero_point', 'y_scale', 'y_zero_point', 'B'];
const Q_MATMUL = ['a', 'a_scale', 'a_zero_point', 'b', 'b_scale', 'b_zero_point', 'y_scale', 'y_zero_point'];

export const INTEGER_OPERATORS: Readonly<
  Record<string, (inputs: Inputs, attributes: Attributes) => readonly HostTensor[]>
> = {
  MatMulInteger: (inputs) => [matMulInteger(named(matMulInteger, ['A', 'B', 'a_zero_point', 'b_zero_point'], inputs))],
  QLinearMatMul: (inputs) => [qLinearMatMul(named(qLinearMatMul, Q_MATMUL, inputs))],
  ConvInteger: (inputs, attributes) => [
    convInteger(named(convInteger, ['x', 'w', 'x_zero_point', 'w_zero_point'], inputs), attributes),
  ],
  QLinearConv: (inputs, attributes) => [qLinearConv(named(qLinearConv, Q_CONV, inputs), attributes)],
  QuantizeLinear: (inputs, attributes) => [
    quantizeLinear(named(quantizeLinear, ['x', 'y_scale', 'y_zero_point'], inputs), attributes),
  ],
  DequantizeLinear: (inputs, attributes) => [
    dequantizeLinear(named(dequantizeLinear, ['x', 'x_scale', 'x_zero_point'], inputs), attributes),
  ],
  DynamicQuantizeLinear: (inputs) => {
    const { y, y_scale, y_zero_point } = dynamicQuantizeLinear(named(dynamicQuantizeLinear, ['x'], inputs));
    return [y, y_scale, y_zero_point];
  },
};
