// The batch rules of ONNX's matrix products (numpy.matmul), and their parameters by row and by column.

import { InvalidArgumentError } from '../core/errors.js';
import { equalDims, sizeOf } from '../core/shape.js';
import type { OnnxTensor } from './onnx_tensor.js';

/** A batch of matrices: shape [...batch, rows, columns]. */
interface MatrixShape {
  readonly batch: readonly number[];
  readonly rows: number;
  readonly columns: number;
}

export interface MatmulPlan {
  readonly aShape: MatrixShape;
  readonly bShape: MatrixShape;
  readonly yShape: MatrixShape;
  /** Shape of the result, without the dimensions that were added to vectors. */
  readonly dims: readonly number[];
  // For the native operation: a batch of A with a single B is one tall A.
  readonly aBatches: number;
  readonly m: number;
  readonly k: number;
  readonly bBatches: number;
  readonly n: number;
  /** [output, a, b] of each product, those with the same b together. */
  readonly products: Int32Array;
}

/** A vector is a matrix of one row (A) or one column (B). */
export function matrixShape(dims: readonly number[], vector: 'row' | 'column'): MatrixShape {
  const [length] = dims as [number];
  const full = dims.length > 1 ? dims : vector === 'row' ? [1, length] : [length, 1];
  return { batch: full.slice(0, -2), rows: full.at(-2) as number, columns: full.at(-1) as number };
}

/** The batch that both broadcast to; undefined when they do not fit. */
function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    dims.push(x === 1 ? y : x);
  }
  return dims;
}

/** Index into `batch` of element `at` of the batch `full` it broadcasts to. */
function sourceIndex(at: number, full: readonly number[], batch: readonly number[]): number {
  let index = 0;
  let stride = 1;
  let rest = at;
  for (let i = full.length - 1; i >= 0; i--) {
    const dim = full[i] as number;
    const size = batch[i - full.length + batch.length] ?? 1;
    if (size !== 1) index += (rest % dim) * stride;
    stride *= size;
    rest = Math.floor(rest / dim);
  }
  return index;
}

export function planMatmul(
  operation: string,
  [aName, bName]: readonly [string, string],
  aDims: readonly number[],
  bDims: readonly number[],
): MatmulPlan {
  for (const [name, dims] of [
    [aName, aDims],
    [bName, bDims],
  ] as const) {
    if (dims.length === 0) throw new InvalidArgumentError(operation, name, 'at least one dimension', 'a scalar');
  }
  const aShape = matrixShape(aDims, 'row');
  const bShape = matrixShape(bDims, 'column');
  const k = aShape.columns;
  if (bShape.rows !== k || k === 0) {
    const expected = k === 0 ? 'K of at least 1' : `K = ${k} rows, the columns of ${aName} [${aDims}]`;
    throw new InvalidArgumentError(operation, bName, expected, `[${bDims}]`);
  }
  const batch = broadcast(aShape.batch, bShape.batch);
  if (batch === undefined) {
    const expected = `a batch that broadcasts with ${aName} [${aDims}]`;
    throw new InvalidArgumentError(operation, bName, expected, `[${bDims}]`);
  }
  const yShape = { batch, rows: aShape.rows, columns: bShape.columns };
  const dims = [
    ...batch,
    ...(aDims.length === 1 ? [] : [aShape.rows]),
    ...(bDims.length === 1 ? [] : [bShape.columns]),
  ];
  const aBatches = sizeOf(aShape.batch);
  const bBatches = sizeOf(bShape.batch);
  const shapes = { aShape, bShape, yShape, dims, k, bBatches, n: bShape.columns };
  if (bBatches === 1) return { ...shapes, aBatches: 1, m: aBatches * aShape.rows, products: Int32Array.of(0, 0, 0) };
  const triples = Array.from({ length: sizeOf(batch) }, (_, at) => [
    at,
    sourceIndex(at, batch, aShape.batch),
    sourceIndex(at, batch, bShape.batch),
  ]).sort((x, y) => (x[2] as number) - (y[2] as number));
  return { ...shapes, aBatches, m: aShape.rows, products: Int32Array.from(triples.flat()) };
}

type Values = ArrayLike<number>;

function repeat(values: Values, times: number): Values {
  return Array.from({ length: values.length * times }, (_, i) => values[i % values.length] as number);
}

/** A parameter of rows, as one value or [batch · rows]: a scalar, [rows], or [...batch, rows, 1]. */
export function rowValues(operation: string, argument: string, tensor: OnnxTensor, shape: MatrixShape): Values {
  const { batch, rows } = shape;
  const { dims, data } = tensor;
  if (data.length === 1) return data;
  if (equalDims(dims, [rows])) return repeat(data, sizeOf(batch));
  if (equalDims(dims, [...batch, rows, 1])) return data;
  throw new InvalidArgumentError(operation, argument, `a scalar, [${rows}] or [${[...batch, rows, 1]}]`, `[${dims}]`);
}

/** A parameter of columns, as one value or [batch · columns]: a scalar, [columns], or [...batch, 1, columns]. */
export function columnValues(operation: string, argument: string, tensor: OnnxTensor, shape: MatrixShape): Values {
  const { batch, columns } = shape;
  const { dims, data } = tensor;
  if (data.length === 1) return data;
  if (equalDims(dims, [columns])) return repeat(data, sizeOf(batch));
  if (equalDims(dims, [...batch, 1, columns])) return data;
  const expected = `a scalar, [${columns}] or [${[...batch, 1, columns]}]`;
  throw new InvalidArgumentError(operation, argument, expected, `[${dims}]`);
}
