// The launcher: what cannot even be loaded ends with no verdict.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../lib/core/package_root.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const MAIN = ['dist', 'lib', 'cli', 'main.js'];

describe('faultline', () => {
  const path = temporaryFolder();

  /** Ends as a command does whose package is somewhere else. */
  function ended(root: string, ...args: string[]) {
    const { status, stderr } = spawnSync(process.execPath, [join(root, ...MAIN), ...args], { encoding: 'utf8' });
    return [status, stderr] as const;
  }

  it('refuses a file that is not there with the codes of its command, behind -- too', () => {
    for (const [args, code] of [
      [['--', 'assess', 'nosuch.onnx', '--data', 'nosuch.npy'], 4],
      [['assess', 'nosuch.onnx'], 4],
      [['scan', 'nosuch.onnx', '--data', 'nosuch.npy'], 2],
      [['diff', 'nosuch', 'nosuch'], 2],
    ] as const) {
      const [status, said] = ended(packageRoot(), ...args);
      assert.equal(status, code, said);
      assert.match(said, /nosuch|--data/);
    }
  });

  it('fails without the addon, a package or a file of its own, with no code that is an answer', () => {
    const root = path('copy');
    mkdirSync(join(root, 'dist'), { recursive: true });
    cpSync(join(packageRoot(), 'dist', 'lib'), join(root, 'dist', 'lib'), { recursive: true });
    cpSync(join(packageRoot(), 'package.json'), join(root, 'package.json'));
    const fails = (what: RegExp, codes: readonly [number, number]) =>
      ['assess', 'diff'].forEach((command, i) => {
        const [status, said] = ended(root, command, 'a', 'b');
        assert.match(said, what);
        assert.equal(status, codes[i], said);
      });
    fails(/commander|wrap-ansi|string-width|cli-truncate/, [3, 2]);
    symlinkSync(join(packageRoot(), 'node_modules'), join(root, 'node_modules'));
    fails(/the native addon is not built/, [3, 2]);
    rmSync(join(root, 'dist', 'lib', 'cli', 'exit_codes.js'));
    fails(/expected files of this package that can be read, received .*exit_codes/, [3, 3]);
  });

  it('fails where a process may open few files', () => {
    for (const most of [20, 26]) {
      const limited = `ulimit -n ${most}; exec "$@"`;
      const args = ['-c', limited, 'bash', process.execPath, join(packageRoot(), ...MAIN), 'assess', 'nosuch.onnx'];
      const { status, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
      assert.equal(status, 3, stderr);
      assert.match(stderr, /EMFILE/);
    }
  });
});
