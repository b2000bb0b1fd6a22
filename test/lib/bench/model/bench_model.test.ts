// `bench model`: contenders checked and timed in separate processes, and what their report says.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchModel, nearness } from '../../../../lib/bench/model/bench_model.js';
import { MeasuringProcess } from '../../../../lib/bench/model/child.js';
import { batchShape } from '../../../../lib/bench/model/inputs.js';
import { makeRunner } from '../../../../lib/bench/model/runner.js';
import { type ModelReport, modelReportSchema } from '../../../../lib/bench/model/schema.js';
import { quantizableNodes } from '../../../../lib/graph/check.js';
import { saveModel } from '../../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../../lib/models/index.js';
import { policyToJson } from '../../../../lib/policy/json.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { kind } from '../../../../lib/report/kinds/bench_model.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const graph = buildModel('convnet2', { input: [1, 12, 12], classes: 10, seed: 1 });
const policies = [
  { name: 'fp32', policy: undefined },
  { name: 'W8A8', policy: uniformPolicy(graph, 'W8A8') },
  { name: 'W4A4', policy: uniformPolicy(graph, 'W4A4') },
];

describe('bench model', () => {
  let folder: string;
  let model: string;
  let report: ModelReport;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'faultline-bench-model-'));
    model = join(folder, 'model.onnx');
    await saveModel(graph, model);
    const common = { command: 'test', threads: [1], rounds: 2, roundMs: 1, seed: 3, peers: true };
    report = await benchModel(model, { ...common, batches: [1, 3], policies });
  });
  after(() => rm(folder, { recursive: true }));

  it('measures every contender at every batch size, none failed', () => {
    const names = report.rows.map(({ impl, policy, batch }) => `${impl} ${policy} ${batch}`);
    const contenders = ['faultline fp32', 'faultline W8A8', 'faultline W4A4', 'onnxruntime fp32', 'onnxruntime W8A8'];
    assert.deepEqual(
      names,
      [1, 3].flatMap((batch) => contenders.map((name) => `${name} ${batch}`)),
    );
    assert.deepEqual([report.failures, report.notes], [[], []]);
    for (const row of report.rows) {
      assert.equal(row.rounds.length, 2);
      assert.ok(
        row.calls >= 2 && row.latencyMs.least <= row.latencyMs.median && row.latencyMs.p90 <= row.latencyMs.p99,
      );
      assert.ok(row.peakMemoryBytes >= row.baselineMemoryBytes);
    }
  });

  it('states how near each is to float32, and fewer bits are farther', () => {
    const sqnr = (impl: string, policy: string) =>
      report.rows.find((row) => row.impl === impl && row.policy === policy)?.sqnrDb ?? Number.POSITIVE_INFINITY;
    assert.ok(sqnr('faultline', 'W8A8') > sqnr('faultline', 'W4A4'));
    assert.ok(sqnr('onnxruntime', 'fp32') > sqnr('onnxruntime', 'W8A8'));
  });

  it('compares float32 with float32 and integers with dynamic int8, round by round', () => {
    for (const batch of [1, 3]) {
      const of = (impl: string, policy: string) => {
        const row = report.rows.find((one) => one.impl === impl && one.policy === policy && one.batch === batch);
        assert.ok(row);
        return row;
      };
      for (const [policy, peer] of [
        ['fp32', 'fp32'],
        ['W8A8', 'W8A8'],
        ['W4A4', 'W8A8'],
      ] as const) {
        const [ours, theirs] = [of('faultline', policy), of('onnxruntime', peer)];
        const [a, b] = ours.rounds.map((speed, i) => speed / (theirs.rounds[i] as number)) as [number, number];
        assert.equal(ours.peer, `onnxruntime ${peer}`);
        assert.ok(Math.abs((ours.ratioToPeer as number) - (a + b) / 2) < 1e-9 * (a + b));
      }
    }
  });

  it('times every quantized layer of a policy', () => {
    const wanted = quantizableNodes(graph).map(({ name }) => name);
    for (const { impl, policy, layers } of report.rows) {
      const integer = impl === 'faultline' && policy !== 'fp32';
      assert.deepEqual(
        layers?.map(({ node }) => node),
        integer ? wanted : undefined,
      );
    }
  });

  it('has a document of every format, with the layers', async () => {
    const names = quantizableNodes(graph).map(({ name }) => name);
    checkDocument(await documentOf(kind, report), ['onnxruntime', ...names.filter((name) => !name.includes('_'))]);
    assert.deepEqual(modelReportSchema.parse(JSON.parse(JSON.stringify(report))), report);
  });

  it('in turns the logits are those of one process', async () => {
    const contender = {
      impl: 'faultline',
      policy: 'W8A8',
      variant: '',
      bits: policyToJson(uniformPolicy(graph, 'W8A8')),
      model,
    } as const;
    const shape = batchShape(graph, 3, 3);
    const child = new MeasuringProcess(contender, 1);
    try {
      const { logits, failure } = await child.load(1, shape);
      assert.equal(failure, undefined);
      const runner = await makeRunner(contender, 1, shape);
      assert.deepEqual(logits, Float32Array.from(await runner.run()));
    } finally {
      child.end();
    }
  });
});

describe('bench model: parts', () => {
  it('nearness counts classes and relates noise to signal', () => {
    const reference = Float32Array.of(1, 0, 0, 2);
    const near = nearness(Float32Array.of(1, 0.5, 2.5, 2), reference, 2);
    assert.equal(near.sameClass, 0.5);
    assert.ok(Math.abs((near.sqnrDb as number) - 10 * Math.log10(5 / 6.5)) < 1e-9);
    assert.equal(near.relativeError, 1.25);
    assert.deepEqual(nearness(reference, reference, 2), { sameClass: 1, relativeError: 0 });
  });
});
