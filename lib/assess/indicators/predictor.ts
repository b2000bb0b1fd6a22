// From indicators to an expected drop: fitted on networks whose drop was measured, with an interval from networks it
// was not fitted on, and a record of where it comes from.
//
// One or two indicators: the noise that reaches the margin says most; where architectures differ in how much noise they
// bear, a second one shows it.
import { InvalidArgumentError } from '../../core/errors.js';
import { spearman } from '../../statistics/ranks.js';
import type { Interval } from '../../statistics/shares.js';
import { quantile } from '../../statistics/summary.js';
import { fitLogistic } from './logistic.js';
import { INDICATORS, type IndicatorName } from './names.js';

/** A network of the population under one policy. */
export interface StudyNetwork {
  readonly name: string;
  /** What it was made from: networks of one teacher are alike and are held out together. */
  readonly teacher: string;
  readonly arch: string;
  /** `ordinary`, `robust`, `detrimental`, `gauge`, … */
  readonly kind: string;
  /** Policy of the drop and of the indicators' steps: `W4A4`, digits, or the name of a file. */
  readonly policy: string;
  /** Points lost to quantization. */
  readonly drop: number;
  readonly indicators: Readonly<Record<IndicatorName, number>>;
}

interface Provenance {
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

/**
 * An indicator in the predictor's score: asinh(value / scale), turned so that more is worse: a logarithm that takes 0
 * and signs.
 */
interface Term {
  readonly indicator: IndicatorName;
  readonly scale: number;
  readonly slope: number;
}

/** Schema faultline.predictor/2. */
export interface Predictor {
  readonly schema: 'faultline.predictor/2';
  /** score = offset + Σ slope · asinh(±value / scale), and P(drop > threshold) = 1 / (1 + exp(−score)). */
  readonly terms: readonly Term[];
  readonly offset: number;
  readonly threshold: number;
  /** Expected drop by score, rising, straight between: isotonic regression. */
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
const CONFIDENCE = 0.9;
const NAMES = Object.keys(INDICATORS) as IndicatorName[];
const SINGLE: readonly (readonly IndicatorName[])[] = NAMES.map((name) => [name]);
/** One indicator, or two. */
const CHOICES: readonly (readonly IndicatorName[])[] = [
  ...SINGLE,
  ...NAMES.flatMap((name, i) => NAMES.slice(i + 1).map((other) => [name, other])),
];

/** Values of some indicators. */
type Indications<Name extends IndicatorName = IndicatorName> = Readonly<Record<Name, number>>;

/** More is worse. */
export function worseness(name: IndicatorName, value: number): number {
  return INDICATORS[name].worse === 'more' ? value : -value;
}

const feature = ({ indicator, scale }: Pick<Term, 'indicator' | 'scale'>, indicators: Partial<Indications>) =>
  Math.asinh(worseness(indicator, indicators[indicator] ?? Number.NaN) / scale);

/**
 * Rising means of drop over x: neighbours that fall are pooled (Ayer et al., 1955). One knot at the middle of each
 * pool.
 */
export function isotonic(xs: readonly number[], drops: readonly number[]): [number, number][] {
  const pairs = xs.map((x, i): [number, number] => [x, drops[i] as number]).sort((a, b) => a[0] - b[0]);
  const pools: { x: number; y: number; count: number }[] = [];
  for (const [x, y] of pairs) {
    pools.push({ x, y, count: 1 });
    for (let last = pools.length - 1; last > 0; last--) {
      const [before, newest] = [pools[last - 1], pools[last]] as [(typeof pools)[0], (typeof pools)[0]];
      if (before.y < newest.y && before.x < newest.x) break;
      const count = before.count + newest.count;
      const middle = (a: number, b: number) => (a * before.count + b * newest.count) / count;
      pools.splice(last - 1, 2, { x: middle(before.x, newest.x), y: middle(before.y, newest.y), count });
    }
  }
  return pools.map(({ x, y }) => [x, y]);
}

function along(knots: Predictor['knots'], score: number): number {
  const after = knots.findIndex(([x]) => x >= score);
  const [first, last] = [knots[0], knots.at(-1)] as [[number, number], [number, number]];
  if (after === 0) return first[1];
  if (after < 0) return last[1];
  const [[x0, y0], [x1, y1]] = [knots[after - 1], knots[after]] as [[number, number], [number, number]];
  return y0 + ((score - x0) / (x1 - x0)) * (y1 - y0);
}

type Curve = Pick<Predictor, 'terms' | 'offset' | 'threshold'>;

function scoreOf({ terms, offset }: Curve, indicators: Partial<Indications>): number {
  return terms.reduce((sum, term) => sum + term.slope * feature(term, indicators), offset);
}

function curveOf(networks: readonly StudyNetwork[], names: readonly IndicatorName[], threshold: number): Curve {
  const scaled = names.map((indicator) => {
    const sizes = networks.map(({ indicators }) => Math.abs(indicators[indicator]));
    return { indicator, scale: LOG_FROM * quantile(sizes, 0.5) || 1 };
  });
  const { slopes, offset } = fitLogistic(
    scaled.map((term) => networks.map(({ indicators }) => feature(term, indicators))),
    networks.map(({ drop }) => drop > threshold),
  );
  return { terms: scaled.map((term, i) => ({ ...term, slope: slopes[i] as number })), offset, threshold };
}

const knotsOf = (curve: Curve, networks: readonly StudyNetwork[]) =>
  isotonic(
    networks.map(({ indicators }) => scoreOf(curve, indicators)),
    networks.map(({ drop }) => drop),
  );

const namesOf = (networks: readonly StudyNetwork[], of: (network: StudyNetwork) => string) => [
  ...new Set(networks.map(of)),
];

/** A fit on the others for each group, with what it says of the networks of the group. */
function apart<Result>(
  networks: readonly StudyNetwork[],
  group: (network: StudyNetwork) => string,
  say: (others: readonly StudyNetwork[], heldOut: readonly StudyNetwork[]) => readonly Result[],
): Result[] {
  return namesOf(networks, group).flatMap((name) => {
    const others = networks.filter((network) => group(network) !== name);
    if (others.length < 2) return [];
    return say(
      others,
      networks.filter((network) => group(network) === name),
    );
  });
}

/** Rank correlation of drops with scores, −1 where there is none. */
function ranking(scored: readonly { readonly score: number; readonly drop: number }[]): number {
  const scores = scored.map(({ score }) => score);
  const drops = scored.map(({ drop }) => drop);
  const { value } = spearman(scores, drops);
  return Number.isNaN(value) ? -1 : value;
}

/**
 * The one or two indicators whose fit ranks the drops of teachers left out best, by Spearman's correlation. Where none
 * can be left out, the one that ranks best itself.
 */
export function chooseIndicators(networks: readonly StudyNetwork[], threshold: number): readonly IndicatorName[] {
  const teacher = (network: StudyNetwork) => network.teacher;
  const several = namesOf(networks, teacher).length > 1;
  const qualities = (several ? CHOICES : SINGLE).map((names) => {
    if (!several) {
      const [name] = names as [IndicatorName];
      return ranking(networks.map(({ indicators, drop }) => ({ score: worseness(name, indicators[name]), drop })));
    }
    const unseen = apart(networks, teacher, (others, heldOut) => {
      const curve = curveOf(others, names, threshold);
      return heldOut.map(({ indicators, drop }) => ({ score: scoreOf(curve, indicators), drop }));
    });
    return ranking(unseen);
  });
  return CHOICES[qualities.indexOf(Math.max(...qualities))] as readonly IndicatorName[];
}

/** Predictions for the networks of each group by a fit on all others. */
export function heldOut(
  networks: readonly StudyNetwork[],
  group: (network: StudyNetwork) => string,
  choose: (others: readonly StudyNetwork[]) => readonly IndicatorName[],
  threshold: number,
): { readonly network: StudyNetwork; readonly probability: number; readonly drop: number }[] {
  return apart(networks, group, (others, heldOut) => {
    const curve = curveOf(others, choose(others), threshold);
    const knots = knotsOf(curve, others);
    return heldOut.map((network) => ({ network, ...read({ ...curve, knots }, network.indicators) }));
  });
}

function read(predictor: Curve & Pick<Predictor, 'knots'>, indicators: Partial<Indications>) {
  const score = scoreOf(predictor, indicators);
  return { probability: 1 / (1 + Math.exp(-score)), drop: along(predictor.knots, score) };
}

/**
 * A predictor from one or two indicators. Its interval is of the residuals of networks whose teacher was left out. Throws
 * InvalidArgumentError with fewer than two teachers.
 */
export function fitPredictor(
  networks: readonly StudyNetwork[],
  indicators: readonly IndicatorName[],
  threshold: number,
  settings: unknown,
): Predictor {
  const names = (of: (network: StudyNetwork) => string) => namesOf(networks, of).sort();
  const teachers = names(({ teacher }) => teacher);
  if (teachers.length < 2) {
    throw new InvalidArgumentError('fitPredictor', 'networks', 'of two or more teachers', String(teachers.length));
  }
  const unseen = heldOut(
    networks,
    ({ teacher }) => teacher,
    () => indicators,
    threshold,
  );
  const residuals = unseen.map(({ network, drop }) => network.drop - drop);
  const tail = (1 - CONFIDENCE) / 2;
  const curve = curveOf(networks, indicators, threshold);
  return {
    schema: 'faultline.predictor/2',
    ...curve,
    knots: knotsOf(curve, networks),
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

/** Expected drop of a network with these indicators, at least those of the predictor's terms. */
export function predictDrop(predictor: Predictor, indicators: Partial<Indications>): Prediction {
  const { probability, drop } = read(predictor, indicators);
  if (Number.isNaN(probability)) {
    const expected = `figures of ${predictor.terms.map(({ indicator }) => indicator).join(', ')}`;
    throw new InvalidArgumentError('predictDrop', 'indicators', expected, JSON.stringify(indicators));
  }
  const [low, high] = predictor.residuals;
  const held = (points: number) => Math.max(-100, Math.min(100, points));
  return { probability, drop, interval: [held(drop + Math.min(0, low)), held(drop + Math.max(0, high))] };
}

/** The predictor's indicators as a person reads them. */
export function termLabels({ terms }: { readonly terms: readonly Pick<Term, 'indicator'>[] }): string {
  return terms.map(({ indicator }) => INDICATORS[indicator].label).join(' and ');
}
