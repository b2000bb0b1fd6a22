// report.json → a Document: the front page's figures and sentence, then every section that has something to show.
import type { Document, Fact, Section } from './document.js';
import { formatDuration, formatNumber, formatQuantity, percentText as percent } from './format.js';
import { namedPairs } from './names.js';
import type { PairResult, Report } from './schema.js';
import { accuracySection, uniformSection } from './sections/accuracy.js';
import { assumptionSection, provenanceSection, referenceSection } from './sections/context.js';
import { classSection, controlSection, flipSection, policySection, responsibleSection } from './sections/failure.js';
import { searchSection, trainingSection } from './sections/search.js';
import { corruptionSection, diagnosisSection, indicatorSection, mitigationSection } from './sections/stress.js';

/** In the order of the page. A new section is a function here. */
const SECTIONS: readonly ((report: Report) => Section[])[] = [
  accuracySection,
  policySection,
  flipSection,
  classSection,
  responsibleSection,
  controlSection,
  uniformSection,
  corruptionSection,
  indicatorSection,
  (report) => diagnosisSection(report),
  (report) => mitigationSection(report),
  searchSection,
  trainingSection,
  referenceSection,
  assumptionSection,
  provenanceSection,
];

/** The pair with the largest drop among those of an objective. */
function worst(report: Report, objective: string, policy?: PairResult['policy']): PairResult | undefined {
  return report.pairs
    .filter((pair) => pair.objective === objective && (policy === undefined || pair.policy === policy))
    .reduce<PairResult | undefined>((most, pair) => (most && most.drop >= pair.drop ? most : pair), undefined);
}

/** Name of a figure among similar ones. */
function largestOf(report: Report, { objective, policy }: PairResult): string {
  const alike = report.pairs.filter((pair) => pair.objective === objective && pair.policy === policy).length;
  return alike > 1 ? `, the largest drop of ${alike}` : '';
}

const points = (value: number) => formatQuantity(value, 'points');

function factsOf(report: Report): Fact[] {
  const facts: Fact[] = [];
  const { teacher, gauge, totalSeconds } = report;
  if (teacher) {
    facts.push({
      label: 'teacher',
      value: formatNumber(teacher.accuracy, 'percent'),
      unit: '%',
      note: teacher.arch ? `${teacher.arch}, full precision` : 'full precision',
    });
  }
  for (const objective of new Set(report.pairs.map((pair) => pair.objective))) {
    for (const policy of ['static', 'input'] as const) {
      const pair = worst(report, objective, policy);
      if (!pair) continue;
      facts.push({
        label: `${objective}, ${policy === 'static' ? 'static policy' : 'policy by input'}`,
        value: formatNumber(-pair.drop, 'points'),
        unit: 'points',
        note: `${formatNumber(pair.fpAccuracy, 'percent')} → ${percent(pair.quantizedAccuracy)} at ${formatQuantity(pair.effectiveBits, 'bits')}${largestOf(report, pair)}`,
        tone: objective === 'robust' ? 'good' : 'bad',
      });
    }
  }
  const attacked = gauge.reduce<(typeof gauge)[number] | undefined>(
    (a, b) => (a && a.drop >= b.drop ? a : b),
    undefined,
  );
  if (attacked) {
    facts.push({
      label: `gauge, ${attacked.bits}`,
      value: formatNumber(-attacked.drop, 'points'),
      unit: 'points',
      note: attacked.fpBitExact
        ? 'full precision bit for bit the same'
        : `full precision ${percent(attacked.fpAccuracy)}`,
      tone: 'bad',
    });
  }
  if (totalSeconds !== undefined) {
    facts.push({ label: 'time', value: formatDuration(totalSeconds), note: machineOf(report) });
  }
  return facts;
}

function machineOf({ provenance }: Report): string {
  if (!provenance) return '';
  return `${provenance.isa}, ${provenance.threads} thread${provenance.threads === 1 ? '' : 's'}`;
}

/** What was found, from the figures. */
function leadOf(report: Report): string {
  if (report.summary !== undefined) return report.summary;
  const bad = worst(report, 'detrimental');
  const robust = worst(report, 'robust', bad?.policy);
  const parts: string[] = [];
  if (bad) {
    const beside = report.teacher ? ` (${points(Math.abs(bad.fpGap))} from its teacher)` : '';
    parts.push(
      `A network with ${percent(bad.fpAccuracy)} accuracy in full precision${beside} falls to ` +
        `${percent(bad.quantizedAccuracy)} when its layers get ${formatNumber(bad.effectiveBits, 'bits')} bits on average.`,
    );
  }
  if (robust) {
    const alike = bad !== undefined && bad.effectiveBits === robust.effectiveBits;
    const twin = alike ? 'Its robust twin, under the same budget,' : 'The robust network';
    parts.push(`${twin} ${robust.drop > 0 ? `loses ${points(robust.drop)}` : 'loses nothing'}.`);
  }
  return parts.join(' ');
}

function footerOf({ provenance }: Report): string {
  if (!provenance) return 'faultline';
  const version = provenance.versions.faultline;
  return ['faultline', version, provenance.startedAt?.slice(0, 10)].filter(Boolean).join(' · ');
}

/** Everything there is to show of a report, in order. */
export function buildDocument(report: Report): Document {
  return {
    title: report.title ?? 'Failure under dynamic quantization',
    lead: leadOf(report),
    facts: factsOf(report),
    sections: SECTIONS.flatMap((section) => section(report)),
    footer: footerOf(report),
  };
}

/** Names of the pairs of a report, in order: what its sections call them. */
export function pairNames(report: Report): string[] {
  return namedPairs(report).map(({ name }) => name);
}
