// Figures of a report of `bench kernels`, and how they are written.
import { groupBy } from '../core/group_by.js';
import type { BenchReport, Impl, Row } from './schema.js';

/** The rows of one operation and thread count, gathered by shape in order of appearance. */
interface ShapeRows {
  readonly shape: string;
  readonly rows: readonly Row[];
}

/** Groups a report as its tables show it. */
export function sections(report: Pick<BenchReport, 'rows'>): { op: Row['op']; threads: number; shapes: ShapeRows[] }[] {
  return [...groupBy(report.rows, ({ op, threads }) => `${op} ${threads}`).values()].map((rows) => {
    const { op, threads } = rows[0] as Row;
    const shapes = [...groupBy(rows, ({ shape }) => shape)].map(([shape, alike]) => ({ shape, rows: alike }));
    return { op, threads, shapes };
  });
}

/** Geometric mean; undefined of nothing. */
export function geometricMean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function rowOf(shape: ShapeRows, impl: Impl): Row | undefined {
  return shape.rows.find((row) => row.impl === impl);
}

/** `ratio to the best peer` over the shapes that have one. */
export function ratios(shapes: readonly ShapeRows[]): number[] {
  return shapes.flatMap((shape) => rowOf(shape, 'faultline')?.ratioToBestPeer ?? []);
}

/** Three significant figures, no exponent. */
export function threeFigures(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** The machine and the libraries that were compared, in a line. */
export function machineText({ machine }: Pick<BenchReport, 'machine'>): string {
  const peers = [
    machine.onednn && `oneDNN ${machine.onednn} (${machine.onednnIsa})`,
    machine.onnxruntime && `ONNX Runtime ${machine.onnxruntime}`,
  ].filter(Boolean);
  return `${machine.cpu}, ${machine.cpus} CPUs; faultline on ${machine.isa}; ${peers.join(', ') || 'no peers'}`;
}
