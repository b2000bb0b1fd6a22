// Matrix products by oneDNN: one matrix or a batch, either operand transposed, bias added.
import { addon } from '../../native/addon.js';
import { REPEATS, type Tape, type Value } from '../tape.js';
import { sumToShape } from './binary.js';

interface MatmulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  /** [n], added to every row. */
  readonly bias?: Value | undefined;
}

interface Product {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA: boolean;
  readonly transB: boolean;
  /** One matrix shared by the batch. */
  readonly sharedA: boolean;
  readonly sharedB: boolean;
}

function run(p: Product, a: Float32Array, b: Float32Array, bias: Float32Array | undefined, c: Float32Array): void {
  addon.matmul(a, b, bias, c, p.batch, p.m, p.n, p.k, p.transA, p.transB, p.sharedA, p.sharedB);
}

/**
 * a: [batch, m, k] (or [m, k]), b: [batch, k, n] (or [k, n]), the last two dimensions swapped where transposed. An
 * operand of rank 2 is shared by the batch. → [batch, m, n], or [m, n] when both have rank 2. All row-major.
 */
export function matmul(tape: Tape, a: Value, b: Value, options: MatmulOptions = {}): Value {
  const { transA = false, transB = false, bias } = options;
  const [rankA, rankB] = [a.dims.length, b.dims.length];
  const batch = rankA === 3 ? (a.dims[0] as number) : rankB === 3 ? (b.dims[0] as number) : 1;
  const m = a.dims[rankA - (transA ? 1 : 2)] as number;
  const k = a.dims[rankA - (transA ? 2 : 1)] as number;
  const n = b.dims[rankB - (transB ? 2 : 1)] as number;
  const [sharedA, sharedB] = [rankA === 2 && batch > 1, rankB === 2 && batch > 1];
  const y = tape.make(rankA === 3 || rankB === 3 ? [batch, m, n] : [m, n], 'rows', [a, b, bias]);
  const product = { batch, m, n, k, transA, transB, sharedA, sharedB };
  const [as, bs, biases, ys] = [a.data, b.data, bias?.data, y.data];
  tape.compute(() => run(product, as, bs, biases, ys));
  const backward = (dy: Float32Array) => {
    // op(a) gets dy · op(b)ᵀ, op(b) gets op(a)ᵀ · dy; a transposed operand the transpose of that. Products of a shared
    // operand are summed over the batch.
    const gradient = (shared: boolean, x: Value, compute: (target: Float32Array) => void) => {
      if (!shared) return tape.into(x, compute);
      if (!x.needsGradient) return;
      const all = tape.memory.take(batch * x.size);
      tape.compute(() => compute(all.array));
      tape.into(x, (target) =>
        sumToShape(all.array, [batch, ...x.dims], 'rows', { dims: x.dims, layout: 'rows' }, target),
      );
      tape.memory.release(all);
    };
    gradient(sharedA, a, (da) => {
      if (transA) {
        run(
          { batch, m: k, n: m, k: n, transA: transB, transB: true, sharedA: sharedB, sharedB: false },
          bs,
          dy,
          undefined,
          da,
        );
      } else {
        run({ batch, m, n: k, k: n, transA: false, transB: !transB, sharedA: false, sharedB }, dy, bs, undefined, da);
      }
    });
    gradient(sharedB, b, (db) => {
      if (transB) {
        run(
          { batch, m: n, n: k, k: m, transA: true, transB: transA, sharedA: false, sharedB: sharedA },
          dy,
          as,
          undefined,
          db,
        );
      } else {
        run({ batch, m: k, n, k: m, transA: !transA, transB: false, sharedA, sharedB: false }, as, dy, undefined, db);
      }
    });
    if (bias) {
      tape.into(bias, (target) => sumToShape(dy, y.dims, 'rows', { dims: [n], layout: 'rows' }, target));
    }
  };
  tape.record(y, [a, b], backward, REPEATS);
  return y;
}
