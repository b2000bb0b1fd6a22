// How good are the indicators? Over a population of networks with measured drops: rank correlation and area under the ROC
// curve of each, useless ones included, and a fitted predictor on teachers and architectures that it never saw.
import { InvalidArgumentError } from '../../core/errors.js';
import { auroc, type Estimate, spearman } from '../../statistics/ranks.js';
import { mean } from '../../statistics/summary.js';
import { INDICATORS, type IndicatorName } from './names.js';
import { chooseIndicators, fitPredictor, heldOut, type Predictor, type StudyNetwork, worseness } from './predictor.js';

/** Drop in points from which on a network counts as broken. */
const BROKEN = 10;

interface Quality {
  /** Networks, each once for every policy that it was measured under. */
  readonly networks: number;
  readonly broken: number;
  /** With the drop; undefined where the networks do not differ. */
  readonly spearman: Estimate | undefined;
  /** For a drop above the threshold; undefined where all or none are broken. */
  readonly auroc: Estimate | undefined;
}

/** How well one indicator predicts which networks fail. */
export interface IndicatorQuality {
  readonly indicator: IndicatorName;
  /** Nothing is fitted but the direction, which is fixed: ranks over all networks are held-out ranks. */
  readonly all: Quality;
  /** Within one architecture, and under one policy, where several networks have it. */
  readonly byArch: Readonly<Record<string, Quality>>;
  readonly byPolicy: Readonly<Record<string, Quality>>;
}

interface FittedQuality extends Quality {
  /** Mean of |measured − expected drop|, points. */
  readonly meanError: number;
}

/** How well indicators do over a population of networks. */
export interface IndicatorStudy {
  readonly schema: 'faultline.indicators/1';
  readonly threshold: number;
  readonly networks: readonly StudyNetwork[];
  /** Best rank correlation first. */
  readonly indicators: readonly IndicatorQuality[];
  /** Indicators chosen, and their curve fitted, without the teacher (the architecture) it is judged on. */
  readonly heldOutTeachers: FittedQuality | undefined;
  readonly heldOutArchs: FittedQuality | undefined;
  readonly predictor: Predictor;
}

function quality(scores: readonly number[], drops: readonly number[], threshold: number): Quality {
  const broken = drops.map((drop) => drop > threshold);
  const known = (estimate: Estimate) => (Number.isNaN(estimate.value) ? undefined : estimate);
  return {
    networks: drops.length,
    broken: broken.filter(Boolean).length,
    spearman: known(spearman(scores, drops)),
    auroc: known(auroc(scores, broken)),
  };
}

function qualityOf(networks: readonly StudyNetwork[], name: IndicatorName, threshold: number): Quality {
  const scores = networks.map(({ indicators }) => worseness(name, indicators[name]));
  return quality(
    scores,
    networks.map(({ drop }) => drop),
    threshold,
  );
}

const NAMES = Object.keys(INDICATORS) as IndicatorName[];

/** How many networks each group has. */
function groupsOf(networks: readonly StudyNetwork[], of: (network: StudyNetwork) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const network of networks) counts.set(of(network), (counts.get(of(network)) ?? 0) + 1);
  return counts;
}

function fitted(
  networks: readonly StudyNetwork[],
  group: (network: StudyNetwork) => string,
  threshold: number,
): FittedQuality | undefined {
  const found = heldOut(networks, group, (others) => chooseIndicators(others, threshold), threshold);
  if (found.length === 0) return undefined;
  const drops = found.map(({ network }) => network.drop);
  return {
    ...quality(
      found.map(({ probability }) => probability),
      drops,
      threshold,
    ),
    meanError: mean(found.map(({ network, drop }) => Math.abs(network.drop - drop))),
  };
}

/**
 * The study of a population. Intervals take networks to be independent; those of one teacher are not, so that few
 * teachers make them too narrow. `settings`: bits, data and samples that the figures are of. Throws
 * InvalidArgumentError with fewer than two teachers, and on figures that are no numbers.
 */
export function studyIndicators(
  networks: readonly StudyNetwork[],
  settings: unknown,
  threshold = BROKEN,
): IndicatorStudy {
  for (const { name, drop, indicators } of networks) {
    const bad = NAMES.find((indicator) => !Number.isFinite(indicators[indicator]));
    if (bad === undefined && Number.isFinite(drop)) continue;
    const received = bad ? `${bad} ${indicators[bad]}` : `drop ${drop}`;
    throw new InvalidArgumentError('studyIndicators', `network "${name}"`, 'finite figures', received);
  }
  const archs = [...new Set(networks.map(({ arch }) => arch))].sort();
  const policies = [...groupsOf(networks, ({ policy }) => policy)]
    .filter(([, count]) => count > 2)
    .map(([name]) => name);
  const indicators = NAMES.map((indicator): IndicatorQuality => {
    const by = (names: readonly string[], of: (network: StudyNetwork) => string) =>
      Object.fromEntries(
        names.map((name) => [
          name,
          qualityOf(
            networks.filter((network) => of(network) === name),
            indicator,
            threshold,
          ),
        ]),
      );
    return {
      indicator,
      all: qualityOf(networks, indicator, threshold),
      byArch: by(archs, ({ arch }) => arch),
      byPolicy: by(policies, ({ policy }) => policy),
    };
  });
  const rank = ({ all }: IndicatorQuality) => all.spearman?.value ?? -1;
  return {
    schema: 'faultline.indicators/1',
    threshold,
    networks,
    indicators: indicators.sort((a, b) => rank(b) - rank(a)),
    heldOutTeachers: fitted(networks, ({ teacher }) => teacher, threshold),
    heldOutArchs: archs.length > 1 ? fitted(networks, ({ arch }) => arch, threshold) : undefined,
    predictor: fitPredictor(networks, chooseIndicators(networks, threshold), threshold, settings),
  };
}
