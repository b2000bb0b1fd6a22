// Batch normalization with the sum and the ReLU that follow it: y = relu?(norm(x) (+ residual)). In training the
// statistics are the batch's and the running ones move towards them; Ioffe & Szegedy, arXiv 1502.03167.
import { addon } from '../../native/addon.js';
import type { Buffer32 } from '../../tensor/memory.js';
import { REPEATS, type Tape, type Value } from '../tape.js';
import { toChannelsLast } from './layout.js';

interface BatchNormOptions {
  readonly epsilon: number;
  /** Share that the running statistics keep in a training step. */
  readonly momentum: number;
  readonly relu?: boolean;
  /** Added before the ReLU. */
  readonly residual?: Value | undefined;
}

/** x: [N, C] or [N, C, H, W]; scale, shift: [C]; running mean and variance [C] are updated in place in training. */
export function batchNorm(
  tape: Tape,
  input: Value,
  scale: Value,
  shift: Value,
  runningMean: Float32Array,
  runningVariance: Float32Array,
  options: BatchNormOptions,
): Value {
  const spatial = input.dims.length === 4;
  const x = spatial ? toChannelsLast(tape, input) : input;
  const residual = options.residual && spatial ? toChannelsLast(tape, options.residual) : options.residual;
  const { epsilon, momentum, relu = false } = options;
  const { training } = tape;
  const channels = x.dims[1] as number;
  const rows = x.size / channels;
  const [mean, variance] = training ? [tape.scratch(channels), tape.scratch(channels)] : [runningMean, runningVariance];
  const y = tape.make(x.dims, x.layout, [x, scale, shift, residual]);
  const [xs, ys, scales, shifts, added] = [x.data, y.data, scale.data, shift.data, residual?.data];
  tape.compute(() => {
    if (training) {
      addon.batchStatistics(xs, rows, channels, mean, variance);
      addon.averageStep(mean, runningMean, momentum);
      addon.averageStep(variance, runningVariance, momentum);
    }
    addon.batchNorm(xs, rows, channels, scales, shifts, mean, variance, epsilon, relu, added, ys);
  });
  // Where no residual was added, the sign of the normalized x says what passed the ReLU.
  const readsResult = relu && residual !== undefined;
  const backward = (dy: Float32Array, gradient: Buffer32) => {
    const keepsMask = relu && residual?.needsGradient;
    const forResidual = keepsMask ? tape.memory.take(x.size) : undefined;
    const [dScale, dShift] = [tape.scratch(channels), tape.scratch(channels)];
    const run = (dx: Float32Array | undefined) =>
      addon.batchNormBackward(
        xs,
        rows,
        channels,
        scales,
        shifts,
        mean,
        variance,
        epsilon,
        relu,
        training,
        readsResult ? ys : undefined,
        dy,
        dx,
        dScale,
        dShift,
        forResidual?.array,
      );
    if (x.needsGradient) tape.into(x, run);
    else tape.compute(() => run(undefined));
    tape.into(scale, (target) => target.set(dScale));
    tape.into(shift, (target) => target.set(dShift));
    if (residual) tape.give(residual, forResidual ?? gradient);
    if (forResidual) tape.memory.release(forResidual);
  };
  tape.record(y, readsResult ? [x, y] : [x], backward, REPEATS);
  return y;
}
