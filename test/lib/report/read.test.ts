// Results read back from a file or from the folder of a run, and what is none refused by its file.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { readResult } from '../../../lib/report/read.js';
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
      ['other.json', /other\.json: schema: expected one of .*received faultline\.unknown\/1/],
      ['wrong.json', /wrong\.json: accuracy: expected what faultline\.evaluate\/1 says/],
    ];
    for (const [name, message] of cases) {
      await assert.rejects(
        readResult(file(name)),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
  });
});
