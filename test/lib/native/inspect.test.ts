// What inspect says of this machine holds together.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { ABI_VERSION } from '../../../lib/native/codes.js';
import { inspect } from '../../../lib/native/inspect.js';
import { threads } from '../../../lib/native/threads.js';

describe('inspect', () => {
  it('names the versions of the package, the addon and Node', () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
    const report = inspect();
    assert.deepEqual(report.faultline, { version, abi: ABI_VERSION });
    assert.deepEqual(report.node, { version: process.versions.node, arch: process.arch });
  });

  it('has chosen an instruction set that is compiled and available', () => {
    const { chosen, all } = inspect().isa;
    const own = all.find(({ name }) => name === chosen);
    assert.deepEqual(own, { name: chosen, compiled: true, available: true });
    assert.ok(all.find(({ name }) => name === 'scalar')?.available);
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  });

  it('counts threads as operations use them', () => {
    const report = inspect();
    assert.equal(report.threads.used, threads());
    assert.ok(report.threads.affinity >= 1 && report.threads.affinity <= report.cpu.logical);
  });

  it('lowers an OMP_NUM_THREADS that no machine has use for, and says so', () => {
    const env = { ...process.env, OMP_NUM_THREADS: String(2 ** 31 - 1) };
    const module = JSON.stringify(new URL('../../../lib/native/inspect.js', import.meta.url).href);
    const script = `import(${module}).then((m) => console.log(JSON.stringify(m.inspect().threads)))`;
    const found = JSON.parse(execFileSync(process.execPath, ['-e', script], { env, encoding: 'utf8' }));
    assert.ok(found.used >= 64 && found.used < 2 ** 16, `${found.used} threads`);
    assert.match(found.lowered, /OMP_NUM_THREADS is above/);
    assert.equal(inspect().threads.lowered, undefined);
  });

  it('has no device where the processor is asked for', () => {
    const before = process.env.FAULTLINE_DEVICE;
    try {
      process.env.FAULTLINE_DEVICE = 'cpu';
      assert.equal(inspect().device, undefined);
    } finally {
      if (before === undefined) delete process.env.FAULTLINE_DEVICE;
      else process.env.FAULTLINE_DEVICE = before;
    }
  });
});
