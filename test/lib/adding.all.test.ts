// docs/adding.md: every worked example is put into a copy of the library, which must compile, and its check must hold. The
// files that a recipe lists are those that its example touches.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Example {
  readonly file: string;
  readonly kind: 'new file' | 'change';
  readonly lines: readonly string[];
}

interface Recipe {
  readonly title: string;
  /** As its line "Files: …" lists them; names in <> stand for any. */
  readonly files: readonly string[];
  readonly examples: readonly Example[];
  readonly checks: readonly string[];
}

/** Sections of adding.md: "## title", a line "Files: `a`, `b`", and fenced blocks "ts path", "diff path", "js check". */
function recipes(): Recipe[] {
  const text = readFileSync(join(ROOT, 'docs/adding.md'), 'utf8');
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = ''] = section.split('\n');
      const listed = /^Files: ([\s\S]*?)\n\n/m.exec(section)?.[1] ?? '';
      const examples: Example[] = [];
      const checks: string[] = [];
      for (const [, language = '', file = '', body = ''] of section.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)) {
        const lines = body.split('\n').slice(0, -1);
        if (file === 'check') checks.push(body);
        else examples.push({ file, kind: language === 'diff' ? 'change' : 'new file', lines });
      }
      return { title, files: [...listed.matchAll(/`([^`]+)`/g)].map(([, file]) => file as string), examples, checks };
    });
}

/** The text with a change made: lines that begin with a blank or '-' are found, those with '-' go, those with '+' come. */
function changed(text: string, { file, lines }: Example): string {
  const side = (gone: string) => lines.filter((line) => line[0] !== gone).map((line) => line.slice(1));
  const [before, after] = [side('+').join('\n'), side('-').join('\n')];
  assert.equal(text.split(before).length, 2, `${file}: expected the lines to change once:\n${before}`);
  return text.replace(before, () => after);
}

describe('docs/adding.md', () => {
  const all = recipes();

  it('lists the files that each worked example touches', () => {
    for (const { title, files, examples } of all.filter((recipe) => recipe.examples.length > 0)) {
      const patterns = files.map((file) => new RegExp(`^${file.replace(/[.]/g, '\\.').replace(/<\w+>/g, '\\w+')}$`));
      const unlisted = examples.filter(({ file }) => !patterns.some((pattern) => pattern.test(file)));
      assert.deepEqual([title, ...unlisted.map(({ file }) => file)], [title]);
      assert.equal(new Set(examples.map(({ file }) => file)).size, files.length, title);
    }
  });

  it('has worked examples that compile and do what they say', () => {
    const copy = mkdtempSync(join(tmpdir(), 'faultline-adding-'));
    try {
      for (const name of ['lib', 'package.json', 'tsconfig.json'])
        cpSync(join(ROOT, name), join(copy, name), { recursive: true });
      for (const name of ['node_modules', 'build', 'native']) symlinkSync(join(ROOT, name), join(copy, name));
      for (const example of all.flatMap(({ examples }) => examples)) {
        const path = join(copy, example.file);
        mkdirSync(dirname(path), { recursive: true });
        if (example.kind === 'new file') writeFileSync(path, `${example.lines.join('\n')}\n`, { flag: 'wx' });
        else writeFileSync(path, changed(readFileSync(path, 'utf8'), example));
      }
      const run = (command: string, ...args: string[]) =>
        execFileSync(command, args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json');
      for (const { title, checks } of all) {
        checks.forEach((check, i) => {
          const file = join(copy, `check-${i}-${title.replace(/\W+/g, '-')}.mjs`);
          writeFileSync(file, `import assert from 'node:assert/strict';\n${check}`);
          run(process.execPath, file);
        });
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});
