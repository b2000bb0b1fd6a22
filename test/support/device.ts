// The device that tests run on: native/cuda on an emulated one, or with FAULTLINE_TEST_DEVICE=cuda a real one.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../lib/core/package_root.js';

export const EMULATED_ADDON = join(packageRoot(), 'build', 'Release', 'faultline_cuda_emulated.node');
export const onRealDevice = process.env.FAULTLINE_TEST_DEVICE === 'cuda';

/** To be called before anything asks for the device. */
export function useTestDevice(): void {
  if (onRealDevice) return;
  assert.ok(existsSync(EMULATED_ADDON), `no ${EMULATED_ADDON}: \`scripts/test.sh emulated\` builds it`);
  process.env.FAULTLINE_CUDA_ADDON = EMULATED_ADDON;
}
