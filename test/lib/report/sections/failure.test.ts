// Sections of pairs that fail: counts of flips, the class that loses most, the layer responsible, controls.
import assert from 'node:assert/strict';
import type { Chart, Table } from '../../../../lib/report/document.js';
import { type PairResult, reportSchema } from '../../../../lib/report/schema.js';
import {
  classSection,
  controlSection,
  flipSection,
  policySection,
  responsibleSection,
} from '../../../../lib/report/sections/failure.js';
import { reportFixture } from '../../../support/report_fixture.js';

const report = reportSchema.parse(reportFixture());
const pair = report.pairs[0] as PairResult;
const of = (more: Partial<PairResult>) => ({ ...report, pairs: [{ ...pair, ...more }] });

describe('sections of failing pairs', () => {
  it('are there where a pair has something to show', () => {
    const bare = of({ layers: [], flips: undefined, classes: [], responsible: [], controls: [] });
    for (const section of [policySection, flipSection, classSection, responsibleSection, controlSection]) {
      assert.deepEqual(section(bare), []);
      assert.equal(section(report).length, 1);
    }
  });

  it('flips are counted in words; examples without a picture are listed only', () => {
    const examples = [{ index: 3, before: 'Bag', after: 'Coat' }];
    const blocks = flipSection(of({ flips: { count: 5, of: 20, newlyWrong: 4, examples } }))[0]?.blocks ?? [];
    const texts = blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : []));
    assert.equal(texts[1], 'detrimental, static: 5 of 20 images changed (25.00 %), 4 of them from right to wrong.');
    assert.deepEqual(
      blocks.map(({ kind }) => kind),
      ['text', 'text', 'table'],
    );
  });

  it('the class that loses most is first, the layer that wins back most is emphasized', () => {
    const classes = [
      { name: 'Bag', images: 10, fpAccuracy: 90, quantizedAccuracy: 80 },
      { name: 'Coat', images: 10, fpAccuracy: 90, quantizedAccuracy: 20 },
    ];
    const chart = classSection(of({ classes }))[0]?.blocks[1] as Chart;
    assert.equal(chart.caption, 'detrimental, static: Coat loses most, 70.00 points');
    const responsible = [
      { node: 'a', accuracy: 20, restored: 3 },
      { node: 'b', accuracy: 50, restored: 33 },
    ];
    const restored = responsibleSection(of({ responsible }))[0]?.blocks[1];
    assert.ok(restored?.kind === 'chart');
    const { data } = restored;
    assert.ok(data.type === 'bars');
    assert.deepEqual(
      data.bars.map(({ emphasis }) => emphasis),
      [false, true],
    );
  });

  it('controls stand below the agent that they are held against', () => {
    const controls = [{ control: 'open loop', accuracy: 20, drop: 70 }];
    const table = controlSection(of({ controls }))[0]?.blocks[1] as Table;
    assert.deepEqual(table.rows, [
      ['detrimental, static', 'the agent (ddpg)', pair.quantizedAccuracy, pair.drop, ''],
      ['detrimental, static', 'open loop', 20, 70, ''],
    ]);
  });
});
