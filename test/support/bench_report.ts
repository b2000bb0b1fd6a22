// Rows and an empty report of `bench kernels`, for tests of what is made of them.
import type { BenchReport, Row } from '../../lib/bench/schema.js';

export function row(fields: Partial<Row>): Row {
  return {
    op: 'matmul.s32',
    shape: '1x1x1',
    impl: 'faultline',
    isa: 'scalar',
    threads: 1,
    medianUs: 1,
    roundsUs: [1],
    gops: 1,
    calls: 1,
    variant: 'v',
    kernel: '',
    sets: ['peers'],
    ...fields,
  };
}

export const EMPTY_REPORT: BenchReport = {
  schema: 'faultline.bench/1',
  command: 'faultline bench kernels',
  startedAt: '2026-01-01T00:00:00.000Z',
  quick: true,
  machine: {
    cpu: 'cpu',
    isa: 'scalar',
    cpus: 1,
    l1Bytes: 1,
    l2Bytes: 1,
    l3Bytes: 1,
    onednn: '',
    onednnIsa: '',
    onnxruntime: '',
  },
  ceilings: [],
  rows: [],
  failures: [],
  notes: [],
};
