// Options as data: names, values, defaults, refusals.
import assert from 'node:assert/strict';
import { defineCommand } from '../../../lib/cli/command.js';
import {
  argument,
  choice,
  fileToWrite,
  flag,
  flagOf,
  list,
  optionalArgument,
  positive,
  repeated,
  text,
  unless,
  wholeNumber,
} from '../../../lib/cli/option.js';
import { parseCommandLine } from '../../../lib/cli/parse.js';
import { InvalidArgumentError } from '../../../lib/core/errors.js';

const command = defineCommand({
  name: 'test',
  arguments: { model: argument('model.onnx'), other: optionalArgument('other') },
  options: {
    dataDir: text('<folder>', 'text'),
    count: wholeNumber('<n>', 'an integer', 1, { default: 3, letter: 'c' }),
    ratio: positive('<x>', 'a number'),
    kind: choice('<name>', 'a name', ['one', 'two'], { default: 'one' }),
    parts: list('<list>', 'parts', { default: ['a', 'b'] }),
    nodes: repeated('<nodes...>', 'nodes'),
    loud: flag('a flag'),
    search: unless('not to search'),
  },
  out: 'named',
  examples: ['faultline test a', 'faultline test b'],
  run: async () => undefined,
});

const parse = (...argv: string[]) => parseCommandLine(command, argv);

describe('options', () => {
  it('have defaults', () => {
    const { options, arguments: all, common } = parse('m.onnx');
    assert.deepEqual(all, { model: 'm.onnx', other: undefined });
    assert.deepEqual(options, {
      ...{ dataDir: undefined, count: 3, ratio: undefined, kind: 'one', parts: ['a', 'b'] },
      ...{ nodes: undefined, loud: undefined, search: true },
    });
    assert.deepEqual(common, { out: undefined, fresh: undefined, json: undefined, quiet: undefined });
  });

  it('are read', () => {
    const line = '--data-dir d -c 5 --ratio .5 --kind two --parts x,y --nodes n1 n2 --loud --no-search --out o --json';
    const { options, common } = parse('m.onnx', ...line.split(' '));
    assert.deepEqual(options, {
      ...{ dataDir: 'd', count: 5, ratio: 0.5, kind: 'two', parts: ['x', 'y'], nodes: ['n1', 'n2'] },
      ...{ loud: true, search: false },
    });
    assert.deepEqual([common.out, common.json], ['o', true]);
  });

  it('are refused by name', () => {
    const cases: [string[], RegExp][] = [
      [['--count', '0'], /--count: expected an integer of at least 1, received 0/],
      [['--count', ''], /--count: expected an integer/],
      [['--ratio', '-1'], /--ratio: expected a number above 0, received -1/],
      [['--kind', 'three'], /--kind: expected one or two, received three/],
    ];
    for (const [argv, message] of cases) {
      assert.throws(
        () => parse('m.onnx', ...argv),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
  });

  it('write to files, never over folders and devices', () => {
    for (const path of ['.', '/dev/full']) {
      assert.throws(
        () => fileToWrite(path, '--out'),
        /--out: expected a file, new or to be replaced, received .*, a folder/,
      );
    }
    for (const path of ['package.json', 'none/none.onnx']) assert.equal(fileToWrite(path, '--out'), path);
  });

  it('are named by their keys', () => {
    assert.equal(flagOf('dataDir'), '--data-dir');
    assert.equal(flagOf('search', { negated: true }), '--no-search');
  });
});
