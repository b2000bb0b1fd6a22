// Each operator has its facts: it answers every question in its file, and no code elsewhere asks for an operator's name.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OPERATORS } from '../../../lib/graph/check.js';
import type { FamilyAnswers } from '../../../lib/graph/operator.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const HOME = 'lib/graph/operators';

/** What each question may be answered with, beside "none" and "unknown". */
const QUESTIONS: Record<keyof FamilyAnswers, readonly string[]> = {
  product: ['object'],
  fuses: ['object'],
  fusion: ['object'],
  device: ['object'],
  samples: ['alone', 'between', 'unknown', 'function'],
  channels: ['unknown', 'function'],
  upgrades: ['object'],
  unfoldable: ['random', 'costly'],
  openShape: ['number'],
  settings: ['object'],
  statistics: ['object'],
  detail: ['function'],
  macs: ['function'],
  fromTypes: ['function'],
  float: ['function'],
};

/** Lookups by name that have to be: the registry of operators, and that of names in operator sets before 13. */
const REGISTRIES = ['lib/graph/check.ts', 'lib/graph/onnx/upgrade.ts'];

function sources(): string[] {
  return readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
    .map((path) => `lib/${path}`)
    .filter((path) => path.endsWith('.ts') && !path.startsWith(`${HOME}/`))
    .sort();
}

describe('operators', () => {
  for (const [name, operator] of OPERATORS) {
    it(`${name} answers every question`, () => {
      for (const [question, answers] of Object.entries(QUESTIONS)) {
        const answer: unknown = operator[question as keyof FamilyAnswers];
        const kind = typeof answer === 'string' ? answer : typeof answer;
        const none = kind === 'none' && question !== 'samples' && question !== 'channels';
        assert.ok(none || answers.includes(kind), `${question}: ${kind}`);
      }
    });
  }

  it('their file is the only place that knows their names', () => {
    const names = [...OPERATORS.keys()].join('|');
    const asks = [
      /\b(?:operator|opType)\s*[!=]==?\s*['"`]/, // operator === 'Conv'
      /['"`]\s*[!=]==?\s*[\w.?]*\.(?:operator|opType)\b/,
      /\.(?:includes|has)\([\w.?]*\b(?:operator|opType)\)/, // NAMES.has(node.operator)
      /\b\w+\[[\w.?]*\b(?:operator|opType)\]/, // TABLE[node.operator]
      /switch \([\w.?]*\b(?:operator|opType)\)/,
      /\boperator\.(?:startsWith|endsWith|includes|match)\(/,
      new RegExp(`\\bcase '(?:${names})':`),
      new RegExp(`^\\s*'?(?:${names})'?: `), // { Conv: … }
      new RegExp(`(?:\\[|^)\\s*'(?:${names})',\\s*(?:'(?:${names})'|$)`), // ['Conv', 'Gemm']
    ];
    const lookup = /\.get\([\w.?]*\b(?:operator|opType)\b/;
    const found = sources().flatMap((path) =>
      readFileSync(join(ROOT, path), 'utf8')
        .split('\n')
        .flatMap((line, index) => {
          const looksUp = lookup.test(line) && !REGISTRIES.includes(path);
          return looksUp || asks.some((pattern) => pattern.test(line)) ? [`${path}:${index + 1}: ${line.trim()}`] : [];
        }),
    );
    assert.deepEqual(found, []);
  });
});
