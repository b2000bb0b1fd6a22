// The README tells the truth: its example runs as written and prints what it shows; its figures are those of a report.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { latest, readmeSection, withSection } from '../../lib/bench/readme.js';
import { type Report, reportSchema } from '../../lib/bench/schema.js';
import { packageRoot } from '../../lib/native/addon.js';

const ROOT = packageRoot();
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(README);
  assert.ok(found, `a block of ${language}`);
  return found[1] as string;
}

function reports(): Report[] {
  const folder = join(ROOT, 'bench', 'results');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => reportSchema.safeParse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))
    .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
}

describe('README', () => {
  it('has an example that runs as written and prints what it shows', () => {
    // Inside the package, so that the import of 'faultline' finds it.
    const file = join(ROOT, 'dist', `readme-example-${process.pid}.mjs`);
    writeFileSync(file, block('js'));
    try {
      const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      assert.equal(stdout, block('text'));
    } finally {
      rmSync(file);
    }
  });

  it('shows the figures of the newest full report, as `npm run readme` writes them', () => {
    assert.equal(README, withSection(README, readmeSection(latest(reports()))));
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    for (const text of [README, readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8')]) {
      for (const match of text.matchAll(/npm run ([\w:]+)/g)) assert.ok((match[1] as string) in scripts, match[0]);
      for (const match of text.matchAll(/(?:bash )?(scripts\/[\w.-]+)/g))
        assert.ok(existsSync(join(ROOT, match[1] as string)), match[0]);
      for (const match of text.matchAll(/\]\(([\w./-]+)\)/g))
        assert.ok(existsSync(join(ROOT, match[1] as string)), match[0]);
    }
  });
});
