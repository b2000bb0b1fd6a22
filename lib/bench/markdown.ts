// The report as Markdown: a section for each operation and thread count.
import { geometricMean, sections } from './kernels.js';
import { IMPLS, type Report } from './schema.js';
import { ceilingText, figure, machineText, ratios, variantsOf } from './terminal.js';

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

export function markdownReport(report: Report): string {
  const parts = ['# Kernels, measured', `\`${report.command}\`, ${report.startedAt}`, machineText(report)];
  if (report.quick) parts.push('A quick run: few rounds, figures to look at rather than to quote.');
  for (const threads of new Set(report.ceilings.map((ceiling) => ceiling.threads))) {
    const texts = report.ceilings.filter((ceiling) => ceiling.threads === threads).map(ceilingText);
    parts.push(`Ceilings, ${threads} thread${threads > 1 ? 's' : ''}: ${texts.join(', ')}.`);
  }
  if (report.notes.length > 0) parts.push(report.notes.map((note) => `- ${note}`).join('\n'));
  for (const { op, threads, shapes } of sections(report)) {
    parts.push(`## ${op}, ${threads} thread${threads > 1 ? 's' : ''}`);
    const rows = shapes.map((shape) => {
      const of = (impl: string) => shape.rows.find((row) => row.impl === impl);
      const ours = of('faultline');
      return [
        shape.shape,
        figure(ours?.medianUs),
        ...IMPLS.map((impl) => figure(of(impl)?.gops)),
        figure(ours?.ratioToBestPeer),
        ours?.percentOfCeiling === undefined ? '-' : `${figure(ours.percentOfCeiling)} (${ours.ceiling})`,
      ];
    });
    const mean = geometricMean(ratios(shapes));
    if (mean !== undefined) rows.push(['geometric mean', '', '', '', '', `**${figure(mean)}**`, '']);
    parts.push(
      table(
        ['shape', 'µs', 'faultline, GOPS', 'oneDNN, GOPS', 'ONNX Runtime, GOPS', 'ratio to best peer', '% of ceiling'],
        rows,
      ),
    );
    parts.push(
      variantsOf(shapes.flatMap((shape) => shape.rows))
        .map((text) => `- ${text}`)
        .join('\n'),
    );
  }
  if (report.targets) {
    parts.push('## Targets', 'Set for one core with AMX; the figures are those of this machine.');
    parts.push(
      table(
        ['target', 'expected', 'measured', 'verdict'],
        report.targets.map((t) => [t.what, t.expected, t.measured, t.verdict]),
      ),
    );
  }
  if (report.failures.length > 0) {
    parts.push('## Wrong results, not timed');
    parts.push(
      table(
        ['op', 'shape', 'implementation', 'threads', 'reason'],
        report.failures.map((f) => [f.op, f.shape, `${f.impl} (${f.variant})`, String(f.threads), f.reason]),
      ),
    );
  }
  return `${parts.join('\n\n')}\n`;
}
