// faultline as a library: the README's example runs as written, in a worker thread too.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../lib/core/package_root.js';
import { saveModel } from '../../lib/graph/onnx/export.js';
import { blobs, trainedOnBlobs } from '../support/assess_networks.js';

/** A .npy file, version 1. */
function npy(descr: string, dims: readonly number[], bytes: Uint8Array): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = `${text}${' '.repeat(63 - ((10 + text.length) % 64))}\n`;
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 0, 0]);
  prefix.writeUInt16LE(header.length, 8);
  return Buffer.concat([prefix, Buffer.from(header), bytes]);
}

describe('faultline as a library', () => {
  let folder: string;
  // Inside the package, so that the import of 'faultline' finds it.
  const script = join(packageRoot(), 'dist', `library-example-${process.pid}.mjs`);
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-library-'));
    const graph = await trainedOnBlobs();
    await saveModel(graph, join(folder, 'model.onnx'));
    const { pixels, labels } = blobs(200);
    writeFileSync(join(folder, 'images.npy'), npy('|u1', [200, 12, 12], pixels as Uint8Array));
    writeFileSync(join(folder, 'labels.npy'), npy('<i4', [200], new Uint8Array((labels as Int32Array).buffer)));
    const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
    const example = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].find(([, code]) => code?.includes('assess('));
    assert.ok(example);
    writeFileSync(script, example[1] as string);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(script, { force: true });
  });

  const check = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: folder });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^(safe|caution|unsafe) \[/);
    assert.match(stdout, /'worst found -?\d/);
    assert.equal(stdout.match(/^(conv1|conv2|logits)\S* [\d.]+ -?[\d.]+$/gm)?.length, 3, stdout);
    assert.match(stderr, /^policies \d+\/\d+$/m);
  };

  it("runs the README's example", () => check(script));

  it('runs it in a worker thread', () => {
    check('-e', `new (require('node:worker_threads').Worker)(${JSON.stringify(script)})`);
  });
});
