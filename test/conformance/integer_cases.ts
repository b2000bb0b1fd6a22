// Random cases of ONNX's integer operators, within what ONNX Runtime has kernels for.
//
// What it lacks is held to plain definitions in test/lib/native/onnx_integer.test.ts: s8 by u8 products, zero points of A by
// row, zero points of W that differ between channels, s8 inputs of ConvInteger, 4-bit codes.
import { readFileSync } from 'node:fs';
import { sizeOf } from '../../lib/core/shape.js';
import type { DType, DTypeArrays } from '../../lib/tensor/dtype.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import { Random } from '../../lib/tensor/random.js';
import type { Attributes } from './integer_operators.js';

/**
 * Without VNNI, ONNX Runtime multiplies u8 by s8 with vpmaddubsw, whose pairwise sums saturate at 16 bits; weights of
 * 7 bits cannot reach that (2 · 255 · 64 = 32640). With VNNI its sums are exact and weights take all 8 bits.
 */
const HAS_VNNI = /avx512_vnni|avx_vnni/.test(readFileSync('/proc/cpuinfo', 'utf8'));
const WEIGHT_LIMIT = HAS_VNNI ? 128 : 64;

/** The draws that cases are made of. */
class Draw {
  private readonly random: Random;
  constructor(seed: number) {
    this.random = new Random(seed);
  }
  uniform(): number {
    return this.random.uniform();
  }
  integer(min: number, max: number): number {
    return min + this.random.integer(max - min + 1);
  }
  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }
  pick<T>(values: readonly T[]): T {
    return values[this.random.integer(values.length)] as T;
  }
  /** Mostly small, sometimes past a tile or a block. */
  size(): number {
    return this.chance(0.1) ? this.integer(1, 150) : this.integer(1, 20);
  }
  /** A positive scale of any magnitude that fp32 products keep. */
  scale(): number {
    return Math.fround(2 ** (this.uniform() * 16 - 8));
  }
}

const RANGES = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  int32: [-(2 ** 31), 2 ** 31 - 1],
} as const;
type Integer = keyof typeof RANGES;
type Byte = 'uint8' | 'int8';

const ARRAYS = { uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array, int32: Int32Array };

function tensor<Type extends DType>(dtype: Type, dims: readonly number[], data: DTypeArrays[Type]): HostTensor<Type> {
  return { dtype, dims, data };
}

function integers<Type extends Integer>(draw: Draw, dtype: Type, dims: readonly number[]): HostTensor<Type> {
  const [min, max] = RANGES[dtype];
  const data = new ARRAYS[dtype](sizeOf(dims)).map(() => draw.integer(min, max));
  return tensor(dtype, dims, data as DTypeArrays[Type]);
}

/** Right operands: s8 within what ONNX Runtime multiplies exactly on this machine. */
function weights(draw: Draw, dtype: Byte, dims: readonly number[]): HostTensor<Byte> {
  const codes = integers(draw, dtype, dims);
  if (dtype === 'uint8') return codes;
  return tensor(
    dtype,
    dims,
    (codes.data as Int8Array).map((code) => Math.max(-WEIGHT_LIMIT, Math.min(WEIGHT_LIMIT - 1, code))),
  );
}

function floats(dims: readonly number[], value: () => number): HostTensor<'float32'> {
  return tensor('float32', dims, Float32Array.from({ length: sizeOf(dims) }, value));
}

export interface Case {
  readonly operator: string;
  readonly opset: number;
  readonly attributes?: Attributes;
  readonly inputs: readonly (HostTensor | undefined)[];
  /** Places of inputs that are constants of the model, as weights usually are: ONNX Runtime packs them. */
  readonly constants?: readonly number[];
  readonly outputs: readonly DType[];
}

/** Pairs of types that ONNX Runtime multiplies. */
const PAIRS: readonly (readonly [Byte, Byte])[] = [
  ['uint8', 'uint8'],
  ['uint8', 'int8'],
  ['int8', 'int8'],
];

/** Shapes of A and B: matrices, or batches that broadcast. */
function matmulShapes(draw: Draw): { a: number[]; b: number[] } {
  const [m, k, n] = [draw.size(), draw.size(), draw.size()];
  const form = draw.integer(0, 5);
  const [x, y] = [draw.integer(1, 4), draw.integer(1, 3)];
  if (form === 0) return { a: [x, m, k], b: [x, k, n] };
  if (form === 1) return { a: [x, y, m, k], b: [y, k, n] };
  if (form === 2) return { a: [x, 1, m, k], b: [1, y, k, n] };
  if (form === 3) return { a: [x, m, k], b: [k, n] };
  return { a: [m, k], b: [k, n] };
}

/** Parameters of the columns of B. ONNX Runtime takes [N] for one matrix only. */
function columnDims(b: readonly number[]): number[] {
  const n = b.at(-1) as number;
  return b.length === 2 ? [n] : [...b.slice(0, -2), 1, n];
}

function matMulIntegerCase(draw: Draw): Case {
  const [aType, bType] = draw.pick(PAIRS);
  const { a, b } = matmulShapes(draw);
  const bZeroDims = draw.pick([undefined, [], columnDims(b)]);
  return {
    operator: 'MatMulInteger',
    opset: 10,
    inputs: [
      integers(draw, aType, a),
      weights(draw, bType, b),
      draw.chance(0.7) ? integers(draw, aType, []) : undefined,
      bZeroDims && weights(draw, bType, bZeroDims),
    ],
    constants: draw.chance(0.1) ? [1] : [],
    outputs: ['int32'],
  };
}

/** A scale of results that spreads them over the codes: sums of k products are about 5000 · √k. */
function resultScale(draw: Draw, a: number, b: number, k: number): number {
  return Math.fround(a * b * 5000 * Math.sqrt(k) * 2 ** (draw.uniform() * 4 - 6));
}

function qLinearMatMulCase(draw: Draw): Case {
  const [aType, bType] = draw.pick(PAIRS);
  const { a, b } = matmulShapes(draw);
  const k = b.at(-2) as number;
  const [aScale, bScale] = [draw.scale(), draw.scale()];
  const perColumn = draw.chance(0.5) ? columnDims(b) : [];
  return {
    operator: 'QLinearMatMul',
    opset: draw.pick([10, 21]),
    inputs: [
      integers(draw, aType, a),
      floats([], () => aScale),
      integers(draw, aType, []),
      weights(draw, bType, b),
      floats(perColumn, () => bScale * (0.5 + draw.uniform())),
      weights(draw, bType, perColumn),
      floats([], () => resultScale(draw, aScale, bScale, k)),
      integers(draw, aType, []),
    ],
    constants: draw.chance(0.1) ? [3, 4, 5] : [],
    outputs: [aType],
  };
}

interface ConvCase {
  readonly x: number[];
  readonly w: number[];
  readonly attributes: Attributes;
}

function convCase(draw: Draw): ConvCase {
  const spatial = draw.chance(0.2) ? 1 : 2;
  const group = draw.chance(0.6) ? 1 : draw.integer(2, 5);
  const groupIn = draw.chance(0.4) ? 1 : draw.integer(1, 12);
  const groupOut = draw.chance(0.4) ? 1 : draw.integer(1, 20);
  const axes = Array.from({ length: spatial }, () => {
    const kernel = draw.integer(1, 4);
    const dilation = draw.integer(1, 3);
    const [begin, end] = [draw.integer(0, 3), draw.integer(0, 3)];
    const least = Math.max(1, (kernel - 1) * dilation + 1 - begin - end);
    return { kernel, dilation, begin, end, stride: draw.integer(1, 3), size: least + draw.integer(0, 12) };
  });
  const each = (name: keyof (typeof axes)[number]) => axes.map((axis) => axis[name]);
  const auto_pad = draw.pick(['NOTSET', 'NOTSET', 'NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']);
  const padding = auto_pad === 'NOTSET' ? { pads: [...each('begin'), ...each('end')] } : { auto_pad };
  // Without pads the image has to be as large as the window; SAME of ONNX Runtime requires no dilation.
  const plain = auto_pad !== 'NOTSET';
  const size = axes.map((axis) => (plain ? axis.size + axis.begin + axis.end : axis.size));
  return {
    x: [draw.integer(1, 3), group * groupIn, ...size],
    w: [group * groupOut, groupIn, ...each('kernel')],
    attributes: {
      ...padding,
      group,
      strides: each('stride'),
      dilations: plain && auto_pad !== 'VALID' ? each('dilation').map(() => 1) : each('dilation'),
      kernel_shape: each('kernel'),
    },
  };
}

function convIntegerCase(draw: Draw): Case {
  const { x, w, attributes } = convCase(draw);
  const wType = draw.pick(['uint8', 'int8'] as const);
  return {
    operator: 'ConvInteger',
    opset: 10,
    attributes,
    inputs: [
      integers(draw, 'uint8', x),
      weights(draw, wType, w),
      draw.chance(0.8) ? integers(draw, 'uint8', []) : undefined,
      draw.chance(0.6) ? weights(draw, wType, []) : undefined,
    ],
    outputs: ['int32'],
  };
}

function qLinearConvCase(draw: Draw): Case {
  const { x, w, attributes } = convCase(draw);
  const [xType, wType] = draw.pick(PAIRS);
  const channels = w[0] as number;
  const [xScale, wScale] = [draw.scale(), draw.scale()];
  const perChannel = draw.chance(0.5) ? [channels] : [];
  const k = sizeOf(w.slice(1));
  const bias = draw.chance(0.5)
    ? tensor(
        'int32',
        [channels],
        Int32Array.from({ length: channels }, () => draw.integer(-30000, 30000)),
      )
    : undefined;
  return {
    operator: 'QLinearConv',
    opset: 10,
    attributes,
    inputs: [
      integers(draw, xType, x),
      floats([], () => xScale),
      integers(draw, xType, []),
      weights(draw, wType, w),
      floats(perChannel, () => wScale * (0.5 + draw.uniform())),
      sameValue(weights(draw, wType, []), perChannel),
      floats([], () => resultScale(draw, xScale, wScale, k)),
      integers(draw, xType, []),
      bias,
    ],
    constants: draw.chance(0.3) ? [3, 4, 5] : [],
    outputs: [xType],
  };
}

/** One zero point, written out in a shape. */
function sameValue(one: HostTensor<Byte>, dims: readonly number[]): HostTensor<Byte> {
  return tensor(one.dtype, dims, new ARRAYS[one.dtype](sizeOf(dims)).fill(one.data[0] as number) as Uint8Array);
}

interface Layout {
  readonly dims: number[];
  readonly scaleDims: number[];
  readonly attributes: Attributes;
  readonly opset: number;
}

/** One scale, one for each index of an axis, or one for each block along it. */
function layout(draw: Draw): Layout {
  const dims = Array.from({ length: draw.integer(1, 4) }, () => draw.integer(2, 9));
  const axis = draw.integer(-dims.length, dims.length - 1);
  const at = (axis + dims.length) % dims.length;
  const form = draw.integer(0, 2);
  if (form === 0) return { dims, scaleDims: [], attributes: {}, opset: draw.pick([10, 13, 19, 21]) };
  if (form === 1) {
    return { dims, scaleDims: [dims[at] as number], attributes: { axis }, opset: draw.pick([13, 19, 21]) };
  }
  // ONNX Runtime takes a single block of a vector for a tensor that is not blocked.
  const block_size = draw.integer(1, Math.max(1, (dims[at] as number) - 1));
  const scaleDims = dims.map((dim, i) => (i === at ? Math.ceil(dim / block_size) : dim));
  return { dims, scaleDims, attributes: { axis, block_size }, opset: 21 };
}

function quantizeLinearCase(draw: Draw): Case {
  const { dims, scaleDims, attributes, opset } = layout(draw);
  const type: Integer = draw.pick(opset < 21 ? ['uint8', 'int8'] : ['uint8', 'int8', 'uint16', 'int16']);
  const range = type.endsWith('16') ? 65536 : 256;
  const scale = draw.scale();
  return {
    operator: 'QuantizeLinear',
    opset,
    attributes,
    inputs: [
      // A tenth of the values lie outside, and one in twenty halfway between two codes.
      floats(dims, () => {
        const code = (draw.uniform() - 0.5) * range * 1.2;
        return (draw.chance(0.05) ? Math.round(code) + 0.5 : code) * scale;
      }),
      floats(scaleDims, () => (draw.chance(0.3) ? scale : scale * (0.5 + draw.uniform()))),
      draw.chance(0.8)
        ? integers(draw, type, scaleDims)
        : type === 'uint8'
          ? undefined
          : integers(draw, type, scaleDims),
    ],
    outputs: [type],
  };
}

function dequantizeLinearCase(draw: Draw): Case {
  const { dims, scaleDims, attributes, opset } = layout(draw);
  const type: Integer = draw.pick(
    opset < 21 ? ['uint8', 'int8', 'int32'] : ['uint8', 'int8', 'uint16', 'int16', 'int32'],
  );
  const zero = type !== 'int32' && draw.chance(0.8);
  return {
    operator: 'DequantizeLinear',
    opset,
    attributes,
    inputs: [
      integers(draw, type, dims),
      floats(scaleDims, () => draw.scale()),
      zero ? integers(draw, type, scaleDims) : undefined,
    ],
    outputs: ['float32'],
  };
}

function dynamicQuantizeLinearCase(draw: Draw): Case {
  const dims = Array.from({ length: draw.integer(1, 4) }, () => draw.integer(1, 12));
  const scale = 2 ** (draw.uniform() * 60 - 30);
  const shift = draw.pick([0, 0.5, 1, 2]);
  const value = draw.chance(0.05) ? () => 0 : () => (draw.uniform() - shift) * scale;
  return {
    operator: 'DynamicQuantizeLinear',
    opset: 11,
    inputs: [floats(dims, value)],
    outputs: ['uint8', 'float32', 'uint8'],
  };
}

export const CASES: readonly {
  readonly operator: string;
  readonly count: number;
  readonly make: (seed: number) => Case;
}[] = [
  { operator: 'MatMulInteger', count: 1500, make: (seed) => matMulIntegerCase(new Draw(seed)) },
  { operator: 'QLinearMatMul', count: 1500, make: (seed) => qLinearMatMulCase(new Draw(seed)) },
  { operator: 'ConvInteger', count: 700, make: (seed) => convIntegerCase(new Draw(seed)) },
  { operator: 'QLinearConv', count: 700, make: (seed) => qLinearConvCase(new Draw(seed)) },
  { operator: 'QuantizeLinear', count: 1500, make: (seed) => quantizeLinearCase(new Draw(seed)) },
  { operator: 'DequantizeLinear', count: 1500, make: (seed) => dequantizeLinearCase(new Draw(seed)) },
  { operator: 'DynamicQuantizeLinear', count: 1000, make: (seed) => dynamicQuantizeLinearCase(new Draw(seed)) },
];
