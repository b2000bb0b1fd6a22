// From an indicator to an expected drop: fitted on networks whose drop was measured, with an interval from networks it was
// not fitted on, and a record of where it comes from.
import { InvalidArgumentError } from '../native/errors.js';
import { INDICATORS, type IndicatorName } from './indicators.js';
import { type Interval, quantile } from './statistics.js';

/** A network of the population under one policy. */
export interface StudyNetwork {
  readonly name: string;
  /** What it was made from: networks of one teacher are alike and are held out together. */
  readonly teacher: string;
  readonly arch: string;
  /** `ordinary`, `robust`, `detrimental`, `gauge`, … */
  readonly kind: string;
  /** What the drop is under, and whose steps the indicators have: `W4A4`, digits, or the name of a file. */
  readonly policy: string;
  /** Points lost to quantization. */
  readonly drop: number;
  readonly indicators: Readonly<Record<IndicatorName, number>>;
}

export interface Provenance {
  readonly networks: number;
  /** Networks under a policy: what it was fitted on. */
  readonly points: number;
  readonly policies: readonly string[];
  readonly teachers: readonly string[];
  readonly archs: readonly string[];
  readonly kinds: readonly string[];
  /** Bits, data, samples, seeds: whatever the fit is good for. */
  readonly settings: unknown;
}

/** Schema faultline.predictor/1. */
export interface Predictor {
  readonly schema: 'faultline.predictor/1';
  readonly indicator: IndicatorName;
  /** Indicators become asinh(value / scale), turned so that more is worse: logarithms that take 0 and signs. */
  readonly scale: number;
  /** P(drop > threshold) = 1 / (1 + exp(−(offset + slope · z))). */
  readonly threshold: number;
  readonly offset: number;
  readonly slope: number;
  /** Expected drop by z, rising, straight between: isotonic regression. */
  readonly knots: readonly (readonly [number, number])[];
  /** Measured less expected drop of networks held out: the middle share `confidence` of them lies between. */
  readonly residuals: Interval;
  readonly confidence: number;
  readonly provenance: Provenance;
}

/** What indicators say of a network that was not quantized. */
export interface Prediction {
  /** That the drop exceeds the threshold: 0–1. */
  readonly probability: number;
  /** Points. */
  readonly drop: number;
  readonly interval: Interval;
}

/** Of the median magnitude: from a hundredth of it on, asinh is a logarithm. */
const LOG_FROM = 0.01;
/** Weight of slope² in the likelihood, z in deviations: keeps the slope finite where one threshold separates all. */
const RIDGE = 0.1;
const STEPS = 50;
export const CONFIDENCE = 0.9;

/** More is worse. */
export function worseness(name: IndicatorName, value: number): number {
  return INDICATORS[name].worse === 'more' ? value : -value;
}

const zOf = ({ indicator, scale }: Pick<Predictor, 'indicator' | 'scale'>, value: number) =>
  Math.asinh(worseness(indicator, value) / scale);

/** Offset and slope of greatest likelihood less RIDGE · slope²/2, by Newton's steps; z in deviations inside. */
function logistic(z: readonly number[], positive: readonly boolean[]): { offset: number; slope: number } {
  const mean = z.reduce((sum, x) => sum + x, 0) / z.length;
  const deviation = Math.sqrt(z.reduce((sum, x) => sum + (x - mean) ** 2, 0) / z.length) || 1;
  let [a, b] = [0, 0];
  for (let step = 0; step < STEPS; step++) {
    // A prior of half a network of each class keeps the offset finite too.
    let [ga, gb, haa, hab, hbb] = [-a / 4, -RIDGE * b, 1 / 4, 0, RIDGE];
    z.forEach((value, i) => {
      const x = (value - mean) / deviation;
      const p = 1 / (1 + Math.exp(-(a + b * x)));
      const [error, weight] = [(positive[i] ? 1 : 0) - p, p * (1 - p)];
      ga += error;
      gb += error * x;
      haa += weight;
      hab += weight * x;
      hbb += weight * x * x;
    });
    const determinant = haa * hbb - hab * hab;
    a += (hbb * ga - hab * gb) / determinant;
    b += (haa * gb - hab * ga) / determinant;
  }
  return { slope: b / deviation, offset: a - (b * mean) / deviation };
}

/** Rising means of drop over z: neighbours that fall are pooled (Ayer et al., 1955). One knot at the middle of each pool. */
export function isotonic(z: readonly number[], drops: readonly number[]): [number, number][] {
  const pairs = z.map((x, i): [number, number] => [x, drops[i] as number]).sort((a, b) => a[0] - b[0]);
  const pools: { x: number; y: number; count: number }[] = [];
  for (const [x, y] of pairs) {
    pools.push({ x, y, count: 1 });
    for (let last = pools.length - 1; last > 0; last--) {
      const [before, own] = [pools[last - 1], pools[last]] as [(typeof pools)[0], (typeof pools)[0]];
      if (before.y < own.y && before.x < own.x) break;
      const count = before.count + own.count;
      const middle = (a: number, b: number) => (a * before.count + b * own.count) / count;
      pools.splice(last - 1, 2, { x: middle(before.x, own.x), y: middle(before.y, own.y), count });
    }
  }
  return pools.map(({ x, y }) => [x, y]);
}

function along(knots: Predictor['knots'], z: number): number {
  const after = knots.findIndex(([x]) => x >= z);
  const [first, last] = [knots[0], knots.at(-1)] as [[number, number], [number, number]];
  if (after === 0) return first[1];
  if (after < 0) return last[1];
  const [[x0, y0], [x1, y1]] = [knots[after - 1], knots[after]] as [[number, number], [number, number]];
  return y0 + ((z - x0) / (x1 - x0)) * (y1 - y0);
}

function curveOf(networks: readonly StudyNetwork[], indicator: IndicatorName, threshold: number) {
  const sizes = networks.map(({ indicators }) => Math.abs(indicators[indicator]));
  const scale = LOG_FROM * quantile(sizes, 0.5) || 1;
  const z = networks.map(({ indicators }) => zOf({ indicator, scale }, indicators[indicator]));
  const drops = networks.map(({ drop }) => drop);
  const curve = logistic(
    z,
    drops.map((drop) => drop > threshold),
  );
  return { indicator, scale, threshold, ...curve, knots: isotonic(z, drops) };
}

type Curve = ReturnType<typeof curveOf>;

function read(curve: Curve | Predictor, value: number): { probability: number; drop: number } {
  const z = zOf(curve, value);
  return { probability: 1 / (1 + Math.exp(-(curve.offset + curve.slope * z))), drop: along(curve.knots, z) };
}

/** Predictions for the networks of each group by a fit on all others. */
export function heldOut(
  networks: readonly StudyNetwork[],
  group: (network: StudyNetwork) => string,
  choose: (others: readonly StudyNetwork[]) => IndicatorName,
  threshold: number,
): { readonly network: StudyNetwork; readonly probability: number; readonly drop: number }[] {
  return [...new Set(networks.map(group))].flatMap((name) => {
    const others = networks.filter((network) => group(network) !== name);
    if (others.length < 2) return [];
    const indicator = choose(others);
    const curve = curveOf(others, indicator, threshold);
    return networks
      .filter((network) => group(network) === name)
      .map((network) => ({ network, ...read(curve, network.indicators[indicator]) }));
  });
}

/**
 * A predictor from one indicator. Its interval is of the residuals of networks whose teacher was left out. Throws
 * InvalidArgumentError with fewer than two teachers.
 */
export function fitPredictor(
  networks: readonly StudyNetwork[],
  indicator: IndicatorName,
  threshold: number,
  settings: unknown,
): Predictor {
  const names = (of: (network: StudyNetwork) => string) => [...new Set(networks.map(of))].sort();
  const teachers = names(({ teacher }) => teacher);
  if (teachers.length < 2) {
    throw new InvalidArgumentError('fitPredictor', 'networks', 'of two or more teachers', String(teachers.length));
  }
  const apart = heldOut(
    networks,
    ({ teacher }) => teacher,
    () => indicator,
    threshold,
  );
  const residuals = apart.map(({ network, drop }) => network.drop - drop);
  const tail = (1 - CONFIDENCE) / 2;
  return {
    schema: 'faultline.predictor/1',
    ...curveOf(networks, indicator, threshold),
    residuals: [quantile(residuals, tail), quantile(residuals, 1 - tail)],
    confidence: CONFIDENCE,
    provenance: {
      networks: names(({ name }) => name).length,
      points: networks.length,
      policies: names(({ policy }) => policy),
      teachers,
      archs: names(({ arch }) => arch),
      kinds: names(({ kind }) => kind),
      settings,
    },
  };
}

/** What a network with these indicators is expected to lose. */
export function predictDrop(predictor: Predictor, indicators: Readonly<Record<IndicatorName, number>>): Prediction {
  return predictFrom(predictor, indicators[predictor.indicator]);
}

/** What a network with this value of the predictor's indicator is expected to lose. */
export function predictFrom(predictor: Predictor, value: number): Prediction {
  const { probability, drop } = read(predictor, value);
  const [low, high] = predictor.residuals;
  const held = (points: number) => Math.max(-100, Math.min(100, points));
  return { probability, drop, interval: [held(drop + Math.min(0, low)), held(drop + Math.max(0, high))] };
}
