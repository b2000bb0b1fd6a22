// `faultline inspect`: the report is true of this process, and an impossible FAULTLINE_ISA is said clearly.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import type { Inspection } from '../../../lib/native/inspect.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');

function run(args: string[], environment: Record<string, string> = {}) {
  const { FAULTLINE_ISA: _isa, OMP_NUM_THREADS: _threads, ...inherited } = process.env;
  return spawnSync(process.execPath, [MAIN, 'inspect', ...args], {
    encoding: 'utf8',
    env: { ...inherited, ...environment },
  });
}

function report(environment: Record<string, string> = {}): Inspection {
  return JSON.parse(run(['--json'], environment).stdout) as Inspection;
}

describe('faultline --version', () => {
  it("is the package's", () => {
    const { stdout, status } = spawnSync(process.execPath, [MAIN, '--version'], { encoding: 'utf8' });
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
    assert.deepEqual([stdout.trim(), status], [version, 0]);
  });
});

describe('faultline inspect', () => {
  it('reports the instruction sets in order, with the last available one chosen', () => {
    const { isa } = report();
    assert.deepEqual(
      isa.all.map((one) => one.name),
      ['scalar', 'avx2', 'avx512vnni', 'amx_int8', 'neon_dotprod', 'neon_i8mm'],
    );
    assert.equal(isa.chosen, isa.all.filter((one) => one.available).at(-1)?.name);
    for (const one of isa.all) assert.ok(one.compiled || !one.available, one.name);
  });

  it('uses as many threads as affinity and quota allow, unless OMP_NUM_THREADS says otherwise', () => {
    const { threads } = report();
    assert.ok(threads.affinity >= 1);
    assert.equal(threads.used, Math.min(threads.affinity, Math.max(1, Math.ceil(threads.quota ?? Infinity))));
    assert.equal(report({ OMP_NUM_THREADS: '3' }).threads.used, 3);
  });

  it('counts only the CPUs of the affinity mask', () => {
    const pinned = spawnSync('taskset', ['-c', '0', process.execPath, MAIN, 'inspect', '--json'], { encoding: 'utf8' });
    assert.equal((JSON.parse(pinned.stdout) as Inspection).threads.affinity, 1);
  });

  it('says why there is no GPU where FAULTLINE_DEVICE asks for one', () => {
    assert.equal(report({ FAULTLINE_DEVICE: '' }).device, undefined);
    const { device } = report({ FAULTLINE_DEVICE: 'cuda', FAULTLINE_CUDA_ADDON: '/nowhere' });
    assert.ok(device && 'error' in device);
    assert.match(device.error, /npm run build:cuda/);
    const { stdout, status } = run([], { FAULTLINE_DEVICE: 'auto', FAULTLINE_CUDA_ADDON: '/nowhere' });
    assert.match(stdout, /^device: none: cuda: expected the CUDA addon/m);
    assert.equal(status, 0);
    assert.match(
      run([], { FAULTLINE_DEVICE: 'gpu' }).stdout,
      /device: none: [\s\S]*expected\s"cpu",\s"cuda"\sor\s"auto"/,
    );
  });

  it('takes the instruction set of FAULTLINE_ISA', () => {
    const { isa } = report({ FAULTLINE_ISA: 'scalar' });
    assert.equal(isa.chosen, 'scalar');
    assert.equal(isa.requested, 'scalar');
    assert.equal(isa.error, undefined);
  });

  it('says which instruction sets there are when FAULTLINE_ISA names none of them, and exits with 2', () => {
    const { status, stdout } = run([], { FAULTLINE_ISA: 'avx1024' });
    assert.equal(status, 2);
    assert.match(
      stdout,
      /error: [\s\S]*FAULTLINE_ISA[\s\S]*expected\sone\sof\s[\s\S]*scalar[\s\S]*received\s"avx1024"/,
    );
    const json = run(['--json'], { FAULTLINE_ISA: 'avx1024' });
    assert.equal(json.status, 2);
    assert.match((JSON.parse(json.stdout) as Inspection).isa.error ?? '', /avx1024/);
    assert.match(json.stderr, /avx1024/);
  });
});
