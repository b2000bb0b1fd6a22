// The README's table of measured figures, made from a report so that nobody types a number.
import { geometricMean, sections } from './kernels.js';
import type { Report } from './schema.js';
import { figure, machineText, ratios } from './terminal.js';

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

const PEERS: Readonly<Record<string, string>> = { onednn: 'oneDNN', onnxruntime: 'ONNX Runtime' };

const COLUMNS = ['operation', 'threads', 'shapes', 'geometric mean', 'worst', 'best', 'fastest shape, GOPS', 'peers'];

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** One row for each operation and thread count: our time against the fastest peer's, over all shapes. */
export function readmeSection(report: Report | undefined): string {
  if (report === undefined) {
    return 'No full report is kept yet: `npm run bench -- kernels --json bench/results/NAME.json`, then `npm run readme`.';
  }
  const rows = sections(report).map(({ op, threads, shapes }) => {
    const against = ratios(shapes);
    const ours = shapes.flatMap((shape) => shape.rows.filter((row) => row.impl === 'faultline'));
    const peers = new Set(shapes.flatMap((shape) => shape.rows.map((row) => PEERS[row.impl]).filter((name) => name)));
    return line([
      `\`${op}\``,
      String(threads),
      String(ours.length),
      against.length === 0 ? '-' : `**${figure(geometricMean(against))}×**`,
      against.length === 0 ? '-' : `${figure(Math.min(...against))}×`,
      against.length === 0 ? '-' : `${figure(Math.max(...against))}×`,
      figure(ours.length === 0 ? undefined : Math.max(...ours.map((row) => row.gops))),
      [...peers].join(', ') || '-',
    ]);
  });
  return [
    'How many times as fast as the fastest peer, shape by shape, in one interleaved run. Shapes and rules:',
    '[bench/README.md](bench/README.md).',
    '',
    line(COLUMNS),
    line(COLUMNS.map((_, i) => (i === 0 ? '---' : '--:'))),
    ...rows,
    '',
    machineText(report),
  ].join('\n');
}

/** The newest full report, where there is one. */
export function latest(reports: readonly Report[]): Report | undefined {
  const full = reports.filter((report) => !report.quick && report.rows.length > 0);
  return full.sort((a, b) => a.startedAt.localeCompare(b.startedAt)).at(-1);
}

/** The README with its measured section written anew. */
export function withSection(readme: string, section: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md: expected ${BEGIN} … ${END}, received none`);
  return `${readme.slice(0, begin + BEGIN.length)}\n${section}\n${readme.slice(end)}`;
}
