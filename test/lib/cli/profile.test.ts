// `faultline profile`: the table, the JSON, and data that does not fit.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { saveModel } from '../../../lib/graph/onnx/export.js';
import { blobs, network } from '../../support/assess_networks.js';
import { idx } from '../../support/idx.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

const faultline = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

describe('faultline profile', () => {
  let folder: string;
  let model: string;
  let data: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-profile-'));
    model = join(folder, 'model.onnx');
    await saveModel(network('convnet2', [1, 12, 12]), model);
    const { pixels, labels } = blobs(30);
    writeFileSync(join(folder, 'images.idx3'), idx([30, 12, 12], pixels));
    writeFileSync(join(folder, 'labels.idx1'), idx([30], labels as Int32Array));
    data = `${join(folder, 'images.idx3')},${join(folder, 'labels.idx1')}`;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('prints a line a layer in 80 columns', () => {
    const { status, stdout, stderr } = faultline(
      'profile',
      model,
      '--data',
      data,
      '--policy',
      'W4A4',
      '--images',
      '20',
    );
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^change class .* of 20 samples$/m);
    assert.match(stdout, /^accuracy /m);
    assert.match(stdout, /layer +bits +alone +here +act +wgt +prop +spread +µs +ceil\n/);
    assert.equal(stdout.match(/ W4A4 /g)?.length, 3);
    const lines = stdout.split('\n').filter((line) => !line.includes(model));
    assert.ok(
      lines.every((line) => line.length <= 80),
      stdout,
    );
  });

  it('writes everything as JSON; mean and std of bytes are those of shares', () => {
    const json = (...flags: string[]) => {
      const run = faultline('profile', model, '--data', data, '--json', ...flags);
      assert.equal(run.status, 0, run.stderr);
      return JSON.parse(run.stdout) as { schema: string; layers: { node: string; accumulated: { mse: number } }[] };
    };
    const profile = json('--mean', '.5', '--std', '.25');
    assert.equal(profile.schema, 'faultline.profile/1');
    assert.equal(profile.layers.length, 3);
    const bytes = json('--mean', '127.5', '--std', '63.75', '--pixels', '255');
    const mse = ({ layers }: typeof profile) => layers.map(({ accumulated }) => accumulated.mse);
    assert.deepEqual(mse(bytes), mse(profile));
    assert.notDeepEqual(mse(json()), mse(profile));
  });

  it('writes a report: page, tables, and the profile itself', () => {
    const out = join(folder, 'out');
    const run = faultline('profile', model, '--data', data, '--images', '10', '--out', out);
    assert.equal(run.status, 0, run.stderr);
    assert.match(readFileSync(join(out, 'report.html'), 'utf8'), /<svg/);
    assert.match(readFileSync(join(out, 'report.md'), 'utf8'), /logits/);
    const [head, ...rows] = readFileSync(join(out, 'tables', 'channels.csv'), 'utf8')
      .trim()
      .split('\r\n');
    const { layers } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
      layers: { channels: unknown[] }[];
    };
    assert.match(head as string, /^node,channel,aloneSqnrDb,sqnrDb,mse/);
    assert.equal(
      rows.length,
      layers.reduce((sum, { channels }) => sum + channels.length, 0),
    );
  });

  it('refuses data that do not fit, naming shape or option', () => {
    writeFileSync(join(folder, 'large.idx3'), idx([2, 9, 9], new Uint8Array(162)));
    writeFileSync(join(folder, 'bad.idx1'), idx([30], new Uint8Array(30).fill(7)));
    const cases: [string[], RegExp][] = [
      [['--data', join(folder, 'large.idx3')], /\[N,1,12,12\].*received \[N,1,9,9\]/],
      [['--data', `${join(folder, 'images.idx3')},${join(folder, 'bad.idx1')}`], /labels from 0 to 3.*received 7/],
      [['--data', data, '--mean', '1,2'], /--mean: expected 1 or 1 numbers, received 2/],
      [['--data', data, '--std', '0'], /--std: expected numbers above 0/],
      [['--data', data, '--split', 'train'], /--split: expected a split that the data have, received train/],
      [['--data', data, '--layout', 'hwcn'], /--layout: expected nchw or nhwc/],
      [['--data', data, '--bgr'], /--bgr: expected images with 3 channels/],
      [['--data', data, '--activation-range', 'none'], /--activation-range/],
    ];
    for (const [flags, message] of cases) {
      const { status, stderr } = faultline('profile', model, ...flags);
      assert.notEqual(status, 0);
      assert.match(stderr, message);
    }
  });
});
