// When a network breaks and what helps: sensitivity, corruptions, indicators, mitigation.
import { mean } from '../../statistics/summary.js';
import type { Block, Column, Section } from '../document.js';
import type { Cell, Unit } from '../format.js';
import { groupBy, slug } from '../names.js';
import type { Report } from '../schema.js';

export function sensitivitySection(report: Report): Section | undefined {
  const { sensitivity = [] } = report;
  if (sensitivity.length === 0) return undefined;
  const blocks = [...groupBy(sensitivity, ({ policy = '' }) => policy)].map(([policy, layers]): Block => {
    const most = Math.max(...layers.map(({ drop }) => drop));
    return {
      kind: 'chart',
      name: policy === '' ? 'sensitivity' : `sensitivity-${policy}`,
      caption: `Points lost when one layer alone is quantized${policy === '' ? '' : ` (${policy})`}`,
      alt: `Points lost by quantizing each of the ${layers.length} layers alone`,
      data: {
        type: 'bars',
        x: { label: 'drop', unit: 'points' },
        bars: layers.map(({ node, drop }) => ({ label: node, value: drop, emphasis: drop === most })),
      },
    };
  });
  const restored = sensitivity.filter((layer) => layer.restored !== undefined);
  if (restored.length > 0) {
    blocks.push({
      kind: 'chart',
      name: 'sensitivity-restored',
      caption: 'Points won back when one layer alone stays in full precision',
      alt: `Points won back by leaving each of the ${restored.length} layers in full precision`,
      data: {
        type: 'bars',
        x: { label: 'won back', unit: 'points' },
        bars: restored.map((layer) => ({ label: layer.node, value: layer.restored as number })),
      },
    });
  }
  return { id: 'sensitivity', title: 'Sensitivity', blocks };
}

type GridCell = NonNullable<Report['corruptions']>['grid'][number];

/** Corruptions down, severities across: the points that quantization adds. */
function corruptionChart(title: string, cells: readonly GridCell[], hottest: number): Block {
  const rows = [...new Set(cells.map(({ corruption }) => corruption))];
  const severities = [...new Set(cells.map(({ severity }) => severity))].sort((a, b) => a - b);
  const drop = (row: string, severity: number) =>
    cells.find((cell) => cell.corruption === row && cell.severity === severity)?.drop ?? null;
  return {
    kind: 'chart',
    name: `corruptions-${title}`,
    caption: `${title}: points that quantization takes under each corruption`,
    alt: `${rows.length} corruptions by ${severities.length} severities, ${title}`,
    data: {
      type: 'cells',
      columnsLabel: 'severity',
      rowsLabel: 'corruption',
      columns: severities.map(String),
      rows,
      values: rows.map((row) => severities.map((severity) => drop(row, severity))),
      unit: 'points',
      shades: 'heat',
      domain: [0, hottest],
    },
  };
}

/** More networks than this share one map, of means over severities. */
const MOST_MAPS = 2;

/** Corruptions down, networks across: the mean over severities of what quantization adds. */
function networkChart(groups: ReadonlyMap<string, readonly GridCell[]>, hottest: number): Block {
  const rows = [...new Set([...groups.values()].flat().map(({ corruption }) => corruption))];
  const drop = (cells: readonly GridCell[], row: string) => {
    const drops = cells.filter(({ corruption }) => corruption === row).map((cell) => cell.drop);
    return drops.length > 0 ? mean(drops) : null;
  };
  return {
    kind: 'chart',
    name: 'corruptions-networks',
    caption: 'Points that quantization takes under each corruption, mean over severities',
    alt: `${rows.length} corruptions by ${groups.size} networks`,
    data: {
      type: 'cells',
      columnsLabel: 'network, policy',
      rowsLabel: 'corruption',
      columns: [...groups.keys()],
      rows,
      values: rows.map((row) => [...groups.values()].map((cells) => drop(cells, row))),
      unit: 'points',
      shades: 'heat',
      domain: [0, hottest],
    },
  };
}

/** Every cell of the grid. */
function gridTable(grid: readonly GridCell[]): Block {
  return {
    kind: 'table',
    name: 'corruptions-grid',
    caption: 'Every corruption at every severity',
    folded: true,
    columns: [
      { key: 'network', label: 'network', unit: 'text' },
      { key: 'policy', label: 'policy', unit: 'text' },
      { key: 'corruption', label: 'corruption', unit: 'text' },
      { key: 'severity', label: 'severity', unit: 'count' },
      { key: 'fpAccuracy', label: 'fp32', unit: 'percent' },
      { key: 'quantizedAccuracy', label: 'integer', unit: 'percent' },
      { key: 'drop', label: 'drop', unit: 'points' },
    ],
    rows: grid.map((cell): Cell[] => [
      cell.network,
      cell.policy,
      cell.corruption,
      cell.severity,
      cell.fpAccuracy,
      cell.quantizedAccuracy,
      { value: cell.drop, interval: cell.interval },
    ]),
  };
}

export function corruptionSection(report: Pick<Report, 'corruptions'>): Section | undefined {
  const { grid = [], pictures = [] } = report.corruptions ?? {};
  if (grid.length === 0) return undefined;
  const titleOf = ({ network, policy }: GridCell) => (network === undefined ? policy : `${network}, ${policy}`);
  const groups = groupBy(grid, titleOf);
  const hottest = Math.max(1, ...grid.map(({ drop }) => drop));
  // A value far out of range is another kind of harm: its mean is separate.
  const kinds = groupBy(grid, (cell) => `${titleOf(cell)}${cell.family === 'range' ? '; range attacks' : ''}`);
  const rows = [...kinds].map(([title, cells]): Cell[] => [
    title,
    mean(cells.map(({ fpAccuracy }) => fpAccuracy)),
    mean(cells.map(({ quantizedAccuracy }) => quantizedAccuracy)),
    mean(cells.map(({ drop }) => drop)),
    Math.max(...cells.map(({ drop }) => drop)),
  ]);
  const blocks: Block[] = [
    {
      kind: 'text',
      text:
        'Full precision and integers see the same corrupted images: the drop is what quantization adds to the damage ' +
        'of the corruption alone.',
    },
    {
      kind: 'table',
      name: 'corruptions-mean',
      caption: 'Mean over corruptions and severities',
      brief: true,
      columns: [
        { key: 'network', label: 'network, policy', unit: 'text' },
        { key: 'fpAccuracy', label: 'fp32', unit: 'percent' },
        { key: 'quantizedAccuracy', label: 'integer', unit: 'percent' },
        { key: 'drop', label: 'mean drop', unit: 'points' },
        { key: 'worstDrop', label: 'worst drop', unit: 'points' },
      ],
      rows,
    },
    ...(groups.size > MOST_MAPS
      ? [networkChart(groups, hottest), gridTable(grid)]
      : [...groups].map(([title, cells]) => corruptionChart(title, cells, hottest))),
  ];
  if (pictures.length > 0) {
    blocks.push({
      kind: 'pictures',
      caption: 'What the corruptions look like',
      pictures: pictures.map(({ corruption, severity, picture }) => ({
        source: picture,
        alt: `${corruption} at severity ${severity}`,
        caption: `${corruption} ${severity}`,
      })),
    });
  }
  return { id: 'corruptions', title: 'Corruptions', blocks };
}

type Indicator = NonNullable<Report['indicators']>[number];

/** The columns of an indicator table that any row fills, each with what it takes from a row. */
function indicatorColumns(
  rows: readonly Indicator[],
): readonly (Column & { readonly cell: (row: Indicator) => Cell })[] {
  const networks = [...new Set(rows.flatMap(({ values = {} }) => Object.keys(values)))];
  const column = (key: string, label: string, unit: Unit, cell: (row: Indicator) => Cell) => ({
    key,
    label,
    unit,
    cell,
  });
  const estimate = (value: number | undefined, interval: [number, number] | undefined): Cell =>
    value === undefined ? undefined : { value, interval };
  const columns = [
    column('indicator', 'indicator', 'text', ({ indicator }) => indicator),
    ...networks.map((name) => column(slug(name), name, 'number', ({ values }) => values?.[name])),
    column('value', 'here', 'number', ({ value }) => value),
    column('spearman', 'Spearman', 'number', (row) => estimate(row.spearman, row.spearmanInterval)),
    column('auroc', 'AUROC', 'number', (row) => estimate(row.auroc, row.aurocInterval)),
    column('note', 'note', 'text', ({ note }) => note),
  ];
  return columns.filter(({ cell }) => rows.some((row) => cell(row) !== undefined));
}

export function indicatorSection(report: Pick<Report, 'indicators'>): Section | undefined {
  const { indicators = [] } = report;
  if (indicators.length === 0) return undefined;
  const columns = indicatorColumns(indicators);
  const judged = columns.some(({ key }) => key === 'spearman' || key === 'auroc');
  const what = judged
    ? 'What full precision alone predicts about the drop: Spearman correlation, and AUROC for a drop above 10 points.'
    : 'What full precision alone predicts about the drop, on images without labels and with nothing quantized. More is worse ' +
      'unless the note says otherwise; the classical ones are there for comparison.';
  return {
    id: 'indicators',
    title: 'Indicators from full precision',
    blocks: [
      { kind: 'text', text: what },
      {
        kind: 'table',
        name: 'indicators',
        caption: 'Indicators, useless ones included',
        brief: true,
        columns: columns.map(({ key, label, unit }) => ({ key, label, unit })),
        rows: indicators.map((row) => columns.map(({ cell }) => cell(row))),
      },
    ],
  };
}

/** What a network fails of, in words. */
export function diagnosisSection({ diagnosis }: Pick<Report, 'diagnosis'>): Section | undefined {
  if (!diagnosis) return undefined;
  const { reasons, note } = diagnosis;
  const list: Block = { kind: 'list', items: reasons };
  return { id: 'diagnosis', title: 'What is wrong', blocks: note ? [{ kind: 'text', text: note }, list] : [list] };
}

export function mitigationSection(report: Pick<Report, 'mitigation' | 'diagnosis'>): Section | undefined {
  const { mitigation = [] } = report;
  if (mitigation.length === 0) return undefined;
  const applied = mitigation.filter((one) => one.applied !== false);
  const columns: readonly (Column & { readonly cell: (row: (typeof mitigation)[number]) => Cell })[] = [
    { key: 'network', label: report.diagnosis ? 'judged on' : 'network', unit: 'text', cell: ({ network }) => network },
    { key: 'scene', label: 'images', unit: 'text', cell: ({ scene }) => scene },
    { key: 'cure', label: 'cure', unit: 'text', cell: ({ cure }) => cure },
    { key: 'policy', label: 'policy', unit: 'text', cell: ({ policy }) => policy },
    { key: 'fpAccuracy', label: 'fp32', unit: 'percent', cell: ({ fpAccuracy }) => fpAccuracy },
    { key: 'before', label: 'before', unit: 'percent', cell: ({ before }) => before },
    {
      key: 'after',
      label: 'after',
      unit: 'percent',
      cell: ({ after, afterInterval }) => ({ value: after, interval: afterInterval }),
    },
    { key: 'kept', label: 'kept', unit: 'text', cell: (one) => (one.applied === false ? 'not applied' : one.kept) },
    { key: 'what', label: 'what was done, or why not', unit: 'text', cell: ({ what }) => what },
  ];
  const filled = columns.filter(({ cell }) => mitigation.some((one) => cell(one) !== undefined));
  return {
    id: 'mitigation',
    title: 'Mitigation',
    blocks: [
      {
        kind: 'chart',
        name: 'mitigation-chart',
        caption: 'Quantized, before and after the cure',
        alt: `Before and after, for ${applied.length} cures`,
        data: {
          type: 'ranges',
          x: { label: 'of the images', unit: 'percent', domain: [0, 100] },
          names: ['before', 'after'],
          rows: applied.map(({ network, scene, cure, policy, before, after, afterInterval }) => ({
            // Where several cures are reported as one, the table below names them.
            label: scene === undefined ? [cure, network, policy].filter(Boolean).join(', ') : `${network}; ${scene}`,
            from: { value: before },
            to: { value: after, interval: afterInterval },
          })),
        },
      },
      {
        kind: 'table',
        name: 'mitigation',
        caption: 'Cures, those that did not help included',
        brief: true,
        columns: filled.map(({ key, label, unit }) => ({ key, label, unit })),
        rows: mitigation.map((one) => filled.map(({ cell }) => cell(one))),
      },
    ],
  };
}
