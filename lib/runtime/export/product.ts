// One quantized product in ONNX operators, in one of three forms: integer (ConvInteger, MatMulInteger), int4 blocks
// (com.microsoft MatMulNBits), or QDQ: float32 operators on dequantized codes, which every runtime has.

import { isWeightsOnly, type Scheme } from '../../format/scheme.js';
import type { GraphNode } from '../../graph/graph.js';
import type { AttributeProto } from '../../graph/onnx/messages.js';
import { floats, hostTensor } from '../../tensor/host_tensor.js';
import type { ConvProduct, MatmulProduct, Product } from '../product.js';
import { packProduct } from '../weight_store.js';
import type { ActivationQuantizer } from './activation.js';
import { MICROSOFT, type ModelWriter } from './writer.js';

/** What a quantized product is written as. */
export type ExportForm = 'integer' | 'matMulNBits' | 'qdq';

/** Everything about one product that its export needs. */
export interface ProductExport {
  readonly node: GraphNode;
  readonly product: Product;
  /** Shape of the weight as the node has it. */
  readonly weightDims: readonly number[];
  /** Attributes of the node, as messages. */
  readonly attributes: AttributeProto[];
  readonly scheme: Scheme;
  readonly reduceRange: boolean;
}

/** Weights as codes: those that the integer kernels multiply by. */
interface Codes {
  /** [n, k], k in the order of the kernels */
  readonly codes: Int8Array;
  readonly n: number;
  readonly k: number;
  /** [groups, n] */
  readonly scales: Float32Array;
  /** Weights along k that share a scale. */
  readonly block: number;
}

const FLOAT32 = 1; // TensorProto.DataType
const BYTE_BITS = 8;
/** Of codes written as unsigned bytes. */
const MIDDLE = 128;
/** Bits that MatMulNBits stores, and the code it takes for zero. */
const NBITS = 4;
const NBITS_ZERO = 8;
/** Blocks that ONNX Runtime's processor kernels take. */
const NBITS_BLOCKS = [16, 32, 64, 128, 256];
/** For weights with one scale a channel, which every block repeats: the size that all of its kernels know. */
const NBITS_DEFAULT_BLOCK = 32;
/** Operator set from which DequantizeLinear reads int4. */
const INT4_OPSET = 21;

/** Neighbours that share a scale; undefined: all of a channel. */
function blockOf({ scheme }: ProductExport): number | undefined {
  const { granularity } = scheme.weights;
  return granularity.kind === 'perGroup' ? granularity.blockSize : undefined;
}

function codesOf(each: ProductExport): Codes {
  const { product, scheme, reduceRange } = each;
  const n = product.channels;
  const k = product.weights.length / n;
  const packed = packProduct(product, scheme.weights, reduceRange);
  const block = Math.min(blockOf(each) ?? k, k);
  const result = { codes: packed.codes(), n, k, scales: packed.scales(), block };
  packed.dispose();
  return result;
}

/** codes[rows, columns] → [columns, rows] */
function transposed(codes: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(codes.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = codes[row * columns + column] as number;
  }
  return result;
}

/** [m, h, w, c] → [m, c, h, w] */
function channelsFirst(codes: Int8Array, [m, h, w, c]: ConvProduct['shape']): Int8Array {
  const result = new Int8Array(codes.length);
  const size = h * w * c;
  for (let filter = 0; filter < m; filter++) {
    const filterCodes = codes.subarray(filter * size, (filter + 1) * size);
    result.set(transposed(filterCodes, h * w, c), filter * size);
  }
  return result;
}

/** int8 codes as unsigned bytes whose zero point is 128: the same integers minus 128. */
const unsigned = (codes: Int8Array) => Uint8Array.from(codes, (code) => code + MIDDLE);

export class ProductExporter {
  private zeroPoint: string | undefined;

  constructor(
    private readonly writer: ModelWriter,
    private readonly activations: ActivationQuantizer,
  ) {}

  /** The form nearest to the one expected that the target can execute, and why it is another where it is. */
  chooseForm(each: ProductExport, expected: 'integer' | 'qdq'): { form: ExportForm; remark?: string } {
    const { product, scheme, weightDims } = each;
    const grouped = blockOf(each);
    if (expected === 'qdq') return { form: 'qdq' };
    const block = grouped ?? NBITS_DEFAULT_BLOCK;
    const weightsOnly = isWeightsOnly(scheme);
    const plain = product.kind === 'matmul' && weightDims.length === 2;
    if (plain && scheme.weights.format.bits <= NBITS && NBITS_BLOCKS.includes(block)) {
      if (weightsOnly) return { form: 'matMulNBits' };
      const remark = 'MatMulNBits multiplies the same codes in float32, not in integers';
      return { form: 'matMulNBits', remark };
    }
    if (weightsOnly) return { form: 'qdq' };
    if (grouped !== undefined) {
      const remark = `no integer operator has a scale for each block of ${grouped} weights: QDQ, in float32`;
      return { form: 'qdq', remark };
    }
    return { form: 'integer' };
  }

  /** Bits that the file spends on a weight. */
  storedBits({ scheme }: ProductExport, form: ExportForm): number {
    if (form === 'matMulNBits') return NBITS;
    return form === 'qdq' && scheme.weights.format.bits <= NBITS && this.writer.opset >= INT4_OPSET ? NBITS : BYTE_BITS;
  }

  /** Writes the nodes that compute the product, bias included, into the node's output. */
  write(each: ProductExport, form: ExportForm): void {
    const { product, node } = each;
    const input = this.input(each);
    if (product.kind === 'conv') {
      if (form === 'integer') this.convInteger(each, product, input);
      else this.convFloat(each, product, input);
      return;
    }
    const { name } = node;
    const last = product.bias === undefined && product.addend === undefined;
    const named = last ? { output: node.outputs[0] as string } : {};
    const y =
      form === 'integer'
        ? this.matMulInteger(each, input, named)
        : form === 'matMulNBits'
          ? this.matMulNBits(each, input, named)
          : this.writer.node(`${name}.product`, 'MatMul', [this.dequantized(each, input), this.matrix(each)], named);
    if (!last) this.addend(node, product, y);
  }

  private input({ node, product }: ProductExport): string {
    const x = product.activation;
    if (product.kind !== 'matmul' || !product.transposed) return x;
    return this.writer.node(`${node.name}.transposed`, 'Transpose', [x], { attributes: { perm: [1, 0] } });
  }

  private dequantized(each: ProductExport, input: string): string {
    const { format } = each.scheme.activations;
    return format.kind === 'float' ? input : this.activations.dequantize(input, format.bits);
  }

  /** What a Gemm adds: its bias, or beta times a value. */
  private addend(node: GraphNode, { bias, addend }: MatmulProduct, y: string): void {
    const { writer } = this;
    const { name } = node;
    let added = '';
    if (bias) added = writer.constant(`${name}.bias`, floats([bias.length], bias));
    else if (addend) {
      added = addend.name;
      if (addend.factor !== 1) {
        const factor = writer.scalar(`${name}.beta`, addend.factor);
        added = writer.node(`${name}.addend`, 'Mul', [added, factor]);
      }
    }
    writer.node(name, 'Add', [y, added], { output: node.outputs[0] as string });
  }

  /** float32(sums) · (activation scale · weight scale) */
  private scaled(
    node: GraphNode,
    sums: string,
    scale: string,
    weightScale: string,
    named: { output?: string },
  ): string {
    const { writer } = this;
    const { name } = node;
    const both = writer.node(`${name}.scale`, 'Mul', [scale, weightScale]);
    const real = writer.node(`${name}.sumsFloat`, 'Cast', [sums], { attributes: { to: FLOAT32 } });
    return writer.node(`${name}.scaled`, 'Mul', [real, both], named);
  }

  private convInteger(each: ProductExport, product: ConvProduct, input: string): void {
    const { writer } = this;
    const { node, weightDims, scheme } = each;
    const { name } = node;
    const { codes, scales, n } = codesOf(each);
    const { codes: x, scale, zeroPoint } = this.activations.quantize(input, scheme.activations.format.bits);
    // ONNX Runtime's ConvInteger has fast kernels for unsigned weights only.
    const bytes = hostTensor('uint8', weightDims, unsigned(channelsFirst(codes, product.shape)));
    const w = writer.constant(`${name}.codes`, bytes);
    // [1, n, 1, 1] for images, one axis less for signals.
    const eachChannel = weightDims.map((_, axis) => (axis === 1 ? n : 1));
    const weightScale = writer.constant(`${name}.weightScale`, floats(eachChannel, scales));
    const sums = writer.raw(`${name}.sums`, 'ConvInteger', [x, w, zeroPoint, this.middle()], each.attributes);
    const output = node.outputs[0] as string;
    const y = this.scaled(node, sums, scale, weightScale, product.bias ? {} : { output });
    if (!product.bias) return;
    const bias = writer.constant(`${name}.bias`, floats(eachChannel, product.bias));
    writer.node(name, 'Add', [y, bias], { output });
  }

  /** The zero point that all unsigned weights share. */
  private middle(): string {
    this.zeroPoint ??= this.writer.constant('weightZeroPoint', hostTensor('uint8', [], Uint8Array.of(MIDDLE)));
    return this.zeroPoint;
  }

  private convFloat(each: ProductExport, product: ConvProduct, input: string): void {
    const { writer } = this;
    const { node, weightDims } = each;
    const [m = 0, c = 0, ...kernel] = weightDims;
    const rows = this.rows(each);
    const shape = writer.int64s(`${node.name}.weightShape`, [m, ...kernel, c]);
    const images = writer.node(`${node.name}.weightImages`, 'Reshape', [rows, shape]);
    const perm = { attributes: { perm: [0, weightDims.length - 1, ...kernel.map((_, axis) => axis + 1)] } };
    const weight = writer.node(`${node.name}.weight`, 'Transpose', [images], perm);
    const bias = product.bias ? [writer.constant(`${node.name}.bias`, floats([m], product.bias))] : [];
    const inputs = [this.dequantized(each, input), weight, ...bias];
    writer.raw(node.name, 'Conv', inputs, each.attributes, node.outputs[0] as string);
  }

  private matMulInteger(each: ProductExport, input: string, named: { output?: string }): string {
    const { writer } = this;
    const { node, scheme, weightDims } = each;
    const { codes, scales, n, k } = codesOf(each);
    const dims = weightDims.length === 2 ? [k, n] : weightDims;
    const { codes: x, scale, zeroPoint } = this.activations.quantize(input, scheme.activations.format.bits);
    const w = writer.constant(`${node.name}.codes`, hostTensor('int8', dims, transposed(codes, n, k)));
    // A vector on the right has one channel, and the result no axis for it.
    const scaleDims = weightDims.length === 1 ? [] : [n];
    const weightScale = writer.constant(`${node.name}.weightScale`, floats(scaleDims, scales));
    const sums = writer.node(`${node.name}.sums`, 'MatMulInteger', [x, w, zeroPoint]);
    return this.scaled(node, sums, scale, weightScale, named);
  }

  /** Codes + 8, two to a byte, rows padded to whole blocks; scales[n, blocks]. */
  private matMulNBits(each: ProductExport, input: string, named: { output?: string }): string {
    const { writer } = this;
    const { node } = each;
    const { codes, scales, n, k } = codesOf(each);
    const grouped = blockOf(each);
    const blockSize = grouped ?? NBITS_DEFAULT_BLOCK;
    const blocks = Math.ceil(k / blockSize);
    const bytes = new Uint8Array((n * blocks * blockSize) / 2).fill(NBITS_ZERO | (NBITS_ZERO << NBITS));
    const blockScales = new Float32Array(n * blocks);
    for (let channel = 0; channel < n; channel++) {
      for (let i = 0; i < k; i++) {
        const at = channel * blocks * blockSize + i;
        const code = (codes[channel * k + i] as number) + NBITS_ZERO;
        const shift = NBITS * (at & 1);
        bytes[at >> 1] = ((bytes[at >> 1] as number) & ~(15 << shift)) | (code << shift);
      }
      for (let block = 0; block < blocks; block++) {
        const group = grouped === undefined ? 0 : block;
        blockScales[channel * blocks + block] = scales[group * n + channel] as number;
      }
    }
    const w = writer.constant(`${node.name}.codes`, hostTensor('uint8', [n, blocks, blockSize / 2], bytes));
    const scale = writer.constant(`${node.name}.weightScale`, floats([n * blocks], blockScales));
    const attributes = { K: k, N: n, bits: NBITS, block_size: blockSize };
    const inputs = [this.dequantized(each, input), w, scale];
    return writer.node(`${node.name}.product`, 'MatMulNBits', inputs, { ...named, attributes, domain: MICROSOFT });
  }

  /**
   * Dequantized weights [n, k], k in the order of the kernels. Blocks become separate rows, so that one scale a row,
   * which every operator set has, serves all granularities.
   */
  private rows(each: ProductExport): string {
    const { writer } = this;
    const { name } = each.node;
    const { codes, scales, n, k, block } = codesOf(each);
    const blocks = Math.ceil(k / block);
    const padded = new Int8Array(n * blocks * block);
    const rowScales = new Float32Array(n * blocks);
    for (let channel = 0; channel < n; channel++) {
      padded.set(codes.subarray(channel * k, (channel + 1) * k), channel * blocks * block);
      for (let group = 0; group < blocks; group++) {
        rowScales[channel * blocks + group] = scales[group * n + channel] as number;
      }
    }
    const nibbles = this.storedBits(each, 'qdq') === NBITS;
    const w = writer.constant(`${name}.codes`, hostTensor(nibbles ? 'int4' : 'int8', [n * blocks, block], padded));
    const scale = writer.constant(`${name}.weightScale`, floats([n * blocks], rowScales));
    let rows = writer.node(`${name}.weightRows`, 'DequantizeLinear', [w, scale], { attributes: { axis: 0 } });
    if (blocks === 1) return rows;
    const whole = writer.int64s(`${name}.rowShape`, [n, blocks * block]);
    rows = writer.node(`${name}.weightBlocks`, 'Reshape', [rows, whole]);
    if (blocks * block === k) return rows;
    const [from, to, axis] = [0, k, 1].map((value, i) => writer.int64s(`${name}.cut${i}`, [value]));
    return writer.node(`${name}.weightCut`, 'Slice', [rows, from as string, to as string, axis as string]);
  }

  /** Dequantized weights [k, n], in the shape that the node has them. */
  private matrix(each: ProductExport): string {
    const { writer } = this;
    const { node, weightDims } = each;
    const perm = { attributes: { perm: [1, 0] } };
    const matrix = writer.node(`${node.name}.weight`, 'Transpose', [this.rows(each)], perm);
    if (weightDims.length === 2) return matrix;
    const shape = writer.int64s(`${node.name}.weightShape`, weightDims);
    return writer.node(`${node.name}.weightShaped`, 'Reshape', [matrix, shape]);
  }
}
