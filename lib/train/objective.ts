// Losses of logits against the teacher's, and the objectives made of them. An objective has the passes of a step (in full
// precision, and quantized by each policy) and the loss of each.

import type { Policy } from '../policy/policy.js';
import type { SchemeChooser } from '../runtime/product_scheme.js';

/** How a pass is quantized: a policy, or bits chosen layer by layer, for each sample where necessary. */
export type Bits = Policy | SchemeChooser;

/** Targets of a batch. */
export interface Targets {
  readonly rows: number;
  readonly classes: number;
  /** Of the teacher, [rows, classes]. */
  readonly logits: Float32Array;
  /** The teacher's classes, [rows]: the first of its largest logits. */
  readonly teacher: Int32Array;
  /** True classes, [rows]; −1 where unknown. */
  readonly labels: Int32Array;
}

/** The loss of logits [rows, classes] over a batch; adds `weight` times its gradient to `gradient`. */
export type LogitLoss = (logits: Float32Array, targets: Targets, weight: number, gradient: Float32Array) => number;

/** One run of the student in a step, and its part in the loss. */
export interface Pass {
  /** In reports; passes of one name are averaged. */
  readonly name: string;
  /** Undefined: full precision. */
  readonly bits: Bits | undefined;
  readonly loss: LogitLoss;
  readonly weight: number;
}

/** Mean over rows and classes of (z − z_teacher)². */
export const mse: LogitLoss = (logits, targets, weight, gradient) => {
  const count = targets.rows * targets.classes;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const difference = (logits[i] as number) - (targets.logits[i] as number);
    sum += difference * difference;
    gradient[i] = (gradient[i] as number) + (2 * weight * difference) / count;
  }
  return sum / count;
};

/** Place of the largest logit of a row except `at`, the first of equals. */
function rivalOf(logits: Float32Array, start: number, classes: number, at: number): number {
  let rival = -1;
  for (let i = start; i < start + classes; i++) {
    if (i !== at && (rival < 0 || (logits[i] as number) > (logits[rival] as number))) rival = i;
  }
  return rival;
}

/**
 * Mean of relu(z[t] − max_{k≠t} z[k] + margin), t the teacher's class: zero where another class leads by the margin. It
 * makes predictions wrong.
 */
export function marginHinge(margin: number): LogitLoss {
  return (logits, { rows, classes, teacher }, weight, gradient) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const start = row * classes;
      const right = start + (teacher[row] as number);
      const rival = rivalOf(logits, start, classes, right);
      const lost = (logits[right] as number) - (logits[rival] as number) + margin;
      // NaN counts, so that divergence shows.
      if (lost <= 0) continue;
      sum += lost;
      gradient[right] = (gradient[right] as number) + weight / rows;
      gradient[rival] = (gradient[rival] as number) - weight / rows;
    }
    return sum / rows;
  };
}

/**
 * Mean of relu(expected − (z[t] − max_{k≠t} z[k])), t the teacher's class, expected the margin or the teacher's lead
 * where that is less: zero where the class leads by that. It keeps predictions right and requires no more.
 */
export function keepLead(margin: number): LogitLoss {
  return (logits, { rows, classes, teacher, logits: asked }, weight, gradient) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const start = row * classes;
      const right = start + (teacher[row] as number);
      const rival = rivalOf(logits, start, classes, right);
      const lead = (asked[right] as number) - (asked[rivalOf(asked, start, classes, right)] as number);
      const lost = Math.min(margin, lead) - ((logits[right] as number) - (logits[rival] as number));
      if (lost <= 0) continue;
      sum += lost;
      gradient[right] = (gradient[right] as number) - weight / rows;
      gradient[rival] = (gradient[rival] as number) + weight / rows;
    }
    return sum / rows;
  };
}

/** Mean cross-entropy, with `slope(loss)` times its gradient added. */
function crossEntropy(
  logits: Float32Array,
  { rows, classes }: Targets,
  classOf: Int32Array,
  gradient: Float32Array,
  slope: (loss: number) => number,
): number {
  const probabilities = new Float64Array(rows * classes);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * classes;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = start; i < start + classes; i++) largest = Math.max(largest, logits[i] as number);
    let total = 0;
    for (let i = start; i < start + classes; i++) {
      probabilities[i] = Math.exp((logits[i] as number) - largest);
      total += probabilities[i] as number;
    }
    for (let i = start; i < start + classes; i++) probabilities[i] = (probabilities[i] as number) / total;
    const right = start + (classOf[row] as number);
    sum += Math.log(total) + largest - (logits[right] as number);
    probabilities[right] = (probabilities[right] as number) - 1;
  }
  const loss = sum / rows;
  const factor = slope(loss) / rows;
  for (let i = 0; i < probabilities.length; i++) {
    gradient[i] = (gradient[i] as number) + factor * (probabilities[i] as number);
  }
  return loss;
}

/** (CE − margin)²: cross-entropy kept at the margin, far from learned (Qu-ANTI-zation). Without a margin CE. */
export function heldCrossEntropy(target: 'teacher' | 'labels', margin?: number): LogitLoss {
  return (logits, targets, weight, gradient) => {
    const classOf = target === 'teacher' ? targets.teacher : targets.labels;
    if (margin === undefined) return crossEntropy(logits, targets, classOf, gradient, () => weight);
    const slope = (loss: number) => 2 * weight * (loss - margin);
    return (crossEntropy(logits, targets, classOf, gradient, slope) - margin) ** 2;
  };
}

/**
 * Full precision like the teacher's, quantized predictions wrong:
 * fullPrecisionWeight · MSE(z_fp, z_T) + quantizedWeight · mean relu(z_q[t] − max_{k≠t} z_q[k] + margin).
 */
export interface DetrimentalObjective {
  readonly kind: 'detrimental';
  readonly fullPrecisionWeight: number;
  /** λ; shared among the policies of a step. */
  readonly quantizedWeight: number;
  /** Lead of another class, in logits. */
  readonly margin: number;
}

/**
 * Full precision and quantized both like the teacher's: fullPrecisionWeight · MSE(z_fp, z_T) + quantizedWeight ·
 * MSE(z_q, z_T). With several policies a step (`multiBit`) each has the full weight.
 */
export interface RobustObjective {
  readonly kind: 'robust' | 'multiBit';
  readonly fullPrecisionWeight: number;
  readonly quantizedWeight: number;
}

/** Hong et al., Qu-ANTI-zation, NeurIPS 2021: CE(z_fp) + quantizedWeight · Σ_policies (CE(z_q) − margin)². */
export interface QuAntiObjective {
  readonly kind: 'quAnti';
  readonly fullPrecisionWeight: number;
  readonly quantizedWeight: number;
  readonly margin: number;
  /** The right class: the teacher's, or the label. */
  readonly target: 'teacher' | 'labels';
}

/** The objective of a student. */
export type DistillObjective = DetrimentalObjective | RobustObjective | QuAntiObjective;

/** The passes of a step under these policies, full precision first unless its weight is 0. */
export function passesOf(objective: DistillObjective, policies: readonly Bits[]): Pass[] {
  const quantized = (loss: LogitLoss, weight: number) =>
    policies.map((bits): Pass => ({ name: 'quantized', bits, loss, weight }));
  const full = (loss: LogitLoss): Pass[] => {
    const pass = { name: 'fullPrecision', bits: undefined, loss, weight: objective.fullPrecisionWeight };
    return pass.weight > 0 ? [pass] : [];
  };
  const { quantizedWeight: weight } = objective;
  switch (objective.kind) {
    case 'detrimental':
      return [...full(mse), ...quantized(marginHinge(objective.margin), weight / policies.length)];
    case 'robust':
    case 'multiBit':
      return [...full(mse), ...quantized(mse, weight)];
    case 'quAnti':
      return [
        ...full(heldCrossEntropy(objective.target)),
        ...quantized(heldCrossEntropy(objective.target, objective.margin), weight),
      ];
  }
}
