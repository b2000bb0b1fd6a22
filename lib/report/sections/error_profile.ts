// Quantization error by layer and cause, by channel, and its distribution.
import type { Block, Section } from '../document.js';
import type { Cell } from '../format.js';
import { groupBy } from '../names.js';
import type { Report } from '../schema.js';

type Layer = NonNullable<Report['errorProfile']>[number];

/** A heat map has as many columns: channels beyond are pooled by their largest. */
const MOST_COLUMNS = 64;

/** values → at most `most` values, each the largest of its share. */
function pooled(values: readonly number[], most: number): number[] {
  const size = Math.ceil(values.length / most);
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) =>
    Math.max(...values.slice(i * size, (i + 1) * size)),
  );
}

/** Error by cause, layer after layer; each bar is the layer's mean square error. */
function waterfall(name: string, caption: string, layers: readonly Layer[]): Block[] {
  const parts = [...new Set(layers.flatMap(({ terms = {} }) => Object.keys(terms)))];
  if (parts.length === 0) return [];
  return [
    {
      kind: 'chart',
      name,
      caption,
      alt: `Mean square error of ${layers.length} layers by ${parts.join(', ')}`,
      data: {
        type: 'stacked',
        x: { label: 'mean square error', unit: 'number' },
        parts,
        rows: layers.map(({ node, terms = {} }) => ({ label: node, values: parts.map((part) => terms[part] ?? 0) })),
      },
    },
  ];
}

/** Layers down, channels across, each row relative to its worst channel, which shows outlier channels. */
export function channelMap(name: string, caption: string, layers: readonly Layer[]): Block[] {
  const rows = layers.flatMap(({ node, channels }) => (channels?.length ? [{ node, channels }] : []));
  if (rows.length === 0) return [];
  const values = rows.map(({ channels }) => {
    const worst = Math.max(...channels);
    return pooled(channels, MOST_COLUMNS).map((value) => (worst > 0 ? value / worst : 0));
  });
  const columns = Math.max(...values.map(({ length }) => length));
  return [
    {
      kind: 'chart',
      name,
      caption,
      alt: `Error of the channels of ${rows.length} layers, relative to the worst channel of each`,
      data: {
        type: 'cells',
        columnsLabel: 'channel',
        rowsLabel: 'layer',
        columns: Array.from({ length: columns }, (_, i) => String(i)),
        rows: rows.map(({ node }) => node),
        values: values.map((row) => Array.from({ length: columns }, (_, i) => row[i] ?? null)),
        unit: 'number',
        shades: 'heat',
        domain: [0, 1],
      },
    },
  ];
}

function layerTable(name: string, layers: readonly Layer[]): Block {
  return {
    kind: 'table',
    name,
    caption: 'Error of each layer’s output',
    brief: true,
    columns: [
      { key: 'node', label: 'layer', unit: 'text' },
      { key: 'sqnrDb', label: 'SQNR', unit: 'decibels' },
      { key: 'mse', label: 'mse', unit: 'number' },
      { key: 'cosine', label: 'cosine', unit: 'number' },
      { key: 'maxAbsError', label: 'largest error', unit: 'number' },
    ],
    rows: layers.map((layer): Cell[] => [layer.node, layer.sqnrDb, layer.mse, layer.cosine, layer.maxAbsError]),
  };
}

export function errorProfileSection(report: Report): Section | undefined {
  const { errorProfile = [] } = report;
  if (errorProfile.length === 0) return undefined;
  const blocks = [...groupBy(errorProfile, ({ policy = '' }) => policy)].flatMap(([policy, layers]) => {
    const suffix = policy === '' ? '' : `-${policy}`;
    const under = policy === '' ? '' : ` under ${policy}`;
    return [
      layerTable(`error${suffix}`, layers),
      ...waterfall(`error-terms${suffix}`, `Where the error comes from${under}`, layers),
      ...channelMap(`error-channels${suffix}`, `Channel by channel${under}`, layers),
      ...layers.flatMap(({ node, histogram }): Block[] =>
        histogram
          ? [
              {
                kind: 'chart',
                name: `error-histogram${suffix}-${node}`,
                caption: `${node}: distribution${under}`,
                alt: `Histogram of ${node}`,
                data: {
                  type: 'histogram',
                  x: { label: 'value', unit: 'number' },
                  y: { label: 'count', unit: 'count' },
                  bins: histogram,
                },
              },
            ]
          : [],
      ),
    ];
  });
  return { id: 'error', title: 'Quantization error', blocks };
}
