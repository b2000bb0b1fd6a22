// The shape of the house: which folder may use which, what the build lists say, and how a file looks.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MAX_LINES = 500;

// From the ground up: a folder may use itself and what stands before it.
const TYPESCRIPT_LAYERS = [
  'core',
  'statistics',
  'format',
  'native',
  'run',
  'tensor',
  'autograd',
  'graph',
  'tasks',
  'policy',
  'models',
  'runtime',
  'data',
  'train',
  'search',
  'assess',
  'bench',
  'report',
  'reproduce',
  'cli',
];
// The package's entries export from everything but the commands; nothing of lib/ imports them.
const isEntry = (path: string): boolean => path === 'lib/index.ts' || path.startsWith('lib/public/');
const ENTRIES_MAY_USE = TYPESCRIPT_LAYERS.filter((layer) => layer !== 'cli');
// dnn, float and cuda stand beside ops: none of the four uses another.
const NATIVE_LAYERS = [
  ['abi'],
  ['core'],
  ['quant'],
  ['kernels'],
  ['dispatch'],
  ['ops', 'dnn', 'float', 'cuda'],
  ['image'],
  ['binding'],
];

interface Sources {
  readonly common: string[];
  readonly float: string[];
  readonly binding: string[];
  readonly cuda: string[];
  readonly cudaBinding: string[];
  readonly isa: Record<string, { readonly arch: string[]; readonly sources: string[] }>;
}
const sources = JSON.parse(read('native/sources.json')) as Sources;

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Files under a folder with one of these endings, as paths from the root. */
function files(folder: string, ...endings: string[]): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort();
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

/** The relative modules a TypeScript file imports, statically or not, as paths from the root. */
function importsOf(path: string): string[] {
  return matches(read(path), /(?:from|import)\s*\(?\s*'(\.[^']+)'/g).map((target) => join(dirname(path), target));
}

describe('architecture: TypeScript', () => {
  const layerOf = (path: string): string => relative('lib', path).split('/')[0] as string;
  const library = files('lib', '.ts');

  it('every folder of lib/ has its place in the order', () => {
    const folders = new Set(library.filter((path) => !isEntry(path)).map(layerOf));
    assert.deepEqual(
      [...folders].filter((folder) => !TYPESCRIPT_LAYERS.includes(folder)),
      [],
    );
  });

  it('imports go down only', () => {
    const wrong: string[] = [];
    for (const path of library) {
      const layer = layerOf(path);
      const below = TYPESCRIPT_LAYERS.slice(0, TYPESCRIPT_LAYERS.indexOf(layer) + 1);
      const allowed = isEntry(path) ? ENTRIES_MAY_USE : below;
      for (const target of importsOf(path)) {
        const inside = target.startsWith('lib/');
        if (!inside || !allowed.includes(layerOf(target))) wrong.push(`${path} imports ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('only lib/cli/output.ts writes to stdout and stderr', () => {
    const writing = library.filter((path) => /process\.std(out|err)\.write|console\./.test(read(path)));
    assert.deepEqual(writing, ['lib/cli/output.ts']);
  });

  it('only lib/native/addon.ts and cuda_addon.ts load addons', () => {
    const loaders = library.filter((path) => /["'`]bindings["'`]|\.node["'`]/.test(read(path)));
    assert.deepEqual(loaders, ['lib/native/addon.ts', 'lib/native/cuda_addon.ts']);
  });
});

describe('architecture: C++', () => {
  const native = files('native', '.h', '.cpp');
  const layerOf = (path: string): string => path.split('/')[0] as string;
  const rank = (layer: string): number => NATIVE_LAYERS.findIndex((beside) => beside.includes(layer));

  it('every folder of native/ has its place in the order', () => {
    assert.deepEqual(
      native.filter((path) => rank(layerOf(relative('native', path))) < 0),
      [],
    );
  });

  it('includes go down only, and name files from native/', () => {
    const wrong: string[] = [];
    for (const path of native) {
      const layer = layerOf(relative('native', path));
      for (const target of matches(read(path), /#include "([^"]+)"/g)) {
        const to = layerOf(target);
        const down = to === layer || (rank(to) >= 0 && rank(to) < rank(layer));
        if (!down || !existsSync(join(ROOT, 'native', target))) wrong.push(`${path} includes "${target}"`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('an instruction set includes no file of another one', () => {
    const wrong: string[] = [];
    for (const isa of Object.keys(sources.isa)) {
      for (const path of files(`native/kernels/${isa}`, '.h', '.cpp')) {
        for (const target of matches(read(path), /#include "kernels\/(\w+)\//g)) {
          if (target !== isa && target in sources.isa) wrong.push(`${path} includes a file of ${target}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('only binding/ knows Node', () => {
    const users = native.filter((path) => /#include <(napi|node_api|v8)/.test(read(path)));
    assert.deepEqual(
      users.filter((path) => !path.startsWith('native/binding/')),
      [],
    );
  });

  it('sources.json lists every .cpp file of native/ once', () => {
    const listed = [
      ...sources.common,
      ...sources.float,
      ...sources.binding,
      ...sources.cuda,
      ...sources.cudaBinding,
      ...Object.values(sources.isa).flatMap((isa) => isa.sources),
    ];
    const present = files('native', '.cpp');
    assert.deepEqual(listed.sort(), present);
  });

  it('binding.gyp builds the instruction sets of sources.json, each for its processors', () => {
    const gyp = read('binding.gyp');
    const targets = matches(gyp, /"target_name": "faultline_(\w+)"/g);
    assert.deepEqual(targets.sort(), Object.keys(sources.isa).sort());
    for (const [isa, { arch }] of Object.entries(sources.isa)) {
      for (const field of ['sources', 'flags']) assert.ok(gyp.includes(`isa.${isa}.${field}`), `${isa}: ${field}`);
      const conditions = matches(
        gyp,
        new RegExp(`target_arch=='(\\w+)'", \\{"dependencies": [^}]*faultline_${isa}"`, 'g'),
      );
      assert.deepEqual(conditions.sort(), arch.length === 2 ? [] : arch, isa);
    }
  });
});

describe('architecture: files', () => {
  const code = ['lib', 'native', 'bench', 'test', 'scripts'].flatMap((folder) =>
    files(folder, '.ts', '.h', '.cpp', '.sh', '.mjs', '.cjs'),
  );

  it(`none is longer than ${MAX_LINES} lines`, () => {
    const long = code.filter((path) => read(path).split('\n').length - 1 > MAX_LINES);
    assert.deepEqual(long, []);
  });

  it('each says in its first line what it is for', () => {
    const silent = code.filter((path) => !/^(#!.*\n)?(\/\/|\/\*|#) ?\S/.test(read(path)));
    assert.deepEqual(silent, []);
  });

  it('none leaves work for later or a test out', () => {
    const marks = new RegExp(
      `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b|\\b(it|describe)\\.(skip|only)\\(`,
    );
    assert.deepEqual(
      code.filter((path) => marks.test(read(path))),
      [],
    );
  });

  it('package-lock.json names every optional package, which npm ci insists on, and no registry', () => {
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
    };
    for (const [path, entry] of Object.entries(lock.packages)) {
      assert.equal(entry.resolved, undefined, path);
      for (const name of Object.keys(entry.optionalDependencies ?? {})) {
        assert.ok(`node_modules/${name}` in lock.packages, `${path} wants ${name}`);
      }
    }
  });
});
