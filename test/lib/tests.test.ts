// The tests themselves: they stand where test/ mirrors lib/, and none depends on the speed of the machine.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packageRoot } from '../../lib/core/package_root.js';

const ROOT = packageRoot();

/** Share of lib's files with logic that have a test of their name: the target of the project. */
const LEAST_SHARE_TESTED = 0.82;

/** Lines of code above which a file with a function has logic. */
const MAX_LINES_WITHOUT_LOGIC = 15;

function filesUnder(folder: string, ending: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Code alone: no comments, no blank lines. */
function linesOfCode(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return code.split('\n').filter((line) => line.trim() !== '');
}

/** Whether a file does something: types, constants and lists of other files have no test of their name. */
function hasLogic(path: string): boolean {
  const lines = linesOfCode(read(path)).filter((line) => !/^(import|export) .* from /.test(line));
  const functions = /\bfunction\b|=> \{$|^ {2}[\w ]+\(.*\).*\{$|= (async )?(\([^()]*\)|\w+)(: [^=]+)? => /;
  return lines.length > MAX_LINES_WITHOUT_LOGIC && lines.some((line) => functions.test(line));
}

/** Folders whose files are entries of one table: one suite goes through the table, and checks that nothing is left out. */
const TABLES: Readonly<Record<string, string>> = {
  'lib/graph/operators': 'test/conformance/float_nodes.test.ts',
};

/** The tests that a file may have: of its name, a folder's index of the folder's name. */
function testsOf(path: string): string[] {
  const folder = dirname(path);
  const name = basename(path, '.ts');
  const names = name === 'index' ? [name, basename(folder)] : [name];
  const own = names
    .flatMap((each) => [`${each}.test.ts`, `${each}.all.test.ts`])
    .map((test) => join('test', folder, test));
  return [...own, TABLES[folder] ?? ''].filter((test) => test !== '');
}

describe('tests', () => {
  it('of lib: files with logic have one of their name', () => {
    const files = filesUnder('lib', '.ts').filter(hasLogic).sort();
    const without = files.filter((path) => !testsOf(path).some((test) => existsSync(join(ROOT, test))));
    const share = 1 - without.length / files.length;
    const list = `${without.length} of ${files.length} files without a test of their name:\n  ${without.join('\n  ')}`;
    if (process.env.FAULTLINE_UNTESTED) process.stdout.write(`${list}\n`);
    assert.ok(share >= LEAST_SHARE_TESTED, `expected ${LEAST_SHARE_TESTED}, received ${share.toFixed(3)}; ${list}`);
  });

  it('none reads a clock or has a separate time limit', () => {
    const clock = /performance\.now|Date\.now|hrtime|\.timeout\(/;
    const tests = filesUnder('test', '.ts').filter((path) => path !== 'test/lib/tests.test.ts');
    assert.deepEqual(
      tests.filter((path) => clock.test(read(path))),
      [],
    );
  });
});
