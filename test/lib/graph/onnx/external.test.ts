// Weights in files beside the model: read, or refused by name.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OnnxFormatError } from '../../../../lib/graph/errors.js';
import { encodeModel, modelDigest } from '../../../../lib/graph/onnx/codec.js';
import { loadModel } from '../../../../lib/graph/onnx/import.js';
import { hostTensor } from '../../../../lib/tensor/host_tensor.js';
import { model } from '../../../support/onnx_model.js';

describe('weights beside the model', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'faultline-external-'));
  });
  after(() => rm(folder, { recursive: true }));

  const values = Float32Array.of(1, -2, 3);
  /** y = x * w, w in another file; saved in the folder. */
  async function save(entries: Readonly<Record<string, string>>): Promise<string> {
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    const proto = model([{ opType: 'Mul', name: 'm', input: ['x', 'w'], output: ['y'] }], {
      initializer: [{ name: 'w', dims: [3, 1, 1], dataType: 1, dataLocation: 1, externalData }],
    });
    const path = join(folder, 'm.onnx');
    await writeFile(path, encodeModel(proto));
    return path;
  }

  it('are read, all of a file or a part, and count in the digest', async () => {
    await mkdir(join(folder, 'sub'), { recursive: true });
    await writeFile(join(folder, 'sub', 'w.bin'), Buffer.concat([Buffer.alloc(64), new Uint8Array(values.buffer)]));
    await writeFile(join(folder, 'w'), new Uint8Array(values.buffer));
    for (const entries of [
      { location: 'sub/w.bin', offset: '64', length: '12' },
      { location: 'sub/w.bin', offset: '64' },
      { location: 'w' },
    ]) {
      const { graph } = await loadModel(await save(entries));
      assert.deepEqual(graph.initializers.get('w'), hostTensor('float32', [3, 1, 1], values));
    }
    const path = join(folder, 'm.onnx');
    const digest = await modelDigest(path);
    assert.equal(await modelDigest(path), digest);
    await writeFile(join(folder, 'w'), new Uint8Array(12));
    assert.notEqual(await modelDigest(path), digest);
  });

  it('are refused outside the folder, missing, too short, or at a place that is none', async () => {
    await writeFile(join(folder, 'short.bin'), new Uint8Array(8));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await symlink('/etc/passwd', join(folder, 'link'));
    await symlink('/etc', join(folder, 'folder'));
    const cases: [Record<string, string>, RegExp][] = [
      [{ location: '../w.bin' }, /tensor "w": expected its data in a file in the model's folder, received "..\/w.bin"/],
      [{ location: 'a/../../w.bin' }, /expected its data in a file in the model's folder/],
      [{ location: '/etc/passwd' }, /expected its data in a file in the model's folder/],
      [{ location: 'C:\\w.bin' }, /expected its data in a file in the model's folder/],
      [{}, /expected its data in a file in the model's folder/],
      [{ location: 'absent.bin' }, /expected its data in "absent.bin" beside the model, received no such file/],
      [{ location: 'short.bin' }, /expected 12 bytes .* at 0 of "short.bin", received a file of 8 bytes/],
      [{ location: 'short.bin', length: '8' }, /expected 12 bytes for its shape, received 8/],
      [{ location: 'pipe' }, /in "pipe" beside the model, received a pipe/],
      [{ location: 'link' }, /received a link out of it: "link"/],
      [{ location: 'folder/passwd' }, /received a link out of it: "folder\/passwd"/],
      [{ location: 'short.bin', length: '12' }, /expected 12 bytes .* at 0 of "short.bin", received a file of 8 bytes/],
      [{ location: 'short.bin', offset: '9' }, /received a file of 8 bytes/],
      [{ location: 'short.bin', offset: '-4' }, /expected offset of its data in bytes, received "-4"/],
      [{ location: 'short.bin', length: '99999999999' }, /expected 12 bytes for its shape/],
      [{ location: '.' }, /received a folder/],
    ];
    for (const [entries, message] of cases) {
      const path = await save(entries);
      await assert.rejects(
        loadModel(path),
        (error) => error instanceof OnnxFormatError && error.message.startsWith(path) && message.test(error.message),
        JSON.stringify(entries),
      );
    }
  });
});
