// The codes that C++ and TypeScript share are those of native/abi/, and the addon in use was built with them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { addon } from '../../../lib/native/addon.js';
import { ABI_VERSION } from '../../../lib/native/codes.js';

describe('codes shared with C++', () => {
  it('are those of native/abi/: scripts/abi.mjs would write the same file', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(packageRoot(), 'scripts', 'abi.mjs'), '--check']);
    assert.equal(status, 0, stderr.toString());
  });

  it('have the version of the addon', () => {
    assert.equal(addon.abiVersion, ABI_VERSION);
  });
});
