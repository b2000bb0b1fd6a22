// What holds of every Document: every format can be made of it, and holds the words that matter.
import assert from 'node:assert/strict';
import { csvFiles } from '../../lib/report/csv.js';
import { type Document, tablesOf } from '../../lib/report/document.js';
import { htmlReport } from '../../lib/report/html/page.js';
import type { Kind } from '../../lib/report/kind.js';
import { checkResult } from '../../lib/report/kinds.js';
import { markdownReport } from '../../lib/report/markdown.js';
import { terminalReport } from '../../lib/report/terminal.js';
import { widthOf } from '../../lib/report/text.js';
import { asJson } from '../../lib/run/files.js';

/** Names of CSV files differ, every format holds these words, and the terminal's has 80 columns. */
export function checkDocument(document: Document, words: readonly string[]): void {
  const names = tablesOf(document).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, names.join(' '));
  assert.equal(csvFiles(document).size, names.length);
  for (const text of [htmlReport(document), markdownReport(document)]) {
    for (const word of words) assert.ok(text.includes(word), word);
    assert.doesNotMatch(text, /undefined|NaN|\[object/);
  }
  for (const line of terminalReport(document).split('\n')) assert.ok(widthOf(line) <= 80, line);
}

/** The Document of a result of the library, after its check; the registry makes the same, also of what --json prints. */
export async function documentOf<Result>(kind: Kind<Result>, result: unknown): Promise<Document> {
  const document = kind.document(kind.check(result));
  const printed = (await checkResult(result)).result;
  assert.deepEqual((await checkResult(asJson(printed))).document, document);
  return document;
}
