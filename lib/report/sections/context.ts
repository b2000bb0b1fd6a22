// Context of the figures: the paper's figures beside ours, the assumptions, and the origin of data and networks.
import type { Block, Section } from '../document.js';
import { type Cell, formatDuration, formatNumber } from '../format.js';
import type { Report } from '../schema.js';

export function referenceSection(report: Report): Section | undefined {
  const { references = [] } = report;
  if (references.length === 0) return undefined;
  return {
    id: 'references',
    title: 'Beside the paper',
    blocks: [
      {
        kind: 'text',
        text:
          'Figures published by Frank & Ardis (arXiv 2510.02457) are reference points. Networks, data and losses differ ' +
          'or are unknown: this is an implementation of the published idea, no reproduction of its numbers.',
      },
      {
        kind: 'table',
        name: 'references',
        caption: 'Published, and here',
        columns: [
          { key: 'what', label: 'what', unit: 'text' },
          { key: 'published', label: 'published', unit: 'text' },
          { key: 'ours', label: 'here', unit: 'text' },
          { key: 'source', label: 'source', unit: 'text' },
        ],
        rows: references.map(({ what, published, ours, source }): Cell[] => [what, published, ours, source ?? '']),
      },
    ],
  };
}

export function assumptionSection(report: Report): Section | undefined {
  const { assumptions = [] } = report;
  if (assumptions.length === 0) return undefined;
  return {
    id: 'assumptions',
    title: 'Assumptions',
    blocks: [
      { kind: 'text', text: 'What the paper leaves open, and what was chosen here.' },
      {
        kind: 'table',
        name: 'assumptions',
        caption: 'Open points and choices',
        columns: [
          { key: 'what', label: 'what', unit: 'text' },
          { key: 'assumed', label: 'here', unit: 'text' },
        ],
        rows: assumptions.map(({ what, assumed }): Cell[] => [what, assumed]),
      },
    ],
  };
}

function factRows(report: Report): Cell[][] {
  const { provenance } = report;
  if (!provenance) return [];
  const list = (record: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(record)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ');
  const rows: [string, string | undefined][] = [
    ['command', provenance.command],
    ['started', provenance.startedAt],
    ['versions', list(provenance.versions)],
    ['processor', provenance.cpu],
    ['instruction set', provenance.isa],
    ['threads', String(provenance.threads)],
    ['seeds', provenance.seeds?.join(', ')],
    ['data', provenance.data],
    ['images', list(provenance.images)],
    [
      'peak memory',
      provenance.peakMemoryBytes === undefined
        ? undefined
        : `${formatNumber(provenance.peakMemoryBytes / 2 ** 20, 'count')} MiB`,
    ],
    ['total time', report.totalSeconds === undefined ? undefined : formatDuration(report.totalSeconds)],
    ...Object.entries(provenance.settings ?? {}).map(([key, value]): [string, string] => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
    ...Object.entries(provenance.hashes ?? {}).map(([key, value]): [string, string] => [`SHA-256 of ${key}`, value]),
  ];
  return rows.filter(([, value]) => value !== undefined && value !== '');
}

export function provenanceSection(report: Report): Section | undefined {
  const rows = factRows(report);
  if (rows.length === 0) return undefined;
  const { stages = [] } = report.provenance ?? {};
  const time: Block[] =
    stages.length === 0
      ? []
      : [
          {
            kind: 'chart',
            name: 'time',
            caption: 'Where the time went',
            alt: `Seconds of each of ${stages.length} stages`,
            data: {
              type: 'bars',
              x: { label: 'time', unit: 'seconds' },
              bars: stages.map(({ name, seconds }) => ({ label: name, value: seconds })),
            },
          },
        ];
  return {
    id: 'provenance',
    title: 'Provenance',
    blocks: [
      ...time,
      {
        kind: 'table',
        name: 'provenance',
        caption: 'How to get the same again',
        columns: [
          { key: 'what', label: 'what', unit: 'text' },
          { key: 'value', label: 'value', unit: 'text' },
        ],
        rows,
      },
    ],
  };
}
