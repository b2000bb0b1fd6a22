// What is exported: the package's entries, and what the files of lib/ export to each other.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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

/** Files under a folder that end so, as paths from the root. */
function files(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => ending.test(path));
}

/** Names that files export by convention: a registry reads them, or a generator or the compiler needs them. */
function isConvention(file: string, name: string): boolean {
  if (file.startsWith('lib/cli/')) return name === 'command';
  if (file.startsWith('lib/report/kinds/')) return name === 'kind';
  // Generated from native/abi: every code is there, whoever reads it.
  if (file === 'lib/native/codes.ts') return true;
  // The declarations of every operator name these types, which no source does.
  return file === 'lib/graph/operator.ts' && ['AttributeKinds', 'AttributeSpec', 'Span'].includes(name);
}

describe('exports: the files of lib/', () => {
  const library = files('lib', /\.ts$/);
  const code = [...library, ...files('test', /\.ts$/), ...files('bench', /\.(ts|mjs)$/), ...files('scripts', /\.mjs$/)];
  const text = new Map(code.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]));

  /** The file of lib/ that an import of `from` names. */
  const targetOf = (from: string, target: string): string => {
    if (target === 'faultline') return 'lib/index.ts';
    if (target.startsWith('faultline/')) return target.replace('faultline/', 'lib/public/').concat('.ts');
    return join(dirname(from), target)
      .replace(/^dist\//, '')
      .replace(/\.js$/, '.ts');
  };

  /** `file name` of everything that another file imports; `file *` of a whole module. */
  const imported = new Set<string>();
  const take = (file: string, target: string, names: string): void => {
    for (const name of names.split(',')) {
      const [plain] = name
        .trim()
        .replace(/^type /, '')
        .split(/ as |:/);
      if (plain && targetOf(file, target) !== file) imported.add(`${targetOf(file, target)} ${plain}`);
    }
  };
  for (const [file, source] of text) {
    const all = (pattern: RegExp) => [...source.matchAll(pattern)] as unknown as [string, string, string][];
    for (const [, names, target] of all(/(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*'([^']+)'/g)) {
      take(file, target, names);
    }
    for (const [, names, target] of all(/\{([^{}]*)\}[^;{}]*=\s*await\s[^;]*?import\('([^']+)'\)/g)) {
      take(file, target, names);
    }
    for (const [, target, name] of all(/import\('([^']+)'\)\)?\.(\w+)/g)) take(file, target, name);
    for (const [, target] of all(/import \* as \w+ from '([^']+)'/g)) take(file, target, '*');
  }

  const DECLARATION =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type|enum) (\w+)/gm;
  const exported = library.flatMap((file) => {
    const names = [...(text.get(file) as string).matchAll(DECLARATION)].map((match) => match[1] as string);
    // The signatures of an overloaded function are one export.
    return [...new Set(names)].map((name) => ({ file, name }));
  });

  it('another file imports every exported name, or the package has it', () => {
    const unused = exported.filter(
      ({ file, name }) => !isConvention(file, name) && !imported.has(`${file} ${name}`) && !imported.has(`${file} *`),
    );
    assert.deepEqual(unused, []);
  });

  it('no exported name is defined twice', () => {
    const homes = new Map<string, string[]>();
    for (const { file, name } of exported) {
      if (!isConvention(file, name)) homes.set(name, [...(homes.get(name) ?? []), file]);
    }
    assert.deepEqual(
      [...homes].filter(([, owners]) => owners.length > 1),
      [],
    );
  });
});
