// A report as one HTML page: complete, self-contained, and safe whatever the names in it.
import assert from 'node:assert/strict';
import { buildDocument } from '../../../../lib/report/build.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { formatCell } from '../../../../lib/report/format.js';
import { htmlReport } from '../../../../lib/report/html/page.js';
import { type ReportInput, reportSchema } from '../../../../lib/report/schema.js';
import { find, HOSTILE, pageOf } from '../../../support/pages.js';
import { namedFixture, reportFixture } from '../../../support/report_fixture.js';

const documentOf = (report: ReportInput) => buildDocument(reportSchema.parse(report));
const fixture = documentOf(reportFixture());

describe('report as HTML', () => {
  const text = htmlReport(fixture);
  const page = pageOf(text);

  it('needs nothing from elsewhere and runs nothing', () => {
    for (const element of find(page, '[src], [href], [srcset], [action], [data]')) {
      const target = element.getAttribute('src') ?? element.getAttribute('href') ?? '';
      assert.match(target, /^(data:image\/png;base64,|#)/);
    }
    assert.equal(find(page, 'script, link, iframe, object, embed, base, form').length, 0);
    const outside = text.replace(/data:image\/png;base64,[A-Za-z0-9+/=]*/g, '');
    const urls = [...outside.matchAll(/(?:https?:)?\/\/[a-z0-9.-]+/gi)].map(([url]) => url);
    assert.deepEqual(
      [...new Set(urls)].filter((url) => url !== 'http://www.w3.org'),
      [],
    );
    assert.ok(!/@import|url\(/.test(text));
  });

  it('holds every figure and text of every table', () => {
    const cells = new Set(find(page, 'th, td').map(({ textContent }) => textContent));
    for (const table of tablesOf(fixture)) {
      for (const row of table.rows) {
        table.columns.forEach(({ unit }, at) => {
          const cell = row[at];
          const wanted = formatCell(typeof cell === 'object' ? cell?.value : cell, unit);
          assert.ok(
            [...cells].some((seen) => seen === wanted || (typeof cell === 'object' && seen.startsWith(wanted))),
            `${table.name}: ${wanted}`,
          );
        });
      }
    }
  });

  it('every picture and drawing says what it shows, every table stands under its name', () => {
    const pictures = find(page, 'img');
    assert.ok(pictures.length >= 4 * 14);
    for (const picture of pictures) assert.ok((picture.getAttribute('alt') ?? '').length > 5);
    const drawings = find(page, 'svg');
    const charts = fixture.sections.flatMap(({ blocks }) => blocks.filter(({ kind }) => kind === 'chart'));
    assert.equal(drawings.length, 2 * charts.length);
    for (const drawing of drawings) {
      assert.equal(drawing.getAttribute('role'), 'img');
      assert.ok((drawing.getAttribute('aria-label') ?? '').length > 5);
    }
    for (const table of find(page, 'table')) assert.ok(table.getAttribute('aria-label'));
  });

  it('colours are variables, so that one drawing serves light and dark', () => {
    for (const element of find(page, 'svg [fill], svg [stroke]')) {
      for (const name of ['fill', 'stroke']) {
        const colour = element.getAttribute(name);
        if (colour !== null) assert.match(colour, /^(var\(--[a-z0-9-]+\)|none|currentColor)$/);
      }
    }
    const style = find(page, 'style')[0]?.textContent ?? '';
    assert.ok(style.includes('prefers-color-scheme: dark'));
    const used = new Set([...text.matchAll(/var\((--[a-z0-9-]+)\)/g)].map((match) => match[1] as string));
    for (const name of used)
      assert.equal(style.split(`${name}:`).length - 1, 2, `${name} has a light and a dark value`);
  });

  it('sections are linked by anchors that are there once', () => {
    const ids = find(page, '[id]').map((element) => element.getAttribute('id'));
    assert.equal(new Set(ids).size, ids.length);
    for (const link of find(page, 'a')) assert.ok(ids.includes((link.getAttribute('href') ?? '').slice(1)));
  });

  it('hostile names stay text', () => {
    const hostile = pageOf(htmlReport(documentOf(namedFixture(HOSTILE))));
    assert.equal(find(hostile, 'script').length, 0);
    assert.ok(find(hostile, 'h1')[0]?.textContent.includes('<script>alert(1)</script>'));
    for (const picture of find(hostile, 'img')) {
      const allowed = ['src', 'alt', 'loading'];
      const attributes = (picture as unknown as { attributes: Iterable<{ name: string }> }).attributes;
      assert.deepEqual([...attributes].map(({ name }) => name).sort(), allowed.sort());
    }
  });
});
