// A value model: what an agent expects of policies it has not evaluated, and how sure it is. A Gaussian process over the
// rounding noise of every node (Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5):
// exp(−Σ w·|Δ|), in which effects of single nodes dominate and interactions count the less the more nodes they take. How
// much each node matters is learned by climbing the marginal likelihood.
import type { Scheme } from '../format/scheme.js';
import type { Environment } from './environment.js';
import type { NodeSchemes } from './space.js';

interface Prediction {
  readonly mean: number;
  readonly deviation: number;
}

/** Beyond this many observations the oldest are left out of the process: its cost grows with their cube. */
const MOST_OBSERVATIONS = 256;
/** Weights of nodes are learned again when there are this many times as many observations. */
const RELEARN_GROWTH = 1.1;
const SWEEPS = 2;
/** Steps that the search for weights tries. */
const FACTORS = [0.5, 2];
const WEIGHT_RANGE = [1e-3, 8] as const;
const NOISES = [1e-3, 1e-2, 1e-1];
/** Prior of a weight: log-normal around what lets all nodes together decorrelate two policies, this wide. */
const PRIOR_DEVIATION = 1.5;
const PRIOR_TOTAL = 2;

/** Where bits lie between the least and the most noise that a node can get, for weight and activation. */
type NoiseCoordinates = (node: number, bits: Scheme) => readonly [number, number];

/** Amplitude of the rounding noise, a step of 2^−b, from 0 (the most bits of the node) to 1 (the fewest). */
export function noiseCoordinates({ space }: Pick<Environment, 'space'>): NoiseCoordinates {
  const spans = space.names.map((_, node) => {
    const span = (of: (bits: Scheme) => number) => {
      const steps = space.optionsOf(node).map((bits) => 2 ** -of(bits));
      return [Math.min(...steps), Math.max(...steps)] as const;
    };
    return [span((bits) => bits.weights.format.bits), span((bits) => bits.activations.format.bits)] as const;
  });
  const place = (step: number, [low, high]: readonly [number, number]) =>
    high > low ? (step - low) / (high - low) : 0;
  return (node, scheme) => {
    const [weights, activations] = spans[node] as (typeof spans)[number];
    return [place(2 ** -scheme.weights.format.bits, weights), place(2 ** -scheme.activations.format.bits, activations)];
  };
}

export class ValueModel {
  private readonly rows: Float64Array[] = [];
  private readonly fitnesses: number[] = [];
  /** Of each coordinate. */
  private readonly weights: Float64Array;
  private noise = NOISES[1] as number;
  private learnedAt = 0;
  private fit: Fit | undefined;

  constructor(
    nodes: number,
    private readonly coordinates: NoiseCoordinates,
  ) {
    this.weights = new Float64Array(nodes * 2).fill(PRIOR_TOTAL / nodes / 2);
  }

  get observations(): number {
    return this.rows.length;
  }

  observe(candidate: NodeSchemes, fitness: number): void {
    this.rows.push(this.row(candidate));
    this.fitnesses.push(fitness);
    if (this.rows.length > MOST_OBSERVATIONS) {
      this.rows.shift();
      this.fitnesses.shift();
    }
    this.fit = undefined;
  }

  private row(candidate: NodeSchemes): Float64Array {
    const row = new Float64Array(this.weights.length);
    candidate.forEach((bits, node) => {
      row.set(this.coordinates(node, bits), 2 * node);
    });
    return row;
  }

  /** Without observations everything is 0 ± 1. */
  predict(candidates: readonly NodeSchemes[]): Prediction[] {
    if (this.rows.length === 0) return candidates.map(() => ({ mean: 0, deviation: 1 }));
    this.fit ??= this.learn();
    const { fit, rows, weights } = this;
    return candidates.map((candidate) => {
      const row = this.row(candidate);
      const k = Float64Array.from(rows, (other) => kernel(row, other, weights));
      return fit.predict(k);
    });
  }

  private learn(): Fit {
    const { rows, fitnesses, weights } = this;
    let fit = new Fit(rows, fitnesses, weights, this.noise);
    if (rows.length < this.learnedAt * RELEARN_GROWTH) return fit;
    this.learnedAt = rows.length;
    const center = Math.log(PRIOR_TOTAL / weights.length);
    const prior = () => weights.reduce((sum, w) => sum - ((Math.log(w) - center) / PRIOR_DEVIATION) ** 2 / 2, 0);
    let best = fit.logLikelihood + prior();
    const attempt = (change: () => () => void) => {
      const undo = change();
      const next = new Fit(rows, fitnesses, weights, this.noise);
      const value = next.logLikelihood + prior();
      if (value > best) [best, fit] = [value, next];
      else undo();
    };
    const scale = (from: number, to: number, factor: number) => {
      const before = weights.slice(from, to);
      for (let i = from; i < to; i++) {
        weights[i] = Math.min(WEIGHT_RANGE[1], Math.max(WEIGHT_RANGE[0], (weights[i] as number) * factor));
      }
      return () => weights.set(before, from);
    };
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (const noise of NOISES) {
        attempt(() => {
          const before = this.noise;
          this.noise = noise;
          return () => {
            this.noise = before;
          };
        });
      }
      for (const factor of FACTORS) attempt(() => scale(0, weights.length, factor));
      // Weight and activation of a node move together: with equal bits they cannot be separated.
      for (let node = 0; node < weights.length; node += 2) {
        for (const factor of FACTORS) attempt(() => scale(node, node + 2, factor));
      }
    }
    return fit;
  }
}

function kernel(a: Float64Array, b: Float64Array, weights: Float64Array): number {
  let distance = 0;
  for (let i = 0; i < a.length; i++) distance += (weights[i] as number) * Math.abs((a[i] as number) - (b[i] as number));
  return Math.exp(-distance);
}

/** The process conditioned on observations and hyper-parameters; fitness is standardised inside. */
class Fit {
  readonly logLikelihood: number;
  private readonly mean: number;
  private readonly deviation: number;
  /** Lower triangle of the Cholesky factor, rows packed. */
  private readonly factor: Float64Array[];
  private readonly solved: Float64Array;

  constructor(rows: readonly Float64Array[], fitnesses: readonly number[], weights: Float64Array, noise: number) {
    const count = rows.length;
    this.mean = fitnesses.reduce((sum, value) => sum + value, 0) / count;
    const variance = fitnesses.reduce((sum, value) => sum + (value - this.mean) ** 2, 0) / count;
    this.deviation = Math.sqrt(variance) || 1;
    const y = Float64Array.from(fitnesses, (value) => (value - this.mean) / this.deviation);
    this.factor = [];
    let logDeterminant = 0;
    for (let i = 0; i < count; i++) {
      const row = new Float64Array(i + 1);
      for (let j = 0; j <= i; j++) {
        const other = j === i ? row : (this.factor[j] as Float64Array);
        let sum = kernel(rows[i] as Float64Array, rows[j] as Float64Array, weights);
        if (j === i) sum += noise;
        for (let k = 0; k < j; k++) sum -= (row[k] as number) * (other[k] as number);
        row[j] = j === i ? Math.sqrt(Math.max(sum, noise * 1e-3)) : sum / (other[j] as number);
      }
      this.factor.push(row);
      logDeterminant += Math.log(row[i] as number);
    }
    const half = this.forward(y);
    this.solved = this.backward(half);
    const fit = half.reduce((sum, value) => sum + value * value, 0);
    this.logLikelihood = -fit / 2 - logDeterminant;
  }

  private forward(y: Float64Array): Float64Array {
    const x = y.slice();
    for (let i = 0; i < x.length; i++) {
      const row = this.factor[i] as Float64Array;
      let sum = x[i] as number;
      for (let k = 0; k < i; k++) sum -= (row[k] as number) * (x[k] as number);
      x[i] = sum / (row[i] as number);
    }
    return x;
  }

  private backward(y: Float64Array): Float64Array {
    const x = y.slice();
    for (let i = x.length - 1; i >= 0; i--) {
      let sum = x[i] as number;
      for (let k = i + 1; k < x.length; k++) sum -= (this.factor[k]?.[i] as number) * (x[k] as number);
      x[i] = sum / (this.factor[i]?.[i] as number);
    }
    return x;
  }

  /** k: kernel of a candidate with each observation. */
  predict(k: Float64Array): Prediction {
    const mean = k.reduce((sum, value, i) => sum + value * (this.solved[i] as number), 0);
    const explained = this.forward(k).reduce((sum, value) => sum + value * value, 0);
    const deviation = Math.sqrt(Math.max(0, 1 - explained));
    return { mean: this.mean + this.deviation * mean, deviation: this.deviation * deviation };
  }
}

/**
 * How much better than `best` a policy will be on average, worse counting as nothing (Jones et al., 1998, equation 15).
 */
export function expectedImprovement({ mean, deviation }: Prediction, best: number): number {
  if (deviation === 0) return Math.max(0, mean - best);
  const z = (mean - best) / deviation;
  return deviation * (z * normalCdf(z) + Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI));
}

/** Abramowitz & Stegun 26.2.17, absolute error below 7.5e-8. */
function normalCdf(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z >= 0 ? 1 - tail : tail;
}
