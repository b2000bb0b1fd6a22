// Reports: the schema, and that every format says what report.json says, whatever the names in it.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { buildDocument, pairNames } from '../../../lib/report/build.js';
import { csvFiles, csvTable } from '../../../lib/report/csv.js';
import { type Document, type Table, tablesOf } from '../../../lib/report/document.js';
import { formatCell } from '../../../lib/report/format.js';
import { htmlReport } from '../../../lib/report/html/page.js';
import { kind } from '../../../lib/report/kinds/report.js';
import { markdownReport, markdownTable } from '../../../lib/report/markdown.js';
import { readResult } from '../../../lib/report/read.js';
import { type ReportInput, reportSchema } from '../../../lib/report/schema.js';
import { meanCurve } from '../../../lib/report/sections/search.js';
import { terminalReport } from '../../../lib/report/terminal.js';
import { writeReport } from '../../../lib/report/write.js';
import { reportFixture } from '../../support/report_fixture.js';

const HOSTILE = '"><script>alert(1)</script>|*x*`=1+1\u001b[31m\r\n![a](http://example.org/x)';

// linkedom's types want the DOM library, which Node's code does not use.
interface Element {
  readonly textContent: string;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<Element>;
}
function pageOf(text: string): Element {
  return (parseHTML(text) as unknown as { document: Element }).document;
}
function find(page: Element, selector: string): Element[] {
  return [...page.querySelectorAll(selector)];
}

function documentOf(report: ReportInput): Document {
  return buildDocument(reportSchema.parse(report));
}

const fixture = documentOf(reportFixture());
const page = pageOf(htmlReport(fixture));

/** RFC 4180, as a reader of its own. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (const match of text.matchAll(pattern)) {
    row.push(match[1] === undefined ? (match[2] as string) : match[1].replaceAll('""', '"'));
    if (match[3] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe('report: schema', () => {
  it('a report survives being written and read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-report-'));
    try {
      const written = await writeReport(folder, reportFixture());
      assert.deepEqual((await readResult(folder)).result, written);
      assert.deepEqual(written, reportSchema.parse(reportFixture()));
      const names = (await readdir(folder)).sort();
      assert.deepEqual(names, ['report.html', 'report.json', 'report.md', 'tables']);
      assert.deepEqual((await readdir(join(folder, 'tables'))).sort(), [...csvFiles(fixture).keys()].sort());
      assert.equal(await readFile(join(folder, 'report.md'), 'utf8'), markdownReport(fixture));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('fields that it does not know are kept', () => {
    const report = reportSchema.parse({ ...reportFixture(), later: { x: 1 } });
    assert.deepEqual(report.later, { x: 1 });
  });

  it('what is wrong is named', () => {
    const report = reportFixture();
    const broken = { ...report, pairs: [{ ...report.pairs?.[0], drop: 101 }] };
    assert.throws(
      () => kind.check(broken),
      (error) => error instanceof InvalidArgumentError && /pairs\.0\.drop/.test(error.message),
    );
    assert.throws(() => kind.check({ schema: 'faultline.report/2' }), InvalidArgumentError);
  });

  it('the least report there is has all formats', () => {
    const least = documentOf({ schema: 'faultline.report/1' });
    for (const format of [htmlReport, markdownReport, terminalReport]) assert.ok(format(least).includes(least.title));
  });
});

describe('report: HTML', () => {
  const text = htmlReport(fixture);

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
});

describe('report: hostile names', () => {
  const report = reportFixture();
  const [pair] = report.pairs ?? [];
  if (!pair) throw new Error('the fixture has a pair');
  pair.objective = HOSTILE;
  pair.layers?.forEach((layer) => {
    layer.node = HOSTILE;
  });
  pair.flips?.examples.forEach((flip) => {
    flip.before = HOSTILE;
  });
  const document = documentOf({ ...report, title: HOSTILE, summary: HOSTILE });

  it('stay text in HTML', () => {
    const hostile = pageOf(htmlReport(document));
    assert.equal(find(hostile, 'script').length, 0);
    assert.ok(find(hostile, 'h1')[0]?.textContent.includes('<script>alert(1)</script>'));
    for (const picture of find(hostile, 'img')) {
      const allowed = ['src', 'alt', 'loading'];
      const attributes = (picture as unknown as { attributes: Iterable<{ name: string }> }).attributes;
      assert.deepEqual([...attributes].map(({ name }) => name).sort(), allowed.sort());
    }
  });

  it('stay text in Markdown, in their cell', () => {
    const table: Table = {
      kind: 'table',
      name: 'x',
      caption: '',
      columns: [{ key: 'a', label: HOSTILE, unit: 'text' }],
      rows: [[HOSTILE]],
    };
    const lines = markdownTable(table).split('\n');
    assert.equal(lines.length, 3);
    for (const line of [lines[0], lines[2]]) {
      // Two bars that are not escaped: the ends of the line.
      assert.equal((line as string).match(/(?<!\\)\|/g)?.length, 2);
      assert.ok(!/(?<!\\)[<[*`]/.test(line as string));
    }
  });

  it('are no formulas in CSV and come back', () => {
    for (const text of ['=1+1', '@SUM(A1)', '+1', '-conv']) {
      const table: Table = {
        kind: 'table',
        name: 'x',
        caption: '',
        columns: [{ key: 'a', label: 'a', unit: 'text' }],
        rows: [[text], [HOSTILE]],
      };
      assert.deepEqual(parseCsv(csvTable(table)), [['a'], [`'${text}`], [HOSTILE]]);
    }
  });

  it('do not reach the terminal as control sequences', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(terminalReport(document)));
  });
});

describe('report: Markdown and CSV', () => {
  it('Markdown tables parse back to the cells', () => {
    for (const table of tablesOf(fixture)) {
      const lines = markdownTable(table).split('\n');
      const cells = lines.map((line) =>
        line
          .slice(1, -1)
          .split(/(?<!\\)\|/)
          .map((text) => text.trim()),
      );
      assert.equal(cells.length, table.rows.length + 2);
      table.rows.forEach((row, index) => {
        const texts = (cells[index + 2] as string[]).map((text) => text.replace(/\\(.)/g, '$1'));
        assert.deepEqual(
          texts,
          table.columns.map(({ unit }, at) => formatCell(row[at], unit)),
        );
      });
    }
  });

  it('CSV parses back to exact numbers and to both ends of intervals', () => {
    const files = csvFiles(fixture);
    assert.equal(files.size, tablesOf(fixture).length, 'a name for each table');
    const [header, ...rows] = parseCsv(files.get('pairs.csv') as string);
    const report = reportSchema.parse(reportFixture());
    const column = (name: string) => rows.map((row) => Number(row[(header as string[]).indexOf(name)]));
    assert.deepEqual(
      column('drop'),
      report.pairs.map(({ drop }) => drop),
    );
    assert.deepEqual(
      column('fpAccuracy_low'),
      report.pairs.map(({ fpInterval }) => fpInterval?.[0]),
    );
    assert.deepEqual(
      column('fpAccuracy_high'),
      report.pairs.map(({ fpInterval }) => fpInterval?.[1]),
    );
    assert.deepEqual(
      rows.map(([name]) => name),
      pairNames(report),
    );
  });
});

describe('report: parts', () => {
  it('means over seeds stand where there are several', () => {
    const report = reportFixture();
    const [pair] = report.pairs ?? [];
    if (!pair) throw new Error('the fixture has a pair');
    const again = { ...pair, seed: 1, drop: pair.drop - 10, quantizedAccuracy: pair.quantizedAccuracy + 10 };
    const document = documentOf({ ...report, pairs: [pair, again] });
    const table = tablesOf(document).find(({ name }) => name === 'pairs-mean');
    assert.equal(table?.rows.length, 1);
    const [, seeds, , , drop, deviation] = (table as Table).rows[0] as number[];
    assert.equal(seeds, 2);
    assert.ok(Math.abs((drop as number) - (pair.drop - 5)) < 1e-9);
    assert.ok(Math.abs((deviation as number) - Math.sqrt(50)) < 1e-9);
  });

  it('a mean curve holds values until their next point', () => {
    assert.deepEqual(
      meanCurve([
        [
          [1, 10],
          [4, 2],
        ],
        [
          [1, 20],
          [2, 6],
        ],
      ]),
      [
        [1, 15],
        [2, 8],
        [4, 4],
      ],
    );
  });
});
