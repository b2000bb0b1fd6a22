// Writes the measured section of README.md from the newest summary in bench/results (`npm run readme`).
// With a report, `npm run readme -- REPORT.json`, it first keeps that report's summary there.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { latestSummary, readmeSection, withSection } = await import('../dist/lib/bench/readme.js');
const { benchReportSchema } = await import('../dist/lib/bench/schema.js');
const { summarizeBench } = await import('../dist/lib/bench/summary.js');

const results = fileURLToPath(new URL('../bench/results/', import.meta.url));
const [report] = process.argv.slice(2);
if (report) {
  const summary = summarizeBench(benchReportSchema.parse(JSON.parse(readFileSync(report, 'utf8'))));
  const { startedAt, machine } = summary;
  const file = `${results}${startedAt.slice(0, 10)}-${machine.isa}.json`;
  writeFileSync(file, `${JSON.stringify(summary, null, 1)}\n`);
}
const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), readmeSection(latestSummary(results))));
