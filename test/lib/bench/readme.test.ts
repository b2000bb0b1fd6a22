// The README's table of figures: from the newest summary of a folder, between its two marks.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latestSummary, readmeSection, withSection } from '../../../lib/bench/readme.js';
import { summarizeBench } from '../../../lib/bench/summary.js';
import { EMPTY_REPORT, row } from '../../support/bench_report.js';

const SUMMARY = summarizeBench({
  ...EMPTY_REPORT,
  quick: false,
  rows: [
    row({ gops: 461.2, ratioToBestPeer: 1.254, bestPeer: 'onednn' }),
    row({ impl: 'onednn' }),
    row({ op: 'conv.int4', gops: 33.3 }),
  ],
});

describe("the README's figures", () => {
  it('are those of the newest summary; other files are passed over', () => {
    const folder = mkdtempSync(join(tmpdir(), 'faultline-readme-'));
    try {
      assert.equal(latestSummary(folder), undefined);
      const at = (startedAt: string) => JSON.stringify({ ...SUMMARY, startedAt });
      writeFileSync(join(folder, 'a.json'), at('2026-03-01T00:00:00.000Z'));
      writeFileSync(join(folder, 'b.json'), at('2026-02-01T00:00:00.000Z'));
      writeFileSync(join(folder, 'c.json'), '{"schema": "another"}');
      writeFileSync(join(folder, 'd.md'), '# Text');
      assert.equal(latestSummary(folder)?.startedAt, '2026-03-01T00:00:00.000Z');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('stand in one row an operation, a dash where no peer was timed', () => {
    const lines = readmeSection(SUMMARY).split('\n');
    assert.ok(lines.includes('| `matmul.s32` | 1 | 1 | **1.25×** | 1.25× | 1.25× | 461 | oneDNN |'));
    assert.ok(lines.includes('| `conv.int4` | 1 | 1 | - | - | - | 33.3 | - |'));
    assert.match(readmeSection(undefined), /^No full report is kept yet/);
  });

  it('replace what is between the marks and nothing else', () => {
    const [begin, end] = ['<!-- measured: begin -->', '<!-- measured: end -->'];
    assert.equal(withSection(`a\n${begin}\nold\n${end}\nz\n`, 'new'), `a\n${begin}\nnew\n${end}\nz\n`);
    assert.throws(() => withSection(`a\n${end}\n${begin}\n`, 'new'), /expected <!-- measured: begin -->/);
  });
});
