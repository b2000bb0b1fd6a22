// Single products on the device, and what is said where there is none.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { perGroup, perTensor } from '../../../lib/format/granularity.js';
import { conv2dDynamic, conv2dDynamicAccumulators, packConvWeights } from '../../../lib/native/conv2d.js';
import { openCuda } from '../../../lib/native/cuda_addon.js';
import { matmulDynamic, matmulDynamicAccumulators } from '../../../lib/native/matmul.js';
import { packWeights } from '../../../lib/native/packed_weights.js';
import { Random } from '../../../lib/tensor/random.js';
import { EMULATED_ADDON, onRealDevice, useTestDevice } from '../../support/device.js';

const random = new Random(3);
const floats = (count: number) => Float32Array.from({ length: count }, () => random.normal());
const BUILT = join(packageRoot(), 'build-cuda', 'Release', 'faultline_cuda.node');

/** Runs a program in a separate process with the library imported as `f`. */
function child(program: string, environment: Record<string, string>) {
  const code = `import * as f from ${JSON.stringify(join(packageRoot(), 'dist', 'lib', 'index.js'))};
    const report = (error) => console.log(JSON.stringify({ ...error, name: error.name, message: error.message }));
    ${program}`;
  const { FAULTLINE_DEVICE: _device, FAULTLINE_CUDA_ADDON: _addon, ...inherited } = process.env;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { ...inherited, ...environment },
  });
  assert.equal(status, 0, stderr);
  return stdout.trim().split('\n');
}

const ONE_PRODUCT = `
  const x = Float32Array.of(1, -2, 3, 4);
  const multiply = (device) => [...f.matmulDynamic(x, f.packWeights(Float32Array.of(1, 2), [1, 2]), { device })];`;

describe('device: single products', () => {
  before(useTestDevice);

  it('matmulDynamic: the bits of the processor, with every option', () => {
    const [m, n, k] = [19, 37, 90];
    const x = floats(m * k);
    const epilogue = { bias: floats(n), residual: floats(m * n), clip: [-0.5, 2] as const };
    const rowBits = Uint8Array.from({ length: m }, (_, i) => 2 + (i % 7));
    for (const packing of [{}, { bits: 4 }, { bits: 3, granularity: perGroup(32) }] as const) {
      const weights = packWeights(floats(n * k), [n, k], packing);
      for (const activationBits of [8, 5, rowBits]) {
        const run = (device: 'cpu' | 'cuda') => {
          const params = { rowScale: new Float32Array(m), rowZeroPoint: new Int32Array(m) };
          const out = matmulDynamic(x, weights, { ...epilogue, ...params, activationBits, device });
          return { out, ...params };
        };
        assert.deepEqual(run('cuda'), run('cpu'));
        if ('granularity' in packing) continue;
        const integers = (device: 'cpu' | 'cuda') => matmulDynamicAccumulators(x, weights, { activationBits, device });
        assert.deepEqual(integers('cuda'), integers('cpu'));
      }
      const tensor = (device: 'cpu' | 'cuda') => matmulDynamic(x, weights, { activationRange: perTensor, device });
      assert.deepEqual(tensor('cuda'), tensor('cpu'));
      weights.dispose();
      assert.throws(() => matmulDynamic(x, weights, { device: 'cuda' }), InvalidArgumentError);
    }
  });

  it('conv2dDynamic: the bits of the processor, grouped, depthwise and by block too', () => {
    const shape = [2, 6, 5, 8] as const;
    const x = floats(2 * 6 * 5 * 8);
    const window = { strides: [2, 1] as const, padding: [1, 2, 0, 1] as const, dilations: 1 };
    const packings = [
      { groups: 1 },
      { groups: 2, bits: 4 },
      { groups: 8 },
      { groups: 1, granularity: perGroup(16) },
    ] as const;
    for (const packing of packings) {
      const channels = 8 / packing.groups;
      const weights = packConvWeights(floats(16 * 9 * channels), [16, 3, 3, channels], packing);
      const bias = floats(16);
      const run = (device: 'cpu' | 'cuda') => {
        const params = { sampleScale: new Float32Array(2), sampleZeroPoint: new Int32Array(2) };
        return { out: conv2dDynamic(x, shape, weights, { ...window, ...params, bias, device }), ...params };
      };
      assert.deepEqual(run('cuda'), run('cpu'));
      if ('granularity' in packing) continue;
      const integers = (device: 'cpu' | 'cuda') => conv2dDynamicAccumulators(x, shape, weights, { ...window, device });
      assert.deepEqual(integers('cuda'), integers('cpu'));
    }
  });

  it('names the row or sample with NaN or infinity, and refuses what does not fit, as on the processor', () => {
    const weights = packWeights(floats(12), [3, 4]);
    const x = floats(5 * 4);
    x[9] = Number.POSITIVE_INFINITY;
    const message = (device: 'cpu' | 'cuda', out?: Float32Array) => {
      try {
        matmulDynamic(x, weights, { device, ...(out && { out }) });
      } catch (error) {
        assert.ok(error instanceof InvalidArgumentError);
        return error.message;
      }
      return undefined;
    };
    assert.equal(message('cuda'), message('cpu'));
    assert.match(message('cuda') ?? '', /row 2/);
    x[9] = 0;
    assert.equal(message('cuda'), undefined);
    assert.match(message('cuda', new Float32Array(3)) ?? '', /out/);
    const longer = new Float32Array(20).fill(7);
    matmulDynamic(x, weights, { device: 'cuda', out: longer });
    assert.deepEqual([...longer.subarray(15)], [7, 7, 7, 7, 7]);
    const wrong = { device: 'gpu' as 'cuda' };
    assert.throws(() => matmulDynamic(x, weights, wrong), /device: expected "cpu", "cuda" or "auto", received "gpu"/);
  });

  it('gives memory back', () => {
    const before = openCuda().addon.memory().inUse;
    const weights = packWeights(floats(1200), [30, 40]);
    matmulDynamic(floats(4000), weights, { device: 'cuda' });
    assert.ok(openCuda().addon.memory().inUse > before);
    weights.dispose();
    assert.equal(openCuda().addon.memory().inUse, before);
  });
});

describe('device: where there is none', () => {
  const failing = `${ONE_PRODUCT}
    try { multiply('cuda'); } catch (error) { report(error); }
    console.log(multiply('auto').join() === multiply('cpu').join());`;

  it('says that the addon is not built; auto takes the processor', () => {
    const [error = '', same] = child(failing, { FAULTLINE_CUDA_ADDON: '/nowhere/faultline_cuda.node' });
    const { name, code, reason, message } = JSON.parse(error);
    assert.deepEqual([name, code, reason], ['DeviceError', 'ERR_FAULTLINE_DEVICE', 'not-built']);
    assert.match(message, /npm run build:cuda/);
    assert.equal(same, 'true');
  });

  it('says that the driver is missing: emulated, and by the real addon where it is built and no GPU is', () => {
    const addons: Record<string, string>[] = [
      { FAULTLINE_CUDA_ADDON: EMULATED_ADDON, FAULTLINE_EMULATED_FAILURE: 'no driver' },
      ...(existsSync(BUILT) && !onRealDevice ? [{ FAULTLINE_CUDA_ADDON: BUILT }] : []),
    ];
    for (const environment of addons) {
      const [error = '', same] = child(failing, environment);
      const { name, reason, message } = JSON.parse(error);
      assert.equal(name, 'DeviceError');
      assert.ok(['no-driver', 'no-device'].includes(reason), reason);
      assert.match(message, /^cuda: expected an NVIDIA (driver|GPU)/);
      assert.equal(same, 'true');
    }
  });

  it('FAULTLINE_DEVICE is the default, and must be one', () => {
    const program = `${ONE_PRODUCT}
      try { console.log(multiply(undefined).join() === multiply('cpu').join()); } catch (error) { report(error); }`;
    const addon = { FAULTLINE_CUDA_ADDON: EMULATED_ADDON };
    assert.deepEqual(child(program, { ...addon, FAULTLINE_DEVICE: 'cuda' }), ['true']);
    const [wrong = ''] = child(program, { FAULTLINE_DEVICE: 'gpu' });
    assert.match(JSON.parse(wrong).message, /FAULTLINE_DEVICE: expected "cpu", "cuda" or "auto", received "gpu"/);
    const [missing = ''] = child(program, { FAULTLINE_CUDA_ADDON: '/nowhere', FAULTLINE_DEVICE: 'cuda' });
    assert.equal(JSON.parse(missing).reason, 'not-built');
  });

  it('a device that fails stays of no use; auto continues on the processor', () => {
    const program = `${ONE_PRODUCT}
      for (let i = 0; i < 2; i++) try { console.log(multiply('cuda').length); } catch (error) { report(error); }
      console.log(multiply('auto').join() === multiply('cpu').join());`;
    const lines = child(program, { FAULTLINE_CUDA_ADDON: EMULATED_ADDON, FAULTLINE_EMULATED_FAILURE: '3' });
    assert.deepEqual(
      lines.slice(0, 2).map((line) => JSON.parse(line).reason),
      ['failed', 'failed'],
    );
    assert.equal(lines[2], 'true');
  });

  it('out of memory is a DeviceError, and the process continues with less', () => {
    const program = `${ONE_PRODUCT}
      process.env.FAULTLINE_EMULATED_BYTES = String(2 ** 20);
      const weights = f.packWeights(new Float32Array(64 * 64), [64, 64]);
      try { f.matmulDynamic(new Float32Array(64 * 8192), weights, { device: 'cuda' }); } catch (error) { report(error); }
      console.log(multiply('cuda').join() === multiply('cpu').join());`;
    const [error = '', same] = child(program, { FAULTLINE_CUDA_ADDON: EMULATED_ADDON });
    const { name, reason, message } = JSON.parse(error);
    assert.deepEqual([name, reason], ['DeviceError', 'out-of-memory']);
    assert.match(message, /expected 2 MiB of device memory, received \d MiB free of/);
    assert.equal(same, 'true');
  });
});
