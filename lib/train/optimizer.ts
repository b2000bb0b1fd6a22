// Optimizers: one native pass over all parameters of a network a step, with gradient clipping and weight decay by group.
import { addon } from '../native/addon.js';
import { alignedFloats } from '../tensor/memory.js';
import type { Coordinates } from './coordinates.js';
import type { Rate } from './schedule.js';

interface Common {
  readonly rate: number;
  readonly weightDecay?: number;
  /** Also decays biases and the scales and shifts of normalizations. Default: only weights of rank 2 and more. */
  readonly decayAll?: boolean;
  /** Largest norm of all gradients together; longer ones are shortened to it. */
  readonly clipNorm?: number;
}

/** An optimizer with its settings. */
export type OptimizerOptions =
  | (Common & { readonly kind: 'sgd'; readonly momentum?: number; readonly nesterov?: boolean })
  | (Common & {
      readonly kind: 'adam' | 'adamw';
      readonly betas?: readonly [number, number];
      readonly epsilon?: number;
    });

const DEFAULT_MOMENTUM = 0.9;
const DEFAULT_BETAS: readonly [number, number] = [0.9, 0.999];
const DEFAULT_EPSILON = 1e-8;

export class Optimizer {
  /** Its state, each array as long as the parameters: SGD its momentum, Adam both moments. */
  readonly state: readonly Float32Array[];
  /** Weight decay of runs of parameters, and where each run ends. */
  private readonly decay: readonly [factors: Float32Array, ends: Int32Array];

  constructor(
    readonly options: OptimizerOptions,
    private readonly parameters: Omit<Coordinates, 'gather'>,
  ) {
    const { length } = parameters.values;
    this.state = Array.from({ length: options.kind === 'sgd' ? 1 : 2 }, () => alignedFloats(length));
    const { weightDecay = 0, decayAll = false } = options;
    const factors: number[] = [];
    const ends: number[] = [];
    const fill = (factor: number, end: number) => {
      if (end === (ends.at(-1) ?? 0)) return;
      if (factor === factors.at(-1)) ends.pop();
      else factors.push(factor);
      ends.push(end);
    };
    for (const { offset, data, dims } of [...parameters.learned].sort((a, b) => a.offset - b.offset)) {
      fill(0, offset); // between parameters, for alignment
      fill(decayAll || dims.length > 1 ? weightDecay : 0, offset + data.length);
    }
    fill(0, length);
    this.decay = [Float32Array.from(factors), Int32Array.from(ends)];
  }

  /** Updates the parameters. `step` counts from 1; `norm` is that of the gradients. */
  step(step: number, { factor, momentum }: Rate, norm: number): void {
    const { options, parameters } = this;
    const [factors, ends] = this.decay;
    const { values, gradients } = parameters;
    const rate = options.rate * factor;
    const { clipNorm } = options;
    const scale = clipNorm !== undefined && norm > clipNorm ? clipNorm / norm : 1;
    const [first, second] = this.state as [Float32Array, Float32Array];
    if (options.kind === 'sgd') {
      const kept = momentum ?? options.momentum ?? DEFAULT_MOMENTUM;
      addon.sgdStep(values, gradients, factors, ends, first, rate, kept, options.nesterov ?? false, scale);
    } else {
      const [beta1, beta2] = options.betas ?? DEFAULT_BETAS;
      const { epsilon = DEFAULT_EPSILON, kind } = options;
      const decoupled = kind === 'adamw';
      const b1 = momentum ?? beta1;
      addon.adamStep(values, gradients, factors, ends, first, second, rate, b1, beta2, epsilon, decoupled, scale, step);
    }
    parameters.changed();
  }
}
