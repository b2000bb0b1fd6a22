// Names in reports: only what distinguishes pairs is in their names, and no two names are the same.
import assert from 'node:assert/strict';
import { groupBy, namedPairs, pairName, slug } from '../../../lib/report/names.js';
import { reportSchema } from '../../../lib/report/schema.js';
import { reportFixture } from '../../support/report_fixture.js';

const report = reportSchema.parse(reportFixture());
const [pair] = report.pairs;
if (!pair) throw new Error('the fixture has a pair');

describe('names in reports', () => {
  it('a pair is called by what differs between the pairs', () => {
    assert.equal(pairName(pair, [pair]), 'detrimental, static');
    assert.equal(pairName(pair, [pair, { ...pair, seed: 3 }]), 'detrimental, static, seed 0');
    assert.equal(pairName(pair, [pair, { ...pair, agent: 'cem' }]), 'detrimental, static, ddpg');
    assert.equal(pairName(pair, [pair, { ...pair, arch: 'vit' }]), 'resnet8, detrimental, static');
    assert.equal(pairName(pair, [pair, { ...pair, choices: [2, 8] }]), 'detrimental, static, {4,8}');
    // An agent of the other kind of policy distinguishes nothing.
    assert.equal(pairName(pair, [pair, { ...pair, policy: 'input', agent: 'ppo' }]), 'detrimental, static');
  });

  it('indistinguishable pairs are numbered', () => {
    assert.deepEqual(
      namedPairs({ ...report, pairs: [pair, pair, pair] }).map(({ name }) => name),
      ['detrimental, static', 'detrimental, static (2)', 'detrimental, static (3)'],
    );
  });

  it('slugs are for anchors and files', () => {
    assert.equal(slug('Detrimental, static: {4,8}'), 'detrimental-static-4-8');
    assert.equal(slug('/..'), 'unnamed');
  });

  it('groups keep the order of first appearance', () => {
    assert.deepEqual(
      [...groupBy(['b1', 'a1', 'b2'], ([first = '']) => first)],
      [
        ['b', ['b1', 'b2']],
        ['a', ['a1']],
      ],
    );
  });
});
