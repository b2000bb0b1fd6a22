// One checked result in every format: each says its figures, JSON is the result itself.
import assert from 'node:assert/strict';
import { checkResult } from '../../../lib/report/kinds.js';
import { FILE_FORMATS, FORMATS, render } from '../../../lib/report/render.js';
import { reportFixture } from '../../support/report_fixture.js';

describe('formats of a result', () => {
  it('hold the same figure', async () => {
    const checked = await checkResult(reportFixture());
    // CSV and JSON have the exact number.
    for (const format of FORMATS) assert.match(await render(format, checked), /13\.41/, format);
  });

  it('are what they are called', async () => {
    const checked = await checkResult(reportFixture());
    assert.deepEqual(JSON.parse(await render('json', checked)), JSON.parse(JSON.stringify(checked.result)));
    assert.match(await render('html', checked), /^<!doctype html>/);
    assert.match(await render('markdown', checked), /^# Failure under dynamic quantization\n/);
    assert.match(await render('terminal', checked), /^Failure under dynamic quantization\n/);
    const csv = await render('csv', checked);
    assert.match(csv, /^accuracy\.csv\r\nlabel,/);
    // An empty line stands between two tables, and none in a table.
    for (const table of csv.split('\r\n\r\n')) assert.match(table, /^[a-z0-9-]+\.csv\r\n/);
    assert.ok(Object.values(FILE_FORMATS).every((format) => FORMATS.includes(format)));
  });
});
