// `faultline train` as a person runs it, on Fashion-MNIST.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

function faultline(...args: string[]) {
  const env = { ...process.env, OMP_NUM_THREADS: '1' };
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', env });
}

/** Version 1.0 of numpy's format. */
function npy(type: string, shape: readonly number[], bytes: Uint8Array): Buffer {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = `${text.padEnd(117)}\n`;
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(header), bytes]);
}

describe('faultline train', () => {
  let folder: string;
  let data: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-cli-'));
    writeFileSync(join(folder, 'x.npy'), npy('|u1', [20, 8, 8, 1], new Uint8Array(20 * 64)));
    writeFileSync(join(folder, 'y.npy'), npy('|u1', [20], new Uint8Array(20)));
    data = `${join(folder, 'x.npy')},${join(folder, 'y.npy')}`;
  });
  after(() => rmSync(folder, { recursive: true }));

  it('refuses a set without training images, an unknown architecture and nonsense, with exit code 2', () => {
    const out = join(folder, 'none');
    const single = faultline('train', '--arch', 'resnet8', '--data', data, '--out', out);
    assert.equal(single.status, 2, single.stderr);
    assert.match(single.stderr, /data: expected a set with training images/);
    const epochs = faultline('train', '--arch', 'resnet8', '--data', data, '--out', out, '--epochs', 'many');
    assert.equal(epochs.status, 2);
    assert.match(epochs.stderr, /--epochs: expected an integer of at least 1, received many/);
    const missing = faultline('evaluate', join(folder, 'no.onnx'), '--data', data);
    assert.notEqual(missing.status, 0);
    assert.match(missing.stderr, /no\.onnx/);
    assert.ok(!existsSync(join(out, 'model.onnx')));
  });

  it('trains, writes a run that ends once, and its model evaluates to the figure of the report', () => {
    const out = join(folder, 'run');
    const args = ['train', '--arch', 'mlp', '--data', 'fashion-mnist', '--epochs', '1', '--out', out];
    const trained = faultline(...args, '--json');
    assert.equal(trained.status, 0, trained.stderr);
    const report = JSON.parse(trained.stdout) as { test: { accuracy: number; images: number }; model: string };
    assert.equal(report.test.images, 10000);
    assert.ok(report.test.accuracy > 0.8, trained.stdout);
    assert.match(trained.stderr, /epoch 1 step 468\/468 loss .* images\/s/);
    const epochs = () =>
      readFileSync(join(out, 'events.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('epoch ended'));
    assert.equal(epochs().length, 1);
    const again = faultline(...args, '--json');
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(JSON.parse(again.stdout), report);
    assert.equal(epochs().length, 1);
    const other = faultline(...args, '--rate', '.01');
    assert.notEqual(other.status, 0);
    assert.match(other.stderr, /rate: expected 0.01/);
    const evaluated = faultline('evaluate', report.model, '--data', 'fashion-mnist', '--json');
    const { images, correct, accuracy, loss } = JSON.parse(evaluated.stdout);
    assert.deepEqual({ images, correct, accuracy, loss }, report.test);
  });

  it('evaluate: mean and deviation count for bytes and for floats, whatever rank the input has', () => {
    const bytes = Uint8Array.from({ length: 20 * 64 }, (_, i) => (i * 37) % 256);
    const scaled = Float32Array.from(bytes, (value) => value / 255);
    const labels = join(folder, 'classes.npy');
    writeFileSync(join(folder, 'bytes.npy'), npy('|u1', [20, 8, 8, 1], bytes));
    writeFileSync(join(folder, 'floats.npy'), npy('<f4', [20, 8, 8, 1], new Uint8Array(scaled.buffer)));
    writeFileSync(join(folder, 'rows.npy'), npy('<f4', [20, 64], new Uint8Array(scaled.buffer)));
    writeFileSync(labels, npy('|u1', [20], new Uint8Array(20).fill(1)));
    const g = new GraphBuilder('flat');
    const weight = Float32Array.from({ length: 128 }, (_, i) => ((i * 29) % 17) / 17 - 0.5);
    g.output(g.node('product', 'MatMul', [g.input('x', [5, 64]), g.initializer('w', floats([64, 2], weight))]));
    const model = join(folder, 'flat.onnx');
    writeFileSync(model, exportModel(g.build()));
    const lossOf = (images: string, ...flags: string[]) => {
      const { status, stdout, stderr } = faultline(
        'evaluate',
        model,
        '--data',
        `${join(folder, images)},${labels}`,
        ...flags,
        '--json',
      );
      assert.equal(status, 0, stderr);
      return (JSON.parse(stdout) as { loss: number }).loss;
    };
    const plain = lossOf('bytes.npy');
    const flags = ['--mean', '.5', '--std', '.25'];
    const normalized = lossOf('bytes.npy', ...flags);
    assert.ok(Math.abs(plain - normalized) > 0.1);
    for (const images of ['floats.npy', 'rows.npy']) {
      assert.ok(Math.abs(lossOf(images) - plain) < 1e-4, images);
      assert.ok(Math.abs(lossOf(images, ...flags) - normalized) < 1e-4, images); // float32 of a loss below 10
    }
    const refused = faultline(
      'evaluate',
      model,
      '--data',
      `${join(folder, 'floats.npy')},${labels}`,
      '--pixels',
      '255',
    );
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /^faultline: --pixels: expected byte images/m);
  });

  it('evaluate: says which classes the folders are where there are not as many as the model has', async () => {
    const { default: sharp } = await import('sharp');
    const g = new GraphBuilder('mean');
    const pooled = g.node('pooled', 'Flatten', [g.input('x', ['N', 1, 2, 2])]);
    g.output(g.node('product', 'MatMul', [pooled, g.initializer('w', floats([4, 3], new Float32Array(12).fill(1)))]));
    const model = join(folder, 'three.onnx');
    writeFileSync(model, exportModel(g.build()));
    const root = join(folder, 'classes');
    const noteOf = async (...names: string[]) => {
      for (const name of names) {
        mkdirSync(join(root, name), { recursive: true });
        const create = { width: 2, height: 2, channels: 3, background: { r: 9, g: 9, b: 9 } } as const;
        await sharp({ create })
          .png()
          .toFile(join(root, name, 'a.png'));
      }
      const { status, stderr } = faultline('evaluate', model, '--data', root);
      assert.equal(status, 0, stderr);
      return /2 class folders, in alphabetical order, are classes 0 to 1 of the model's 3/.test(stderr);
    };
    assert.equal(await noteOf('cat', 'dog'), true);
    assert.equal(await noteOf('elk'), false);
  });
});
