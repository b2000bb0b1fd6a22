// The bill of materials and NOTICE name everything that is installed with the package or linked with its addon.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../lib/core/package_root.js';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version?: string;
  readonly licenses: readonly unknown[];
  readonly hashes?: readonly { readonly content: string }[];
}
interface Bill {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}
interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly dev?: boolean; readonly license?: string }>
  >;
}

const read = (name: string) => JSON.parse(readFileSync(join(packageRoot(), name), 'utf8'));

describe('bill of materials', () => {
  const lock = read('package-lock.json') as Lock;
  const sources = read('native/sources.json') as Record<'libraries' | 'floatLibraries', string[]> & { linked: object };
  let bill: Bill;
  let notice: string;
  before(async () => {
    const made = await import(join(packageRoot(), 'scripts', 'sbom.mjs'));
    bill = made.billOfMaterials();
    notice = made.notice(bill);
  });

  it('has every package of the lock file that is installed with this one, with licence and hash', () => {
    const paths = Object.keys(lock.packages).filter((path) => path !== '' && !lock.packages[path]?.dev);
    const expected = paths.map((path) => `${path.replace(/^.*node_modules\//, '')}@${lock.packages[path]?.version}`);
    const known = bill.components.filter(({ version }) => version !== undefined);
    assert.deepEqual(new Set(known.map((component) => component['bom-ref'])), new Set(expected));
    for (const component of known)
      assert.match(component.hashes?.[0]?.content ?? '', /^[0-9a-f]{128}$/, component.name);
    assert.doesNotMatch(JSON.stringify(bill), /NOASSERTION|undefined/);
  });

  it('has every library that the addon is linked with', () => {
    const linked = Object.keys(sources.linked);
    for (const library of [...sources.libraries, ...sources.floatLibraries])
      assert.ok(linked.includes(library), library);
    assert.equal(bill.components.filter(({ version }) => version === undefined).length, linked.length);
  });

  it('depends on nothing that it does not have, and leaves nothing unreachable', () => {
    const refs = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const visit = (ref: string) => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of refs.get(ref) ?? []) visit(next);
    };
    visit((bill.dependencies[0] as { ref: string }).ref);
    for (const component of bill.components) {
      assert.ok(reached.has(component['bom-ref']), component.name);
      assert.ok(notice.includes(component.name));
    }
    assert.equal(reached.size, bill.components.length + 1);
  });
});
