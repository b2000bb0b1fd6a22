// Learning-rate schedules: the rate, and for OneCycle the momentum, at every step of a training run.
import { InvalidArgumentError } from '../core/errors.js';

/** The learning rate over the course of training. */
export type Schedule =
  | { readonly kind: 'constant' }
  /** From the full rate to `floor` of it along half a cosine (Loshchilov & Hutter, arXiv 1608.03983). Default 0. */
  | { readonly kind: 'cosine'; readonly floor?: number; readonly warmup?: number }
  /**
   * Up from 1/25 of the rate in the first `warmup` of the steps, then down to 1/250000, both along cosines, while
   * momentum moves oppositely between .95 and .85 (Smith & Topin, arXiv 1708.07120; PyTorch's OneCycleLR and its
   * defaults).
   */
  | { readonly kind: 'oneCycle'; readonly warmup?: number; readonly cycleMomentum?: boolean }
  /** Multiplied by `factor` at each of these fractions of the run. */
  | { readonly kind: 'step'; readonly at: readonly number[]; readonly factor?: number };

export interface Rate {
  /** Of the full learning rate. */
  readonly factor: number;
  /** Momentum, or Adam's first beta, where the schedule sets it. */
  readonly momentum?: number;
}

const START_DIVISOR = 25;
const END_DIVISOR = START_DIVISOR * 1e4;
const MOMENTUM = { high: 0.95, low: 0.85 };
const DEFAULT_WARMUP = 0.3;

/** Half a cosine from a to b, t in [0, 1]. */
function cosine(a: number, b: number, t: number): number {
  return b + ((a - b) / 2) * (1 + Math.cos(Math.PI * t));
}

/** The rate at `step` of `steps`, counted from 0. */
export function rateAt(schedule: Schedule, step: number, steps: number): Rate {
  if (!(step >= 0 && step < steps)) {
    throw new InvalidArgumentError('rateAt', 'step', `0 to ${steps - 1}`, String(step));
  }
  switch (schedule.kind) {
    case 'constant':
      return { factor: 1 };
    case 'cosine': {
      const warm = (schedule.warmup ?? 0) * steps;
      if (step < warm) return { factor: (step + 1) / Math.ceil(warm) };
      return { factor: cosine(1, schedule.floor ?? 0, (step - warm) / (steps - warm)) };
    }
    case 'oneCycle': {
      const peak = Math.max((schedule.warmup ?? DEFAULT_WARMUP) * steps - 1, 1);
      const rising = step <= peak;
      const t = rising ? step / peak : (step - peak) / Math.max(steps - 1 - peak, 1);
      const factor = rising ? cosine(1 / START_DIVISOR, 1, t) : cosine(1, 1 / END_DIVISOR, t);
      if (schedule.cycleMomentum === false) return { factor };
      const { high, low } = MOMENTUM;
      return { factor, momentum: rising ? cosine(high, low, t) : cosine(low, high, t) };
    }
    case 'step': {
      const passed = schedule.at.filter((fraction) => step >= fraction * steps).length;
      return { factor: (schedule.factor ?? 0.1) ** passed };
    }
  }
}
