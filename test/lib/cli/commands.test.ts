// All commands: their table, the help on one screen, and examples that parse.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { COMMANDS, findCommand } from '../../../lib/cli/commands.js';
import { overview } from '../../../lib/cli/help.js';
import { commanderOf, parseCommandLine } from '../../../lib/cli/parse.js';
import { packageRoot } from '../../../lib/core/package_root.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

/** Files of this project and packages that loading `path` loads at once. */
function loadedBy(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  const source = readFileSync(path, 'utf8').replace(/^import type .*$/gm, '');
  for (const [, target = ''] of source.matchAll(/^(?:import|export) .*?from '([^']+)'/gm)) {
    if (target.startsWith('.')) loadedBy(join(dirname(path), target.replace(/\.js$/, '.ts')), seen);
    else seen.add(target);
  }
  return seen;
}

describe('faultline', () => {
  it('shows every command on one screen of 80 × 24', () => {
    const lines = overview().trimEnd().split('\n');
    assert.ok(lines.length <= 24);
    for (const line of lines) assert.ok(line.length <= 80, line);
    for (const { name } of COMMANDS)
      assert.ok(
        lines.some((line) => line.includes(`  ${name} `)),
        name,
      );
    for (const args of [['--help'], ['-h'], ['help'], []]) assert.equal(run(...args).stdout, overview());
  });

  it('loads neither packages nor commands to say so', () => {
    const loaded = [...loadedBy(join(packageRoot(), 'lib', 'cli', 'program.ts'))];
    const names = loaded.map((path) => path.replace(`${join(packageRoot(), 'lib')}/`, ''));
    const own = ['commands', 'exit_codes', 'help', 'output', 'program'].map((name) => `cli/${name}.ts`);
    assert.deepEqual(names.sort(), [...own, 'core/text.ts', 'node:fs', 'node:util']);
  });

  it('finds commands of one word and of two, and refuses others', () => {
    assert.deepEqual(findCommand(['bench', 'model', 'x.onnx'])?.rest, ['x.onnx']);
    assert.equal(findCommand(['scan', 'x.onnx'])?.found.name, 'scan');
    assert.equal(findCommand(['model']), undefined);
    const { status, stderr } = run('quantise');
    assert.equal(status, 2);
    assert.match(stderr, /^faultline: expected a command, received "quantise"/);
  });

  it('help NAME is NAME --help', () => {
    const { stdout, status } = run('help', 'inspect');
    assert.deepEqual([stdout, status], [run('inspect', '--help').stdout, 0]);
  });
});

describe('commands', () => {
  for (const { name, summary, load } of COMMANDS) {
    it(`${name}: two examples that parse, help of 80 columns, a short summary`, async () => {
      const { command } = await load();
      assert.equal(command.name, name);
      assert.ok(summary.length <= 53, summary);
      for (const example of command.examples) {
        assert.ok(example.startsWith(`faultline ${name}`), example);
        parseCommandLine(command, example.split(' ').slice(1 + name.split(' ').length));
      }
      const help: string[] = [];
      const commander = commanderOf(command, summary).configureOutput({ writeOut: (text) => help.push(text) });
      commander.outputHelp();
      for (const line of help.join('').split('\n')) assert.ok(line.length <= 80, line);
      for (const example of command.examples) {
        assert.ok(
          help
            .join('')
            .replace(/ \\\n +/g, ' ')
            .includes(example),
          example,
        );
      }
    });
  }
});
