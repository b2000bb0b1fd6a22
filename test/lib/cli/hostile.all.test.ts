// Every command, as a process, on a model, data and folders whose names attack: nothing unsafe on stdout, stderr or in a
// written file, of errors neither.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { packageRoot } from '../../../lib/core/package_root.js';
import { encodePng } from '../../../lib/data/png.js';
import { encodeModel } from '../../../lib/graph/onnx/codec.js';
import { modelOf } from '../../../lib/graph/onnx/export.js';
import type { ModelProto } from '../../../lib/graph/onnx/messages.js';
import { buildModel } from '../../../lib/models/index.js';
import { Random } from '../../../lib/tensor/random.js';
import { npy } from '../../support/npy.js';
import { HOSTILE, unsafeIn } from '../../support/pages.js';
import { STRIPES_CLASSES, STRIPES_SIDE, writeStripes } from '../../support/stripes.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const MAIN = join(packageRoot(), 'dist', 'lib', 'cli', 'main.js');
const [SIDE, CLASSES, SAMPLES] = [STRIPES_SIDE, STRIPES_CLASSES, 24];
/** In the names of files: no slash. */
const EVIL = '\u001b]0;t\u0007\u009b31m\u202e\u200b<img src=x onerror=alert(1)>;=1+1|\n`#';
/** What learns from thousands of images, or measures for minutes. */
const LONG = ['reproduce', 'pair', 'attack', 'study', 'bench kernels', 'bench napi'];

/** Every name of a model, with an attack behind it. */
function hostile(model: ModelProto): ModelProto {
  const named = (name = '') => (name === '' ? '' : `${name}${HOSTILE}\u202e\u009b`);
  const { graph } = model;
  for (const value of [graph, ...(graph?.input ?? []), ...(graph?.output ?? []), ...(graph?.initializer ?? [])]) {
    if (value) Object.assign(value, { name: named(value.name), docString: HOSTILE });
  }
  for (const node of graph?.node ?? []) {
    Object.assign(node, { name: named(node.name), input: node.input?.map(named), output: node.output?.map(named) });
  }
  return Object.assign(model, { producerName: HOSTILE, docString: HOSTILE });
}

describe('hostile names', () => {
  const folder = temporaryFolder();
  const model = `model${EVIL}.onnx`;
  const data = `pictures${EVIL}`;
  const stripes = `stripes${EVIL}.npz`;

  /** Files that are not the commands'. */
  let given: ReadonlySet<string>;

  before(() => {
    const graph = buildModel('convnet2', { input: [1, SIDE, SIDE], classes: CLASSES, seed: 1 });
    writeFileSync(folder(model), encodeModel(hostile(modelOf(graph))));
    const random = new Random(1);
    const pixels = () => Uint8Array.from({ length: SIDE * SIDE }, () => random.integer(256));
    for (let label = 0; label < CLASSES; label++) {
      mkdirSync(folder(data, `${label}${EVIL}`), { recursive: true });
      for (let i = 0; i < SAMPLES / CLASSES; i++) {
        writeFileSync(folder(data, `${label}${EVIL}`, `${i}${EVIL}.png`), encodePng(pixels(), SIDE, SIDE, 1));
      }
    }
    const images = Uint8Array.from({ length: SAMPLES * SIDE * SIDE }, () => random.integer(256));
    writeFileSync(folder(`images${EVIL}.npy`), npy('|u1', [SAMPLES, SIDE, SIDE, 1], images));
    writeFileSync(
      folder(`labels${EVIL}.npy`),
      npy(
        '|u1',
        [SAMPLES],
        Uint8Array.from({ length: SAMPLES }, (_, i) => i % 3),
      ),
    );
    const op = { name: `n${HOSTILE}`, opType: `Op${HOSTILE}`, domain: HOSTILE, input: ['x'], output: ['y'] };
    writeFileSync(
      folder(`unsupported${EVIL}.onnx`),
      encodeModel({ irVersion: 8, opsetImport: [{ version: 17 }], graph: { name: 'g', node: [op] } }),
    );
    writeStripes(folder(stripes), 60, 30);
    writeFileSync(folder(`broken${EVIL}.json`), `{"${EVIL}": `);
    const policy = { schema: 'faultline.policy/2', nodes: { [HOSTILE]: 'W8A8', [EVIL]: EVIL }, excluded: [EVIL] };
    writeFileSync(folder(`policy${EVIL}.json`), JSON.stringify(policy));
    given = new Set(readdirSync(folder()));
  });

  /** Runs a command; what it says is checked here. */
  function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    const env = { ...process.env, OMP_NUM_THREADS: '1' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      cwd: folder(),
      env,
    });
    for (const text of [stdout, stderr]) assert.equal(unsafeIn(text), undefined, args.join(' '));
    assert.doesNotMatch(stderr, /a defect of faultline|^ +at /m, args.join(' '));
    return { status, stdout, stderr };
  }

  function checkFiles(path: string): void {
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      const file = join(path, name);
      if (given.has(name) || !/\.(json|jsonl|md|csv|html|txt)$/.test(name) || !statSync(file).isFile()) continue;
      assert.equal(unsafeIn(readFileSync(file, 'utf8')), undefined, name);
    }
  }

  /** Options behind the model, where the command takes data. */
  const onData = ['--data', data];
  const LINES: Readonly<Record<string, readonly string[]>> = {
    assess: [model, ...onData, '--no-search', '--out', `assess${EVIL}`],
    profile: [model, ...onData, '--out', 'runs/profile'],
    scan: [model, ...onData, '--out', 'runs/scan'],
    vulnerable: [model, ...onData, '--searched', '4', '--out', 'runs/vulnerable'],
    corruptions: [model, ...onData, '--corruptions', 'fog:3,range:4', '--out', 'runs/corruptions'],
    inspect: [model],
    mitigate: [model, ...onData, '--policy', 'W4A4', '--out', 'runs/mitigate'],
    quantize: [model, '--policy', 'W8A8', '--out', `quantized${EVIL}.onnx`],
    search: [
      model,
      '--worst',
      '--budget',
      `${16 / 3}`,
      '--bits',
      '4,8',
      '--agent',
      'random',
      ...onData,
      '--out',
      'runs/search',
    ],
    evaluate: [model, ...onData],
    'bench model': [model, '--batch', '1', '--policy', 'W8A8', '-r', '1', '--round-ms', '10', '--no-peers'],
    train: ['--arch', 'mlp', '--data', stripes, '--epochs', '1', '--batch', '20', '--out', 'runs/train'],
    report: ['runs/scan'],
    diff: ['runs/scan', 'runs/scan'],
  };

  for (const { name } of COMMANDS) {
    if (LONG.includes(name)) continue;
    it(name, () => {
      const line = LINES[name];
      assert.ok(line, `${name}: expected a command line in this test, received none`);
      const { status, stderr } = run(...name.split(' '), ...line);
      // assess: a verdict.
      assert.ok(status !== null && status <= (name === 'assess' ? 2 : 0), `exit code ${status}: ${stderr}`);
      checkFiles(folder());
    });
  }

  it('results again in every format', () => {
    for (const from of ['profile', 'scan', 'vulnerable', 'corruptions', 'mitigate', 'search', 'train']) {
      for (const format of ['terminal', 'html', 'markdown', 'csv', 'json']) {
        const { status, stderr } = run('report', `runs/${from}`, '--format', format);
        assert.equal(status, 0, stderr);
      }
    }
  });

  it('in errors', () => {
    const wrong: readonly string[][] = [
      [`command${EVIL}`],
      ['scan', model, ...onData, `--option${EVIL}`],
      ['scan', model, '--data', `none${EVIL}`],
      ['scan', `none${EVIL}.onnx`, ...onData],
      ['scan', data, ...onData],
      ['scan', `unsupported${EVIL}.onnx`, ...onData],
      ['scan', `broken${EVIL}.json`, ...onData],
      ['scan', model, '--data', `broken${EVIL}.json,labels${EVIL}.npy`],
      ['scan', model, '--data', `images${EVIL}.npy,broken${EVIL}.json`],
      ['scan', model, ...onData, '--policy', EVIL],
      ['scan', model, ...onData, '--policy', `policy${EVIL}.json`],
      ['scan', model, ...onData, '--policy', `broken${EVIL}.json`],
      ['profile', model, ...onData, '--exclude', EVIL],
      ['scan', model, ...onData, '--images', EVIL],
      ['scan', model, ...onData, '--out', `broken${EVIL}.json`],
      ['report', `broken${EVIL}.json`],
      ['report', 'runs/scan', '--format', EVIL],
      ['report', 'runs/scan', '--format', 'csv', '--out', `broken${EVIL}.json`],
      ['diff', `none${EVIL}`, `broken${EVIL}.json`],
      ['study', `broken${EVIL}.json`, ...onData, '--out', 'runs/study'],
      ['train', '--arch', EVIL, ...onData, '--out', 'runs/t'],
    ];
    for (const line of wrong) {
      const { status, stderr, stdout } = run(...line);
      assert.ok(status !== 0 && status !== null, `${line.join(' ')}: ${status}`);
      assert.ok(stderr.startsWith('faultline') || stderr.startsWith('error: '), stderr);
      assert.equal(stdout, '');
    }
  });
});
