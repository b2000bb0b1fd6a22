// Writes the measured section of README.md from the newest full report in bench/results (`npm run readme`).
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const { latest, readmeSection, withSection } = await import('../dist/lib/bench/readme.js');
const { reportSchema } = await import('../dist/lib/bench/schema.js');

const results = new URL('../bench/results/', import.meta.url);
const files = existsSync(results) ? readdirSync(results).filter((name) => name.endsWith('.json')) : [];
const reports = files
  .map((name) => reportSchema.safeParse(JSON.parse(readFileSync(new URL(name, results), 'utf8'))))
  .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), readmeSection(latest(reports))));
