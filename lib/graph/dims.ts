// Arithmetic on shapes that may hold named dimensions: ["N", 3, 32, 32]. A name is kept where an
// operator keeps its dimension; where a value cannot be inferred, the dimension becomes unknown, "?".
import { formatDims } from '../tensor/host_tensor.js';

/** A size, the name of one fixed at run time, or UNKNOWN. */
export type Dim = number | string;

/** An unknown dimension. */
export const UNKNOWN = '?';

/** f(dim), or unknown when the dimension has no number. */
export function mapDim(dim: Dim, f: (size: number) => number): Dim {
  return typeof dim === 'number' ? f(dim) : UNKNOWN;
}

/** Whether two dimensions can be the same size. Names are only compared with numbers at run time. */
export function compatible(a: Dim, b: Dim): boolean {
  return typeof a !== 'number' || typeof b !== 'number' || a === b;
}

/** Whether two shapes are known to be the same. */
export function sameDims(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  return a !== undefined && a.length === b?.length && a.every((dim, axis) => dim === b[axis] && dim !== UNKNOWN);
}

/** The more specific of two dimensions of the same size: a number before a name before unknown. */
export function merge(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return a;
  return typeof b === 'number' || a === UNKNOWN ? b : a;
}

/** ONNX's multidirectional (numpy's) broadcasting; undefined when the shapes do not go together. */
export function broadcast(a: readonly Dim[], b: readonly Dim[]): Dim[] | undefined {
  const rank = Math.max(a.length, b.length);
  const dims: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === 1) dims.push(right);
    else if (right === 1 || left === right) dims.push(left);
    else if (compatible(left, right))
      dims.push(typeof left === 'string' && typeof right === 'string' ? UNKNOWN : merge(left, right));
    else return undefined;
  }
  return dims;
}

/** A product of dimensions: a number times names. */
interface Product {
  readonly factor: number;
  readonly names: readonly string[];
}

function product(dims: readonly Dim[]): Product {
  const names = dims.filter((dim) => typeof dim === 'string').sort();
  return { factor: dims.reduce<number>((size, dim) => size * (typeof dim === 'number' ? dim : 1), 1), names };
}

/** Elements of a shape, when every dimension has its number. */
export function knownSize(dims: readonly Dim[]): number | undefined {
  const { factor, names } = product(dims);
  return names.length === 0 ? factor : undefined;
}

/** Elements of a shape for one sample: named dimensions (the batch) count as one. */
export function sizePerSample(dims: readonly Dim[]): number {
  return product(dims).factor;
}

/** Π dims as one dimension: N·1 is N, 4·8 is 32, N·2 is unknown. */
export function productDim(dims: readonly Dim[]): Dim {
  return quotientDim(dims, []) as Dim;
}

/** Π a / Π b; undefined when it is not a whole number, unknown when names are left over. */
export function quotientDim(a: readonly Dim[], b: readonly Dim[]): Dim | undefined {
  const over = product(a);
  const under = product(b);
  if (over.names.includes(UNKNOWN) || under.names.includes(UNKNOWN)) return UNKNOWN;
  const rest = [...over.names];
  for (const name of under.names) {
    const index = rest.indexOf(name);
    if (index < 0) return UNKNOWN;
    rest.splice(index, 1);
  }
  const factor = over.factor / under.factor;
  if (rest.length === 0) return Number.isInteger(factor) ? factor : undefined;
  return rest.length === 1 && factor === 1 ? (rest[0] as string) : UNKNOWN;
}

/** `[N,3,32,32]`. */
export const formatShape: (dims: readonly Dim[]) => string = formatDims;

/** A shape whose rank alone is known. */
export function unknownDims(rank: number): Dim[] {
  return new Array<Dim>(rank).fill(UNKNOWN);
}
