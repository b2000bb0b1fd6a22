// Context of the figures: the paper's figures beside ours, the assumptions, and the origin of data and networks.
import { type Block, chart, paragraph, type Section, section, table } from '../document.js';
import { formatDuration, formatNumber } from '../format.js';
import type { Report } from '../schema.js';

export function referenceSection({ references = [] }: Report): Section[] {
  if (references.length === 0) return [];
  return section('references', 'Beside the paper', [
    paragraph(
      'Figures published by Frank & Ardis (arXiv 2510.02457) are reference points. Networks, data and losses differ ' +
        'or are unknown: this is an implementation of the published idea, no reproduction of its numbers.',
    ),
    table({ name: 'references', caption: 'Published, and here' }, references, [
      ['what', 'what', 'text', ({ what }) => what],
      ['published', 'published', 'text', ({ published }) => published],
      ['ours', 'here', 'text', ({ ours }) => ours],
      ['source', 'source', 'text', ({ source }) => source ?? ''],
    ]),
  ]);
}

export function assumptionSection({ assumptions = [] }: Report): Section[] {
  if (assumptions.length === 0) return [];
  return section('assumptions', 'Assumptions', [
    paragraph('What the paper leaves open, and what was chosen here.'),
    table({ name: 'assumptions', caption: 'Open points and choices' }, assumptions, [
      ['what', 'what', 'text', ({ what }) => what],
      ['assumed', 'here', 'text', ({ assumed }) => assumed],
    ]),
  ]);
}

type Fact = readonly [what: string, value: string | undefined];

function factsOf({ provenance, totalSeconds }: Report): Fact[] {
  if (!provenance) return [];
  const list = (record: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(record)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ');
  const { peakMemoryBytes: bytes, settings = {}, hashes = {} } = provenance;
  const facts: Fact[] = [
    ['command', provenance.command],
    ['started', provenance.startedAt],
    ['versions', list(provenance.versions)],
    ['processor', provenance.cpu],
    ['instruction set', provenance.isa],
    ['threads', String(provenance.threads)],
    ['seeds', provenance.seeds?.join(', ')],
    ['data', provenance.data],
    ['images', list(provenance.images)],
    ['peak memory', bytes === undefined ? undefined : `${formatNumber(bytes / 2 ** 20, 'count')} MiB`],
    ['total time', totalSeconds === undefined ? undefined : formatDuration(totalSeconds)],
    ...Object.entries(settings).map(
      ([key, value]): Fact => [key, typeof value === 'string' ? value : JSON.stringify(value)],
    ),
    ...Object.entries(hashes).map(([key, value]): Fact => [`SHA-256 of ${key}`, value]),
  ];
  return facts.filter(([, value]) => value !== undefined && value !== '');
}

export function provenanceSection(report: Report): Section[] {
  const facts = factsOf(report);
  if (facts.length === 0) return [];
  const { stages = [] } = report.provenance ?? {};
  const bars = stages.map(({ name, seconds }) => ({ label: name, value: seconds }));
  const about = { name: 'time', caption: 'Where the time went', alt: `Seconds of each of ${stages.length} stages` };
  const time: Block[] =
    bars.length === 0 ? [] : [chart(about, { type: 'bars', x: { label: 'time', unit: 'seconds' }, bars })];
  return section('provenance', 'Provenance', [
    ...time,
    table({ name: 'provenance', caption: 'How to get the same again' }, facts, [
      ['what', 'what', 'text', ([what]) => what],
      ['value', 'value', 'text', ([, value]) => value],
    ]),
  ]);
}
