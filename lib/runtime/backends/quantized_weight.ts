// A weight as the values of its codes, in float32: for training through quantization, and for schemes that quantize
// weights only. Codes and scales are those of the integer kernels.
import { fakeQuantize } from '../../autograd/ops/fake_quantize.js';
import { transpose } from '../../autograd/ops/movement.js';
import { unary } from '../../autograd/ops/unary.js';
import type { Tape, Value } from '../../autograd/tape.js';
import type { Operand } from '../../format/scheme.js';
import type { ProductView } from '../../graph/product.js';

/** Ranges run over what the integer kernels pack as a row: [outChannels, kernelH · kernelW · channels] or [n, k]. */
export function quantizedWeight(
  tape: Tape,
  { order, channels, alpha }: ProductView,
  w: Value,
  { format, granularity }: Operand,
): Value {
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
