// What is exported: the package's entries, and what the files of lib/ export to each other.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../../lib/core/package_root.js';

const ROOT = packageRoot();
const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { exports: object };
const ENTRIES = Object.keys(exports)
  .filter((path) => path !== './package.json')
  .map((path) => `faultline${path.slice(1)}`);

describe('exports: the package', () => {
  it('has one function or more at every entry, by import and from CommonJS', async () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--input-type=commonjs',
        '-e',
        `Promise.all(${JSON.stringify(ENTRIES)}.map(async (name) => [name, Object.keys(await import(name))]))
          .then((all) => console.log(JSON.stringify(Object.fromEntries(all))));`,
      ],
      { encoding: 'utf8', cwd: ROOT },
    );
    assert.equal(status, 0, stderr);
    const fromCommonJs = JSON.parse(stdout) as Record<string, string[]>;
    for (const name of ENTRIES) {
      const names = Object.keys((await import(name)) as object);
      assert.ok(names.length > 0, name);
      assert.deepEqual(fromCommonJs[name], names, name);
    }
    const manifest = createRequire(import.meta.url)('faultline/package.json') as { name: string };
    assert.equal(manifest.name, 'faultline');
  });

  it('has a name at one entry, the root aside, which has at most twenty', async () => {
    const homes = new Map<string, string[]>();
    for (const entry of ENTRIES.filter((name) => name !== 'faultline')) {
      for (const name of Object.keys((await import(entry)) as object)) {
        homes.set(name, [...(homes.get(name) ?? []), entry]);
      }
    }
    assert.deepEqual(
      [...homes].filter(([, entries]) => entries.length > 1),
      [],
    );
    assert.ok(Object.keys((await import('faultline' as string)) as object).length <= 20);
  });
});
