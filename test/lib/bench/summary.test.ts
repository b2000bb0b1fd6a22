// What is kept of a benchmark run: figures by operation, and none of a run that is not a measurement.
import assert from 'node:assert/strict';
import { summarizeBench, summarySchema } from '../../../lib/bench/summary.js';
import { EMPTY_REPORT, row } from '../../support/bench_report.js';

const FULL = {
  ...EMPTY_REPORT,
  quick: false,
  rows: [
    row({ shape: 'a', gops: 7, ratioToBestPeer: 0.5, bestPeer: 'onednn' }),
    row({ shape: 'a', impl: 'onednn', gops: 14 }),
    row({ shape: 'b', gops: 9, ratioToBestPeer: 2, bestPeer: 'onnxruntime' }),
    row({ shape: 'b', impl: 'onnxruntime', gops: 4 }),
    row({ op: 'conv.int4', shape: 'c', gops: 3 }),
  ],
};

describe('bench summary', () => {
  it('counts our shapes, takes our fastest, and the mean, worst and best ratio to the strongest peer', () => {
    const summary = summarizeBench(FULL);
    assert.deepEqual(summary.rows, [
      {
        op: 'matmul.s32',
        threads: 1,
        shapes: 2,
        ratioToBestPeer: { mean: 1, worst: 0.5, best: 2 },
        gops: 9,
        peers: ['onednn', 'onnxruntime'],
      },
      { op: 'conv.int4', threads: 1, shapes: 1, ratioToBestPeer: undefined, gops: 3, peers: [] },
    ]);
    const text = JSON.stringify(summary);
    assert.deepEqual(JSON.stringify(summarySchema.parse(JSON.parse(text))), text);
  });

  it('refuses a quick run and a run without figures', () => {
    assert.throws(
      () => summarizeBench({ ...FULL, quick: true }),
      /expected figures of a full run, received a quick run/,
    );
    assert.throws(() => summarizeBench({ ...FULL, rows: [] }), /expected figures of a full run, received none/);
  });
});
