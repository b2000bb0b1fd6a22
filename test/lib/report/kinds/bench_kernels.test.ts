// The document of `bench kernels`.
import { join } from 'node:path';
import { selectJobs } from '../../../../lib/bench/shapes.js';
import { evaluateTargets } from '../../../../lib/bench/targets.js';
import { packageRoot } from '../../../../lib/core/package_root.js';
import { kind } from '../../../../lib/report/kinds/bench_kernels.js';
import { EMPTY_REPORT, row } from '../../../support/bench_report.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const SHAPES = join(packageRoot(), 'bench', 'shapes');

describe('the document of bench kernels', () => {
  it('tables keep to 80 columns, also with the longest shapes and many notes', async () => {
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
    checkDocument(await documentOf(kind, report), [
      'Wrong results, not timed',
      'not measured',
      'matmul.int4, 1 thread',
    ]);
  });
});
