// `faultline quantize`: files written, what it says of the nodes, refusals.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { packageRoot } from '../../../lib/core/package_root.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { exportModel, saveModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { policyToJson } from '../../../lib/policy/json.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { hostTensor } from '../../../lib/tensor/host_tensor.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

const faultline = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

describe('faultline quantize', () => {
  const graph = buildModel('convnet2', { seed: 1 });
  let folder: string;
  let model: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-quantize-'));
    model = join(folder, 'model.onnx');
    await saveModel(graph, model);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('writes a smaller model that onnxruntime loads, and says what became of the nodes', async () => {
    const out = join(folder, 'int8.onnx');
    const { status, stdout, stderr } = faultline('quantize', model, '--policy', 'W8A8', '--out', out);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /int8\.onnx: \d+ KiB \(was \d+ KiB\); integer 3/);
    assert.ok(readFileSync(out).length < readFileSync(model).length / 3);
    const session = await ort.InferenceSession.create(out);
    assert.deepEqual([...session.inputNames], [graph.inputs[0]?.name]);
    await session.release();
  });

  it('takes half precision, weights behind casts, and says so of a model that is quantized already', () => {
    const half = (values: Float32Array) => hostTensor('float16', [4, 4], values);
    const g = new GraphBuilder('half');
    const weight = g.initializer('w', half(Float32Array.from({ length: 16 }, (_, i) => i / 8)));
    const wide = g.node('cast', 'Cast', [weight], { attributes: { to: 1 } });
    g.output(g.node('product', 'MatMul', [g.input('x', ['N', 4]), wide]));
    const [source, out] = [join(folder, 'half.onnx'), join(folder, 'half.int8.onnx')];
    writeFileSync(source, exportModel(g.build()));
    const first = faultline('quantize', source, '--out', out);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stdout, /integer 1/);
    assert.match(first.stderr, /1 weights, inputs and outputs of half precision are float32/);
    assert.match(first.stderr, /1 nodes of constants alone/);
    const second = faultline('quantize', out, '--out', join(folder, 'twice.onnx'));
    assert.equal(second.status, 1);
    assert.match(second.stderr, /MatMulInteger .*\n {2}expected a model in floating point/);
  });

  it('takes a policy from a file, leaves nodes out, and reports as JSON', () => {
    const [first, second] = [...uniformPolicy(graph, 'W4A4').schemes.keys()] as [string, string];
    const file = join(folder, 'policy.json');
    writeFileSync(file, JSON.stringify(policyToJson(uniformPolicy(graph, 'W4A4'))));
    const out = join(folder, 'int4.onnx');
    const run = faultline('quantize', model, '--policy', file, '--exclude', first, '--out', out, '--json');
    assert.equal(run.status, 0, run.stderr);
    const { nodes } = JSON.parse(run.stdout) as {
      nodes: { node: string; form: string; bits?: string; remarks: string[] }[];
    };
    const of = (name: string) => nodes.find(({ node }) => node === name);
    assert.deepEqual([of(first)?.form, of(first)?.bits], ['float32', undefined]);
    assert.deepEqual([of(second)?.form, of(second)?.bits], ['integer', 'W4A4']);
    assert.match(of(second)?.remarks.join() ?? '', /4 bits at run time/);
  });

  it('refuses unknown nodes, policies, formats and two granularities, and writes nothing', () => {
    const out = join(folder, 'none.onnx');
    const cases: [string[], RegExp][] = [
      [['--policy', 'W9A8'], /W2A2 … W8A8/],
      [['--policy', 'absent.json'], /absent\.json: ENOENT/],
      [['--exclude', 'nothing'], /"nothing"/],
      [['--format', 'tflite'], /integer or qdq/],
      [['--per-tensor', '--block-size', '32'], /one of --per-channel/],
    ];
    for (const [flags, message] of cases) {
      const { status, stderr } = faultline('quantize', model, ...flags, '--out', out);
      assert.notEqual(status, 0);
      assert.match(stderr, message);
    }
    assert.ok(!existsSync(out));
  });

  it('never writes over the model itself', () => {
    const before = readFileSync(model);
    const { status, stderr } = faultline('quantize', model, '--out', join(folder, '.', 'sub', '..', 'model.onnx'));
    assert.match(stderr, /--out: expected another file than the model/);
    assert.equal(status, 2);
    assert.deepEqual(readFileSync(model), before);
  });
});
