// Reports of `bench kernels` as text.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { markdownReport } from '../../../lib/bench/markdown.js';
import { selectJobs } from '../../../lib/bench/shapes.js';
import { evaluateTargets } from '../../../lib/bench/targets.js';
import { terminalReport } from '../../../lib/bench/terminal.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { EMPTY_REPORT, row } from '../../support/bench_report.js';

const SHAPES = join(packageRoot(), 'bench', 'shapes');

describe('bench kernels: text', () => {
  it('tables keep to 80 columns, also with the longest shapes and many notes', () => {
    const longest = selectJobs(SHAPES, {}).map((job) =>
      row({
        op: job.op,
        shape: job.shape,
        medianUs: 123456.7,
        gops: 12345.6,
        ratioToBestPeer: 123.4,
        bestPeer: 'onednn',
      }),
    );
    const report = {
      ...EMPTY_REPORT,
      rows: longest,
      notes: ['a long note '.repeat(20)],
      failures: [
        {
          op: 'conv.s32' as const,
          shape: '1',
          impl: 'onednn' as const,
          threads: 1,
          variant: 'v',
          reason: 'r '.repeat(99),
        },
      ],
      targets: evaluateTargets({ main: EMPTY_REPORT, vnni: 'no', avx2: 'no', twoThreads: 'no', napiUs: 1 }),
    };
    for (const line of terminalReport(report).split('\n')) assert.ok(line.length <= 80, line);
    assert.match(markdownReport(report), /## Wrong results, not timed/);
  });
});
