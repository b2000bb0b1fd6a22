// The README is correct: its example runs as written and prints what it shows; its figures are those of a report.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { latestSummary, readmeSection, withSection } from '../../lib/bench/readme.js';
import { packageRoot } from '../../lib/core/package_root.js';

const ROOT = packageRoot();
const MAX_DATA_BYTES = 200_000;
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

function block(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(README);
  assert.ok(found, `a block of ${language}`);
  return found[1] as string;
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

  it('shows the figures of the newest summary, as `npm run readme` writes them', () => {
    assert.equal(README, withSection(README, readmeSection(latestSummary(join(ROOT, 'bench', 'results')))));
  });

  it('rests on summaries: raw results of benchmarks are not kept', () => {
    const folder = join(ROOT, 'bench', 'results');
    const data = readdirSync(folder).filter((name) => !name.endsWith('.md'));
    const bytes = data.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    assert.ok(bytes <= MAX_DATA_BYTES, `bench/results: expected ${MAX_DATA_BYTES} bytes of data, received ${bytes}`);
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
