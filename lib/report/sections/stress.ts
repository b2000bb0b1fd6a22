// When a network breaks and what helps: corruptions, indicators, mitigation.

import { groupBy } from '../../core/group_by.js';
import { mean } from '../../statistics/summary.js';
import type { CellChart } from '../chart.js';
import {
  type Block,
  bullets,
  chart,
  type Field,
  filled,
  paragraph,
  type Section,
  section,
  type Table,
  table,
} from '../document.js';
import type { Cell } from '../format.js';
import { slug } from '../names.js';
import type { Report } from '../schema.js';

type GridCell = NonNullable<Report['corruptions']>['grid'][number];

const dropsOf = (cells: readonly GridCell[]) => cells.map(({ drop }) => drop);
const corruptionsOf = (cells: readonly GridCell[]) => [...new Set(cells.map(({ corruption }) => corruption))];

/** What the maps of points that quantization adds have in common: corruptions down. */
const dropMap = (hottest: number) =>
  ({
    ...{ type: 'cells', rowsLabel: 'corruption', unit: 'points', shades: 'heat', domain: [0, hottest] },
  }) as const satisfies Partial<CellChart>;

/** Severities across. */
function corruptionChart(title: string, cells: readonly GridCell[], hottest: number): Block {
  const rows = corruptionsOf(cells);
  const severities = [...new Set(cells.map(({ severity }) => severity))].sort((a, b) => a - b);
  const drop = (row: string, severity: number) =>
    cells.find((cell) => cell.corruption === row && cell.severity === severity)?.drop ?? null;
  const caption = `${title}: points that quantization takes under each corruption`;
  const alt = `${rows.length} corruptions by ${severities.length} severities, ${title}`;
  const values = rows.map((row) => severities.map((severity) => drop(row, severity)));
  const columns = severities.map(String);
  return chart(
    { name: `corruptions-${title}`, caption, alt },
    { ...dropMap(hottest), columnsLabel: 'severity', columns, rows, values },
  );
}

/** More networks than this share one map, of means over severities. */
const MOST_MAPS = 2;

/** Networks across: the mean over severities of what quantization adds. */
function networkChart(groups: ReadonlyMap<string, readonly GridCell[]>, hottest: number): Block {
  const rows = corruptionsOf([...groups.values()].flat());
  const drop = (cells: readonly GridCell[], row: string) => {
    const drops = dropsOf(cells.filter(({ corruption }) => corruption === row));
    return drops.length > 0 ? mean(drops) : null;
  };
  const caption = 'Points that quantization takes under each corruption, mean over severities';
  const alt = `${rows.length} corruptions by ${groups.size} networks`;
  const values = rows.map((row) => [...groups.values()].map((cells) => drop(cells, row)));
  const columns = [...groups.keys()];
  return chart(
    { name: 'corruptions-networks', caption, alt },
    { ...dropMap(hottest), columnsLabel: 'network, policy', columns, rows, values },
  );
}

function gridTable(grid: readonly GridCell[]): Table {
  const about = { name: 'corruptions-grid', caption: 'Every corruption at every severity', folded: true };
  return table(about, grid, [
    ['network', 'network', 'text', ({ network }) => network],
    ['policy', 'policy', 'text', ({ policy }) => policy],
    ['corruption', 'corruption', 'text', ({ corruption }) => corruption],
    ['severity', 'severity', 'count', ({ severity }) => severity],
    ['fpAccuracy', 'fp32', 'percent', ({ fpAccuracy }) => fpAccuracy],
    ['quantizedAccuracy', 'integer', 'percent', ({ quantizedAccuracy }) => quantizedAccuracy],
    ['drop', 'drop', 'points', ({ drop, interval }) => ({ value: drop, interval })],
  ]);
}

export function corruptionSection(report: Pick<Report, 'corruptions'>): Section[] {
  const { grid = [], pictures = [] } = report.corruptions ?? {};
  if (grid.length === 0) return [];
  const titleOf = ({ network, policy }: GridCell) => (network === undefined ? policy : `${network}, ${policy}`);
  const groups = groupBy(grid, titleOf);
  const hottest = Math.max(1, ...dropsOf(grid));
  // A value far out of range is another kind of harm: its mean is separate.
  const kinds = groupBy(grid, (cell) => `${titleOf(cell)}${cell.family === 'range' ? '; range attacks' : ''}`);
  const about = { name: 'corruptions-mean', caption: 'Mean over corruptions and severities', brief: true };
  const blocks: Block[] = [
    paragraph(
      'Full precision and integers see the same corrupted images: the drop is what quantization adds to the damage ' +
        'of the corruption alone.',
    ),
    table(
      about,
      [...kinds],
      [
        ['network', 'network, policy', 'text', ([title]) => title],
        ['fpAccuracy', 'fp32', 'percent', ([, cells]) => mean(cells.map(({ fpAccuracy }) => fpAccuracy))],
        ['quantizedAccuracy', 'integer', 'percent', ([, cells]) => mean(cells.map((cell) => cell.quantizedAccuracy))],
        ['drop', 'mean drop', 'points', ([, cells]) => mean(dropsOf(cells))],
        ['worstDrop', 'worst drop', 'points', ([, cells]) => Math.max(...dropsOf(cells))],
      ],
    ),
    ...(groups.size > MOST_MAPS
      ? [networkChart(groups, hottest), gridTable(grid)]
      : [...groups].map(([title, cells]) => corruptionChart(title, cells, hottest))),
  ];
  if (pictures.length > 0) {
    const shown = pictures.map(({ corruption, severity, picture: source }) => ({
      ...{ source, alt: `${corruption} at severity ${severity}`, caption: `${corruption} ${severity}` },
    }));
    blocks.push({ kind: 'pictures', caption: 'What the corruptions look like', pictures: shown });
  }
  return section('corruptions', 'Corruptions', blocks);
}

type Indicator = NonNullable<Report['indicators']>[number];

/** The columns of an indicator table that any row fills. */
function indicatorFields(rows: readonly Indicator[]): Field<Indicator>[] {
  const networks = [...new Set(rows.flatMap(({ values = {} }) => Object.keys(values)))];
  const estimate = (value: number | undefined, interval: Indicator['aurocInterval']): Cell =>
    value === undefined ? undefined : { value, interval };
  return filled(rows, [
    ['indicator', 'indicator', 'text', ({ indicator }) => indicator],
    ...networks.map((name): Field<Indicator> => [slug(name), name, 'number', ({ values }) => values?.[name]]),
    ['value', 'here', 'number', ({ value }) => value],
    ['spearman', 'Spearman', 'number', (row) => estimate(row.spearman, row.spearmanInterval)],
    ['auroc', 'AUROC', 'number', (row) => estimate(row.auroc, row.aurocInterval)],
    ['note', 'note', 'text', ({ note }) => note],
  ]);
}

export function indicatorSection({ indicators = [] }: Pick<Report, 'indicators'>): Section[] {
  if (indicators.length === 0) return [];
  const fields = indicatorFields(indicators);
  const judged = fields.some(([key]) => key === 'spearman' || key === 'auroc');
  const what = judged
    ? 'What full precision alone predicts about the drop: Spearman correlation, and AUROC for a drop above 10 points.'
    : 'What full precision alone predicts about the drop, on images without labels and with nothing quantized. More is worse ' +
      'unless the note says otherwise; the classical ones are there for comparison.';
  const about = { name: 'indicators', caption: 'Indicators, useless ones included', brief: true };
  return section('indicators', 'Indicators from full precision', [paragraph(what), table(about, indicators, fields)]);
}

/** What a network fails of, in words. */
export function diagnosisSection({ diagnosis }: Pick<Report, 'diagnosis'>, brief = false): Section[] {
  if (!diagnosis) return [];
  const { reasons, note } = diagnosis;
  return section('diagnosis', 'What is wrong', [...(note ? [paragraph(note, brief)] : []), ...bullets(reasons, brief)]);
}

type Mitigation = NonNullable<Report['mitigation']>[number];

const after = ({ after: value, afterInterval: interval }: Mitigation) => ({ value, interval });
/** Where several cures are reported as one, the table names them. */
const labelOf = ({ network, scene, cure, policy }: Mitigation) =>
  scene === undefined ? [cure, network, policy].filter(Boolean).join(', ') : `${network}; ${scene}`;

/** `brief`: the table is on the terminal too. */
export function mitigationSection(report: Pick<Report, 'mitigation' | 'diagnosis'>, brief = true): Section[] {
  const { mitigation = [], diagnosis } = report;
  if (mitigation.length === 0) return [];
  const applied = mitigation.filter((one) => one.applied !== false);
  const fields = filled(mitigation, [
    ['network', diagnosis ? 'judged on' : 'network', 'text', ({ network }) => network],
    ['scene', 'images', 'text', ({ scene }) => scene],
    ['cure', 'cure', 'text', ({ cure }) => cure],
    ['policy', 'policy', 'text', ({ policy }) => policy],
    ['fpAccuracy', 'fp32', 'percent', ({ fpAccuracy }) => fpAccuracy],
    ['before', 'before', 'percent', ({ before }) => before],
    ['after', 'after', 'percent', after],
    ['kept', 'kept', 'text', (one) => (one.applied === false ? 'not applied' : one.kept)],
    ['what', 'what was done, or why not', 'text', ({ what }) => what],
  ]);
  const x = { label: 'of the images', unit: 'percent', domain: [0, 100] } as const;
  const rows = applied.map((one) => ({ label: labelOf(one), from: { value: one.before }, to: after(one) }));
  const alt = `Before and after, for ${applied.length} cures`;
  return section('mitigation', 'Mitigation', [
    chart(
      { name: 'mitigation-chart', caption: 'Quantized, before and after the cure', alt },
      { type: 'ranges', x, names: ['before', 'after'], rows },
    ),
    table({ name: 'mitigation', caption: 'Cures, those that did not help included', brief }, mitigation, fields),
  ]);
}
