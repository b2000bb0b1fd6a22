// Activations quantized at run time, in ONNX operators: DynamicQuantizeLinear at 8 bits; fewer bits, which no operator
// has, by elementary ones that compute the same codes.
import type { ModelWriter } from './writer.js';

/** Names of the values a quantized activation has. */
interface QuantizedActivation {
  /** uint8, the activation's shape. */
  readonly codes: string;
  /** float32 scalar */
  readonly scale: string;
  /** uint8 scalar */
  readonly zeroPoint: string;
}

const UINT8 = 2; // TensorProto.DataType
const BYTE_BITS = 8;

/** Each value is quantized once for each bit width, however many nodes read it. */
export class ActivationQuantizer {
  private readonly quantized = new Map<string, QuantizedActivation>();
  private readonly dequantized = new Map<string, string>();

  constructor(private readonly writer: ModelWriter) {}

  quantize(value: string, bits: number): QuantizedActivation {
    const key = `${bits} ${value}`;
    let result = this.quantized.get(key);
    if (!result) {
      result = bits === BYTE_BITS ? this.byte(value) : this.elementary(value, bits);
      this.quantized.set(key, result);
    }
    return result;
  }

  /** The float32 value of the codes. */
  dequantize(value: string, bits: number): string {
    const key = `${bits} ${value}`;
    let result = this.dequantized.get(key);
    if (result === undefined) {
      const { codes, scale, zeroPoint } = this.quantize(value, bits);
      result = this.writer.node(`${value}.dequantized${bits}`, 'DequantizeLinear', [codes, scale, zeroPoint]);
      this.dequantized.set(key, result);
    }
    return result;
  }

  private byte(value: string): QuantizedActivation {
    const names = ['codes', 'scale', 'zeroPoint'];
    const [codes, scale, zeroPoint] = this.writer.outputs(
      `${value}.quantized8`,
      'DynamicQuantizeLinear',
      [value],
      names,
    );
    return { codes, scale, zeroPoint } as QuantizedActivation;
  }

  /** chooseQParams and quantize (asymmetric, unsigned, per tensor), operation by operation in the same order. */
  private elementary(value: string, bits: number): QuantizedActivation {
    const { writer } = this;
    const name = (part: string) => `${value}.quantized${bits}.${part}`;
    const node = (part: string, operator: string, ...inputs: string[]) => writer.node(name(part), operator, inputs);
    const zero = writer.scalar(name('zero'), 0);
    const one = writer.scalar(name('one'), 1);
    const levels = writer.scalar(name('levels'), 2 ** bits - 1);
    const whole = { attributes: { keepdims: 0 } };
    const low = node('low', 'Min', writer.node(name('min'), 'ReduceMin', [value], whole), zero);
    const high = node('high', 'Max', writer.node(name('max'), 'ReduceMax', [value], whole), zero);
    const range = node('range', 'Sub', high, low);
    const step = node('step', 'Div', range, levels);
    const scale = node('scale', 'Where', node('flat', 'Equal', range, zero), one, step);
    const shift = node('shift', 'Neg', node('offset', 'Div', low, scale));
    const zeroPointFloat = node('zeroPointFloat', 'Clip', node('shiftRounded', 'Round', shift), zero, levels);
    const rounded = node('rounded', 'Round', node('quotient', 'Div', value, scale));
    const clipped = node('clipped', 'Clip', node('moved', 'Add', rounded, zeroPointFloat), zero, levels);
    const cast = (part: string, from: string) => writer.node(name(part), 'Cast', [from], { attributes: { to: UINT8 } });
    return { codes: cast('codes', clipped), scale, zeroPoint: cast('zeroPoint', zeroPointFloat) };
  }
}
