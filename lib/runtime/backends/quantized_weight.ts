// A weight as the values of its codes, in float32: for training through quantization, and for schemes that quantize
// weights only. Codes and scales are those of the integer kernels.
import { fakeQuantize } from '../../autograd/ops/fake_quantize.js';
import { transpose } from '../../autograd/ops/movement.js';
import { unary } from '../../autograd/ops/unary.js';
import type { Tape, Value } from '../../autograd/tape.js';
import type { WeightCodes } from '../../format/numeric_format.js';
import type { Operand } from '../../format/scheme.js';
import { channelOf, type ProductView } from '../../graph/product.js';

/** Ranges run over what the integer kernels pack as a row: [outChannels, kernelH · kernelW · channels] or [n, k]. */
export function quantizedWeight(tape: Tape, view: ProductView, w: Value, { format, granularity }: Operand): Value {
  if (format.weightCodes) return fromCodes(tape, view, w, format.weightCodes);
  const { order, channels, alpha } = view;
  const block = granularity.kind === 'perGroup' ? granularity.blockSize : undefined;
  const scaled = alpha === 1 ? w : unary(tape, 'scale', w, alpha);
  // Within a row, the order of weights matters to blocks alone.
  const moved = order.some((axis, i) => axis !== i) && (block !== undefined || order[0] !== 0);
  let y = fakeQuantize(tape, moved ? transpose(tape, scaled, order) : scaled, {
    rows: granularity.kind === 'perTensor' ? 1 : channels,
    bits: format.bits,
    symmetric: true,
    ...(block === undefined ? {} : { block }),
  });
  const back = [...order.keys()].map((axis) => order.indexOf(axis));
  if (moved) y = transpose(tape, y, back);
  return alpha === 1 ? y : unary(tape, 'scale', y, 1 / alpha);
}

/** The same by a format's codes of each channel; the gradient passes unchanged. */
function fromCodes(tape: Tape, view: ProductView, w: Value, codesOf: (channel: Float32Array) => WeightCodes): Value {
  const { channels, depth, alpha } = view;
  const channel = channelOf(view);
  const y = tape.make(w.dims, w.layout, [w]);
  const [from, to] = [w.data, y.data];
  tape.compute(() => {
    const rows = Array.from({ length: channels }, () => ({ weights: new Float32Array(depth), at: 0 }));
    const rowOf = (i: number) => rows[channel(i)] as (typeof rows)[number];
    from.forEach((value, i) => {
      const row = rowOf(i);
      row.weights[row.at++] = value * alpha;
    });
    for (const row of rows) {
      const { codes, scale } = codesOf(row.weights);
      row.weights.set(Float32Array.from(codes, (code) => Math.fround(scale * code) / alpha));
      row.at = 0;
    }
    for (let i = 0; i < to.length; i++) {
      const row = rowOf(i);
      to[i] = row.weights[row.at++] as number;
    }
  });
  tape.record(y, [], (_dy, gradient) => tape.give(w, gradient));
  return y;
}
