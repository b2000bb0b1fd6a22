// Results read back from a file or from the folder of a run, and what is none refused by its file.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { diffResults } from '../../../lib/report/diff.js';
import { tablesOf } from '../../../lib/report/document.js';
import { readResult } from '../../../lib/report/read.js';
import { checkDocument } from '../../support/documents.js';
import { ASSESS_1, QUANTIZE_1, REPORT_1, VULNERABLE_1 } from '../../support/earlier_results.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const evaluation = { schema: 'faultline.evaluate/1', model: 'm', images: 4, correct: 3, accuracy: 0.75, loss: 0.5 };

describe('results read back', () => {
  const file = temporaryFolder();

  it('a file, or the folder of a run with its report.json', async () => {
    for (const name of ['alone.json', 'report.json']) writeFileSync(file(name), JSON.stringify(evaluation));
    for (const path of [file('alone.json'), file()]) {
      const { schema, result, document } = await readResult(path);
      assert.equal(schema, 'faultline.evaluate/1');
      assert.deepEqual(result, evaluation);
      assert.match(document.lead, /75\.00 %/);
    }
  });

  it('refuses by name what is not there, no JSON, of no known schema, or wrong in a field', async () => {
    writeFileSync(file('broken.json'), '{');
    writeFileSync(file('other.json'), '{"schema": "faultline.unknown/1"}');
    writeFileSync(file('wrong.json'), JSON.stringify({ ...evaluation, accuracy: 2 }));
    const cases: [string, RegExp][] = [
      ['none.json', /none\.json: expected a result as JSON, or the folder of a run, received ENOENT/],
      ['broken.json', /broken\.json: expected a result as JSON/],
      ['other.json', /other\.json: schema: expected one of .*received "faultline\.unknown\/1"/],
      ['wrong.json', /wrong\.json: accuracy: expected what faultline\.evaluate\/1 says/],
    ];
    for (const [name, message] of cases) {
      await assert.rejects(
        readResult(file(name)),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
  });

  it('reads results of earlier versions, in every format and beside themselves', async () => {
    const earlier: [object, string, RegExp][] = [
      [ASSESS_1, 'faultline.assess/2', /Bits of the policies found/],
      [REPORT_1, 'faultline.report/1', /detrimental, static: 6 bits on average/],
      [VULNERABLE_1, 'faultline.vulnerable/1', /Accuracy by class/],
      [QUANTIZE_1, 'faultline.quantize/1', /What became of each quantizable node/],
    ];
    for (const [json, schema, caption] of earlier) {
      writeFileSync(file('earlier.json'), JSON.stringify(json));
      const found = await readResult(file('earlier.json'));
      assert.equal(found.schema, schema);
      assert.equal(found.result.schema, schema);
      checkDocument(found.document, []);
      assert.ok(tablesOf(found.document).some((table) => caption.test(table.caption)));
      const named = { ...found, path: 'earlier.json' };
      assert.deepEqual(diffResults(named, named).changes, []);
    }
  });

  it('keeps the bits, goals and predictions of the first assessments', async () => {
    writeFileSync(file('first.json'), JSON.stringify(ASSESS_1));
    const { document } = await readResult(file('first.json'));
    const rows = (name: string) => tablesOf(document).find((table) => table.name === name)?.rows;
    assert.deepEqual(rows('found-bits'), [
      ['hidden', 4, 8],
      ['logits', 8, 8],
    ]);
    assert.deepEqual(
      rows('search')?.map(([agent, objective]) => `${agent} ${objective}`),
      ['exhaustive detrimental', 'exhaustive robust'],
    );
    assert.deepEqual(rows('predicted')?.[0]?.slice(0, 2), ['W4A4', 25]);
    const wrong = { ...ASSESS_1, policies: [{ ...ASSESS_1.policies[0], policy: { nodes: { hidden: 'W8A8' } } }] };
    writeFileSync(file('first.json'), JSON.stringify(wrong));
    await assert.rejects(readResult(file('first.json')), /first\.json: policies\.0\.policy\.nodes\.hidden: expected/);
  });
});
