// The figures of every type of chart as a table.
import assert from 'node:assert/strict';
import { type ChartData, chartTable } from '../../../lib/report/chart.js';

const x = { label: 'accuracy', unit: 'percent' } as const;
const y = { label: 'images', unit: 'count' } as const;

const EXPECTED: readonly [ChartData, readonly string[], readonly unknown[][]][] = [
  [
    { type: 'lines', x, y, series: [{ name: 'a', points: [[1, 2], [3, 4]] }] }, // biome-ignore format: a chart a line
    ['series', 'x', 'y'],
    [
      ['a', 1, 2],
      ['a', 3, 4],
    ],
  ],
  [{ type: 'scatter', x, y, series: [{ name: 'b', points: [[5, 6]] }] }, ['series', 'x', 'y'], [['b', 5, 6]]],
  [
    { type: 'bars', x, bars: [{ label: 'a', value: 1, interval: [0, 2] }] },
    ['label', 'value'],
    [['a', { value: 1, interval: [0, 2] }]],
  ],
  [
    { type: 'stacked', x, parts: ['p', 'q'], rows: [{ label: 'a', values: [1, 2] }] },
    ['label', 'p', 'q'],
    [['a', 1, 2]],
  ],
  [
    { type: 'ranges', x, names: ['f', 't'], rows: [{ label: 'a', from: { value: 1 }, to: { value: 2 } }] },
    ['label', 'from', 'to'],
    [['a', { value: 1 }, { value: 2 }]],
  ],
  [{ type: 'histogram', x, y, bins: [{ from: 0, to: 1, count: 7 }] }, ['from', 'to', 'count'], [[0, 1, 7]]],
  [
    {
      ...{ type: 'cells', columnsLabel: 'severity', rowsLabel: 'corruption', columns: ['1', '2'], rows: ['fog'] },
      ...{ values: [[3, null]], unit: 'points', shades: 'heat' },
    } as ChartData,
    ['row', '1', '2'],
    [['fog', 3, null]],
  ],
];

describe('figures of charts', () => {
  for (const [chart, keys, rows] of EXPECTED) {
    it(`${chart.type}: a column for each figure`, () => {
      const table = chartTable('name', 'caption', chart);
      assert.deepEqual([table.name, table.caption], ['name', 'caption']);
      assert.deepEqual(
        table.columns.map(({ key }) => key),
        keys,
      );
      // undefined intervals are none.
      assert.deepEqual(JSON.parse(JSON.stringify(table.rows)), rows);
    });
  }

  it('columns have the units of their axes', () => {
    const { columns } = chartTable('n', 'c', EXPECTED[0]?.[0] as ChartData);
    assert.deepEqual(
      columns.map(({ label, unit }) => [label, unit]),
      [
        ['series', 'text'],
        ['accuracy', 'percent'],
        ['images', 'count'],
      ],
    );
  });
});
