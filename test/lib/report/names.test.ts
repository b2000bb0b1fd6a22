// Names in reports: only what distinguishes pairs is in their names, and no two names are the same.
import assert from 'node:assert/strict';
import type { Table } from '../../../lib/report/document.js';
import { fileNames, namedPairs, pairName, slug } from '../../../lib/report/names.js';
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

  it('slugs are for anchors and files, in any script', () => {
    assert.equal(slug('Detrimental, static: {4,8}'), 'detrimental-static-4-8');
    assert.equal(slug('/..'), 'unnamed');
    assert.equal(slug('卷积/Свёртка'), '卷积-свёртка');
    assert.equal(slug('e\u0301'), slug('\u00e9'));
    assert.equal(slug('a\u202eb\u0000\ud800'), 'a-b');
  });

  it('files of tables are unique, short and the same wherever their names are', () => {
    const filesOf = (...names: string[]) => {
      const blocks = names.map((name): Table => ({ kind: 'table', name, caption: '', columns: [], rows: [] }));
      return fileNames({ title: '', lead: '', facts: [], sections: [{ id: '', title: '', blocks }], footer: '' });
    };
    const names = [
      'conv.1',
      'conv/1',
      'CONV_1',
      'plain',
      '量'.repeat(400),
      `${'量'.repeat(400)}2`,
      'x'.repeat(400),
      '',
      '/',
    ];
    const files = filesOf(...names);
    assert.equal(new Set(files.values()).size, names.length);
    for (const file of files.values()) {
      assert.match(file, /^[\p{L}\p{M}\p{N}-]+\.csv$/u);
      assert.ok(Buffer.byteLength(file) <= 100, file);
    }
    assert.equal(files.get('plain'), 'plain.csv');
    assert.match(files.get('conv/1') as string, /^conv-1-[0-9a-f]{8}\.csv$/);
    for (const [name, file] of filesOf(...names.reverse())) assert.equal(file, files.get(name));
  });
});
