// Results of every kind whose every text attacks: no format carries a control or invisible character, markup, a formula
// or a path out of its folder.
import assert from 'node:assert/strict';
import { csvFiles } from '../../../lib/report/csv.js';
import type { Document } from '../../../lib/report/document.js';
import { checkResult, kindNamed, SCHEMAS } from '../../../lib/report/kinds.js';
import { FORMATS, render } from '../../../lib/report/render.js';
import { Random } from '../../../lib/tensor/random.js';
import { parseCsv } from '../../support/csv.js';
import { fromSchema } from '../../support/from_schema.js';
import { ATTACKS, find, pageOf, unsafeIn } from '../../support/pages.js';

const DRAWS = 2;

/** Elements and attributes that a report has; nothing else may come of a text. */
const SCRIPTING = 'script, iframe, object, embed, link, base, form, foreignObject, use, animate, set';

function checkPage(text: string): void {
  const page = pageOf(text);
  assert.deepEqual(find(page, SCRIPTING), []);
  for (const element of find(page, '*')) {
    for (const { name, value } of (element as unknown as { attributes: Iterable<{ name: string; value: string }> })
      .attributes) {
      assert.ok(!/^on/i.test(name), name);
      if (name === 'href') assert.match(value, /^#/);
      if (name === 'src') assert.match(value, /^data:image\/png;base64,/);
    }
  }
}

function checkTables(document: Document): void {
  for (const [name, content] of csvFiles(document)) {
    assert.match(name, /^[\p{L}\p{M}\p{N}-]+\.csv$/u);
    for (const cell of parseCsv(content).flat())
      if (Number.isNaN(Number(cell))) assert.doesNotMatch(cell, /^[=+@-]/, name);
    // At semicolons too, where a spreadsheet divides lines there.
    assert.doesNotMatch(content.replace(/"(?:[^"]|"")*"/g, ''), /[;\t]/, name);
  }
}

describe('hostile results', () => {
  const random = new Random(14);
  const text = () => ATTACKS[random.integer(ATTACKS.length)] as string;

  for (const schema of SCHEMAS) {
    it(schema, async () => {
      const kind = await kindNamed(schema);
      let documents = 0;
      for (let draw = 0; draw < 10 * DRAWS && documents < DRAWS; draw++) {
        const result = fromSchema(kind.result, random, text);
        const checked = await checkResult(result).catch(() => undefined);
        if (!checked) continue;
        documents++;
        for (const format of FORMATS) {
          const shown = await render(format, checked);
          assert.equal(unsafeIn(shown), undefined, format);
          if (format === 'html') checkPage(shown);
          if (format === 'json') assert.deepEqual(JSON.parse(shown), JSON.parse(JSON.stringify(checked.result)));
        }
        checkTables(checked.document);
      }
      assert.ok(documents > 0, 'no result was accepted');
    });
  }
});
