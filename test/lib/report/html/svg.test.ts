// Charts as SVG: what is drawn is as many marks as there are figures, and the keys say what colours mean.
import assert from 'node:assert/strict';
import type { BarChart, CellChart, HistogramChart, LineChart, StackedChart } from '../../../../lib/report/chart.js';
import { drawChart, keysOf } from '../../../../lib/report/html/svg.js';
import { find, pageOf } from '../../../support/pages.js';

const x = { label: 'accuracy', unit: 'percent' } as const;
const drawn = (...chart: Parameters<typeof drawChart>) => pageOf(`<html><body>${drawChart(...chart)}</body></html>`);
const filled = (...chart: Parameters<typeof drawChart>) => find(drawn(...chart), '[aria-label="bar"] rect').length;

describe('charts as SVG', () => {
  const bars: BarChart = { type: 'bars', x, bars: [5, 3, 1].map((value) => ({ label: `bar ${value}`, value })) };

  it('are named, and as wide as the page or a phone', () => {
    const [wide, narrow] = (['wide', 'narrow'] as const).map((size) => find(drawn(bars, size, 'three bars'), 'svg')[0]);
    assert.equal(wide?.getAttribute('aria-label'), 'three bars');
    assert.deepEqual([wide?.getAttribute('width'), narrow?.getAttribute('width')], ['860', '360']);
  });

  it('have a mark for each figure', () => {
    assert.equal(filled(bars, 'wide', ''), 3);
    const rows = [1, 2].map((value) => ({ label: `row ${value}`, values: [value, 1, 2] }));
    const stacked: StackedChart = { type: 'stacked', x, parts: ['a', 'b', '4 bits'], rows };
    assert.equal(filled(stacked, 'wide', ''), 6);
    assert.deepEqual(keysOf(stacked)[2], { name: '4 bits', colour: 'var(--bits4)' });
    const bins = [1, 5, 2].map((count, i) => ({ from: i, to: i + 1, count }));
    const histogram: HistogramChart = { type: 'histogram', x, y: { label: 'images', unit: 'count' }, bins };
    assert.equal(find(drawn(histogram, 'wide', ''), '[aria-label="rect"] rect').length, 3);
  });

  it('a line that names its axis needs no key', () => {
    const line = (name: string): LineChart => ({
      ...{ type: 'lines', x, y: { label: 'loss', unit: 'number' } },
      series: [
        {
          name,
          points: [
            [1, 2],
            [2, 3],
          ],
        },
      ],
    });
    assert.deepEqual(keysOf(line('loss')), []);
    assert.deepEqual(keysOf(line('teacher')), [{ name: 'teacher', colour: 'var(--series0)' }]);
  });

  it('cells that are not known are not drawn', () => {
    const chart: CellChart = {
      ...{
        type: 'cells',
        columnsLabel: 'severity',
        rowsLabel: 'corruption',
        columns: ['1', '2'],
        rows: ['fog', 'snow'],
      },
      ...{
        values: [
          [1, null],
          [2, 3],
        ],
        unit: 'points',
        shades: 'heat',
      },
    };
    assert.equal(find(drawn(chart, 'wide', ''), '[aria-label="cell"] rect').length, 3);
  });
});
