// The README's table of measured figures, made from a summary so that no number is typed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from 'markdown-table';
import { machineText, threeFigures } from './figures.js';
import { type Summary, summarySchema } from './summary.js';

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

const PEERS: Readonly<Record<string, string>> = { onednn: 'oneDNN', onnxruntime: 'ONNX Runtime' };

const COLUMNS = ['operation', 'threads', 'shapes', 'geometric mean', 'worst', 'best', 'fastest shape, GOPS', 'peers'];

/** One row for each operation and thread count: our time against the fastest peer's, over all shapes. */
export function readmeSection(summary: Summary | undefined): string {
  if (summary === undefined) {
    return 'No full report is kept yet: `npm run bench -- kernels --out RUN`, then `npm run readme -- RUN/report.json`.';
  }
  const rows = summary.rows.map(({ op, threads, shapes, ratioToBestPeer, gops, peers }) => [
    `\`${op}\``,
    String(threads),
    String(shapes),
    ratioToBestPeer ? `**${threeFigures(ratioToBestPeer.mean)}×**` : '-',
    ratioToBestPeer ? `${threeFigures(ratioToBestPeer.worst)}×` : '-',
    ratioToBestPeer ? `${threeFigures(ratioToBestPeer.best)}×` : '-',
    threeFigures(gops),
    peers.map((peer) => PEERS[peer]).join(', ') || '-',
  ]);
  return [
    'How many times as fast as the fastest peer, shape by shape, in one interleaved run. Shapes and rules:',
    '[bench/README.md](bench/README.md).',
    '',
    markdownTable([COLUMNS, ...rows], {
      align: COLUMNS.map((_, at) => (at === 0 ? 'l' : 'r')),
      alignDelimiters: false,
    }),
    '',
    machineText(summary),
  ].join('\n');
}

/** The newest summary in a folder (bench/results); other files there are passed over. */
export function latestSummary(folder: string): Summary | undefined {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files
    .flatMap((name) => summarySchema.safeParse(JSON.parse(readFileSync(join(folder, name), 'utf8'))).data ?? [])
    .sort((a, b) => a.startedAt.localeCompare(b.startedAt))
    .at(-1);
}

/** The README with its measured section written anew. */
export function withSection(readme: string, section: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md: expected ${BEGIN} … ${END}, received none`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${section}\n${readme.slice(end)}`;
}
