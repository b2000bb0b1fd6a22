// Logistic regression of a few features, by Newton's steps.

/** Weight of slope² in the likelihood, features in deviations: keeps slopes finite where one threshold separates all. */
const RIDGE = 0.1;
/** A prior of half a case of each class keeps the offset finite too. */
const PRIOR = 1 / 4;
const STEPS = 50;
const SETTLED = 1e-9;

/** P = 1 / (1 + exp(−(offset + Σ slopes · features))). */
interface Logistic {
  readonly offset: number;
  readonly slopes: readonly number[];
}

/** Solves A x = b, A symmetric and positive definite, by elimination; both are overwritten. */
function solve(a: number[][], b: number[]): number[] {
  const n = b.length;
  for (let k = 0; k < n; k++) {
    const pivot = a[k] as number[];
    for (let i = k + 1; i < n; i++) {
      const row = a[i] as number[];
      const factor = (row[k] as number) / (pivot[k] as number);
      for (let j = k; j < n; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
      b[i] = (b[i] as number) - factor * (b[k] as number);
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    const row = a[k] as number[];
    for (let j = k + 1; j < n; j++) b[k] = (b[k] as number) - (row[j] as number) * (b[j] as number);
    b[k] = (b[k] as number) / (row[k] as number);
  }
  return b;
}

/** Of greatest likelihood less the ridge. `features[f][i]`: feature f of case i, all finite. */
export function fitLogistic(features: readonly (readonly number[])[], positive: readonly boolean[]): Logistic {
  const standards = features.map((values) => {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) || 1;
    return { mean, deviation, values: values.map((x) => (x - mean) / deviation) };
  });
  const columns = [positive.map(() => 1), ...standards.map(({ values }) => values)];
  const weights = columns.map(() => 0);
  for (let step = 0, moved = 1; step < STEPS && moved > SETTLED; step++) {
    const gradient = weights.map((w, f) => -(f === 0 ? PRIOR : RIDGE) * w);
    const curvature = weights.map((_, f) => weights.map((__, g) => (f !== g ? 0 : f === 0 ? PRIOR : RIDGE)));
    positive.forEach((isPositive, i) => {
      const x = columns.map((column) => column[i] as number);
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, f) => sum + value * (weights[f] as number), 0)));
      const [error, weight] = [(isPositive ? 1 : 0) - p, p * (1 - p)];
      x.forEach((value, f) => {
        gradient[f] = (gradient[f] as number) + error * value;
        const row = curvature[f] as number[];
        x.forEach((other, g) => {
          row[g] = (row[g] as number) + weight * value * other;
        });
      });
    });
    const change = solve(curvature, gradient);
    change.forEach((value, f) => {
      weights[f] = (weights[f] as number) + value;
    });
    moved = Math.max(...change.map(Math.abs));
  }
  const [first, ...others] = weights as [number, ...number[]];
  const slopes = standards.map(({ deviation }, f) => (others[f] as number) / deviation);
  return { slopes, offset: standards.reduce((sum, { mean }, f) => sum - mean * (slopes[f] as number), first) };
}
