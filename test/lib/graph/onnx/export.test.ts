// Export: what is imported again is the same graph.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { OPERATORS } from '../../../../lib/graph/check.js';
import { encodeModel } from '../../../../lib/graph/onnx/codec.js';
import { exportModel, modelOf, saveModel } from '../../../../lib/graph/onnx/export.js';
import { importModel, loadModel } from '../../../../lib/graph/onnx/import.js';
import { toSafeInteger } from '../../../../lib/graph/onnx/messages.js';
import { buildModel } from '../../../../lib/models/index.js';
import { floats, type HostTensor, hostTensor } from '../../../../lib/tensor/host_tensor.js';
import { listTests, readModelBytes, readModelProto } from '../../../conformance/onnx_data.js';

describe('the round trip', () => {
  it('is the identity on every ONNX test of operator sets 13 to 21', () => {
    let count = 0;
    for (const category of ['node', 'pytorch-converted', 'pytorch-operator', 'simple']) {
      for (const test of listTests(category)) {
        const proto = readModelProto(category, test);
        const known = proto.graph?.node?.every(({ opType }) => OPERATORS.has(opType ?? ''));
        const current = (toSafeInteger(proto.opsetImport?.[0]?.version ?? 0) ?? 0) >= 13;
        if (
          !known ||
          !current ||
          /training_mode/.test(test) ||
          proto.graph?.input?.some(({ type }) => !type?.tensorType)
        )
          continue;
        const { graph } = importModel(readModelBytes(category, test), test);
        const again = importModel(exportModel(graph), test);
        assert.deepEqual(again.graph, graph, test);
        assert.deepEqual(again.notes, [], test);
        count++;
      }
    }
    assert.ok(count > 80, `${count} models`);
  });

  it('keeps metadata, declared shapes, left-out inputs and odd bits', () => {
    const builder = new GraphBuilder('odd', 18);
    const high = builder.initializer('high', floats([], [6]));
    builder.output(builder.node('clip', 'Clip', [builder.input('x', ['N', '?', 3]), '', high]));
    const nan = new Float32Array(Uint32Array.of(0x7fc01234, 0x80000000).buffer);
    builder.initializer('nan', floats([2], nan));
    builder.initializer('int4', hostTensor('int4', [3], Int8Array.of(-8, 7, 1)));
    builder.initializer('half', hostTensor('float16', [1], Float32Array.of(0.5)));
    builder.initializer('text', hostTensor('string', [1], ['é']));
    builder.initializer('big', hostTensor('int64', [1], BigInt64Array.of(2n ** 62n + 1n)));
    const metadata = {
      irVersion: 9,
      producerName: 'p',
      producerVersion: '1',
      domain: 'd',
      modelVersion: 2n ** 60n + 1n,
      docString: 'doc',
      properties: { seed: '7' },
    };
    const values = new Map([['clip', { name: 'clip', dtype: 'float32' as const, dims: ['N', '?', 3] }]]);
    const graph = builder.build(metadata).with({ values });
    const { graph: again } = importModel(exportModel(graph));
    assert.deepEqual(again, graph);
    const copy = again.initializers.get('nan') as HostTensor<'float32'>;
    const bits = new Uint32Array(copy.data.buffer);
    assert.deepEqual(bits, Uint32Array.of(0x7fc01234, 0x80000000));
    assert.deepEqual(encodeModel(modelOf(again)), encodeModel(modelOf(graph)));
  });

  it('goes through a file, written whole or not at all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-'));
    try {
      const path = join(folder, 'model.onnx');
      const graph = buildModel('convnet2');
      await saveModel(graph, path);
      assert.deepEqual(await readdir(folder), ['model.onnx']);
      assert.deepEqual((await loadModel(path)).graph.nodes, graph.nodes);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
