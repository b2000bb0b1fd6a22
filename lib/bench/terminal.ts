// The report as text, 80 columns wide.
import { geometricMean, type ShapeRows, sections } from './kernels.js';
import type { Ceiling, Impl, Report, Row } from './schema.js';

const WIDTH = 80;
const SHAPE_WIDTH = 31;

/** Three significant figures, no exponent. */
export function figure(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** Lines of at most WIDTH columns, continued with an indent; a text that fits is left as it is. */
export function wrap(text: string, indent = '  '): string[] {
  if (text.length <= WIDTH) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > WIDTH && line.trim() !== '') {
      lines.push(line);
      line = `${indent}${word}`;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

function rowOf(shape: ShapeRows, impl: Impl): Row | undefined {
  return shape.rows.find((row) => row.impl === impl);
}

function tableLine(cells: readonly string[]): string {
  const [shape = '', ...figures] = cells;
  return shape.padEnd(SHAPE_WIDTH) + figures.map((text) => text.padStart(8)).join('');
}

/** The distinct variants each implementation ran. */
export function variantsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.map((row) => `${row.impl}: ${row.variant}`))];
}

export function ceilingText(ceiling: Ceiling): string {
  return `${ceiling.name} ${figure(ceiling.value)} ${ceiling.unit}`;
}

/** `ratio to the best peer` over the shapes that have one. */
export function ratios(shapes: readonly ShapeRows[]): number[] {
  return shapes.flatMap((shape) => rowOf(shape, 'faultline')?.ratioToBestPeer ?? []);
}

export function machineText({ machine }: Pick<Report, 'machine'>): string {
  const peers = [
    machine.onednn && `oneDNN ${machine.onednn} (${machine.onednnIsa})`,
    machine.onnxruntime && `ONNX Runtime ${machine.onnxruntime}`,
  ].filter(Boolean);
  return `${machine.cpu}, ${machine.cpus} CPUs; faultline on ${machine.isa}; ${peers.join(', ') || 'no peers'}`;
}

export function terminalReport(report: Report): string {
  const lines = wrap(machineText(report));
  for (const threads of new Set(report.ceilings.map((ceiling) => ceiling.threads))) {
    const texts = report.ceilings.filter((ceiling) => ceiling.threads === threads).map(ceilingText);
    lines.push(...wrap(`Ceilings, ${threads} thread${threads > 1 ? 's' : ''}: ${texts.join(', ')}`));
  }
  for (const note of report.notes) lines.push(...wrap(`! ${note}`));
  for (const { op, threads, shapes } of sections(report)) {
    lines.push('', `${op}, ${threads} thread${threads > 1 ? 's' : ''}: GOPS, ratio to the best peer, % of ceiling`);
    lines.push(tableLine(['shape', 'µs', 'ours', 'oneDNN', 'ORT', 'ratio', '%']));
    for (const shape of shapes) {
      const ours = rowOf(shape, 'faultline');
      lines.push(
        tableLine([
          shape.shape,
          figure(ours?.medianUs),
          figure(ours?.gops),
          figure(rowOf(shape, 'onednn')?.gops),
          figure(rowOf(shape, 'onnxruntime')?.gops),
          figure(ours?.ratioToBestPeer),
          figure(ours?.percentOfCeiling),
        ]),
      );
    }
    const mean = geometricMean(ratios(shapes));
    if (mean !== undefined) lines.push(tableLine(['geometric mean', '', '', '', '', figure(mean), '']));
    for (const variant of variantsOf(shapes.flatMap((shape) => shape.rows)))
      lines.push(...wrap(`  ${variant}`, '    '));
  }
  if (report.targets) {
    lines.push('', 'Targets, set for one core with AMX');
    for (const { what, expected, measured, verdict } of report.targets) {
      lines.push(
        ...wrap(`${verdict.padEnd(13)}${what.padEnd(42)}${expected.padStart(9)}  ${measured}`, ' '.repeat(13)),
      );
    }
  }
  if (report.failures.length > 0) lines.push('', 'WRONG RESULTS, not timed:');
  for (const { op, shape, impl, threads, reason } of report.failures) {
    lines.push(...wrap(`  ${op} ${shape} ${impl}, ${threads} threads: ${reason}`, '    '));
  }
  return `${lines.join('\n')}\n`;
}
