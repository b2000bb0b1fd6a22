// `faultline inspect` names the device that FAULTLINE_DEVICE asks for.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { EMULATED_ADDON } from '../../support/device.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

describe('faultline inspect, device', () => {
  it('names the GPU and its memory', () => {
    const { stdout, stderr } = spawnSync(process.execPath, [MAIN, 'inspect', '--json'], {
      encoding: 'utf8',
      env: { ...process.env, FAULTLINE_DEVICE: 'cuda', FAULTLINE_CUDA_ADDON: EMULATED_ADDON },
    });
    const { device } = JSON.parse(stdout) as { device: { name?: string; bytes: number } };
    assert.ok(device.name, stderr);
    assert.ok(device.bytes > 0);
  });
});
