// report.json as a Document: which sections there are, the front page's figures and its sentence.
import assert from 'node:assert/strict';
import { buildDocument, pairNames } from '../../../lib/report/build.js';
import { type ReportInput, reportSchema } from '../../../lib/report/schema.js';
import { reportFixture } from '../../support/report_fixture.js';

const documentOf = (report: ReportInput) => buildDocument(reportSchema.parse(report));
const idsOf = (report: ReportInput) => documentOf(report).sections.map(({ id }) => id);

describe('document of a report', () => {
  it('has the sections that have something to show, in the order of the page', () => {
    assert.deepEqual(idsOf({ schema: 'faultline.report/1' }), []);
    const all = ['accuracy', 'policy', 'flips', 'classes', 'responsible', 'controls', 'uniform']
      .concat(['corruptions', 'indicators', 'mitigation', 'search', 'training', 'references'])
      .concat(['assumptions', 'provenance']);
    assert.deepEqual(idsOf(reportFixture()), all);
    const { pairs: _, ...rest } = reportFixture();
    const without = ['policy', 'flips', 'classes', 'responsible', 'controls'];
    assert.deepEqual(
      idsOf(rest),
      all.filter((id) => !without.includes(id)),
    );
  });

  it('the front page has the largest drop of each kind of pair, and says how many there are', () => {
    const report = reportFixture();
    const [pair] = report.pairs ?? [];
    if (!pair) throw new Error('the fixture has a pair');
    const smaller = { ...pair, seed: 1, drop: 1, quantizedAccuracy: 89.94 };
    const { facts, lead } = documentOf({ ...report, pairs: [smaller, pair] });
    assert.deepEqual(
      facts.map(({ label, value }) => [label, value]),
      [
        ['teacher', '91.30'],
        ['detrimental, static policy', '−77.53'],
        ['gauge, W8A8', '−81.30'],
        ['time', '2 min 41 s'],
      ],
    );
    assert.equal(facts[1]?.note, '90.94 → 13.41 % at 6 bits, the largest drop of 2');
    assert.match(lead, /^A network with 90\.94 % accuracy .*\(0\.36 points from its teacher\) falls to 13\.41 %/);
    assert.deepEqual(pairNames(reportSchema.parse({ ...report, pairs: [smaller, pair] })), [
      'detrimental, static, seed 1',
      'detrimental, static, seed 0',
    ]);
  });
});
