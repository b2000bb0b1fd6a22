// Every path that a comment or a document names exists.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDERS = ['lib', 'native', 'test', 'bench', 'docs', 'scripts'];
const CODE = /\.(ts|mts|h|cpp|cu|mjs|cjs|sh|cmake|txt|gyp)$/;
const FILE_NAME = String.raw`[\w-]+\.(?:ts|h|cpp|cu|mjs|cjs|sh|md)`;

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .filter((path) => !path.includes('node_modules') && !path.startsWith('docs/api'));
}

const files = FOLDERS.flatMap(walk);
const top = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ name }) => name);
const names = new Set([...files, ...top].map((path) => basename(path)));

/** The comments of a file of code; a document without its examples. */
function prose(path: string): string {
  const text = readFileSync(join(ROOT, path), 'utf8');
  if (path.endsWith('.md')) return text.replace(/^```[\s\S]*?^```$/gm, '');
  return text
    .split('\n')
    .filter((line) => /^\s*(\/\/|\*|\/\*|#(?!include))/.test(line))
    .join('\n');
}

/** Paths from the root, and names of files of ours, that a text names; placeholders such as `<name>` name none. */
function named(text: string): string[] {
  const paths = text.matchAll(new RegExp(`(?<![\\w./:<-])(?:${FOLDERS.join('|')})/[\\w./<>*{},-]*`, 'g'));
  const single = text.matchAll(new RegExp(`(?<![\\w./:<>*-])${FILE_NAME}(?![\\w/])`, 'g'));
  return [...paths, ...single].map(([path]) => path.replace(/[.,:-]+$/, '')).filter((path) => !/[<>*{}]/.test(path));
}

function isThere(path: string, from: string): boolean {
  if (path.includes('/')) return existsSync(join(ROOT, path)) || existsSync(join(ROOT, dirname(from), path));
  return names.has(path);
}

describe('paths', () => {
  it('that comments and documents name exist', () => {
    // What a run, a user or TypeDoc makes, and a header of CUDA's.
    const elsewhere = /^((report|out)\.md|docs\/api\/?.*|cublasLt\.h)$/;
    const gone: string[] = [];
    for (const path of [...files, ...top.filter((name) => name.endsWith('.md'))]) {
      if ((!CODE.test(path) && !path.endsWith('.md')) || path === 'CHANGELOG.md') continue;
      if (path.startsWith('bench/results/') || path.endsWith('CMakeLists.txt')) continue;
      for (const name of named(prose(path)))
        if (!elsewhere.test(name) && !isThere(name, path)) gone.push(`${path}: ${name}`);
    }
    assert.deepEqual(gone, []);
  });

  it('that documents link to exist', () => {
    const gone: string[] = [];
    for (const path of [...files, ...top].filter((file) => file.endsWith('.md'))) {
      const text = readFileSync(join(ROOT, path), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        if (!existsSync(join(ROOT, dirname(path), target))) gone.push(`${path}: ${target}`);
      }
    }
    assert.deepEqual(gone, []);
  });
});
