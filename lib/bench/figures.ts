// Figures of a report of `bench kernels`, and how they are written.
import type { BenchReport, Impl, Row } from './schema.js';

/** The rows of one operation and thread count, gathered by shape in order of appearance. */
interface ShapeRows {
  readonly shape: string;
  readonly rows: readonly Row[];
}

/** Groups a report as its tables show it. */
export function sections(report: Pick<BenchReport, 'rows'>): { op: Row['op']; threads: number; shapes: ShapeRows[] }[] {
  const found = new Map<string, { op: Row['op']; threads: number; shapes: Map<string, Row[]> }>();
  for (const row of report.rows) {
    const key = `${row.op} ${row.threads}`;
    const section = found.get(key) ?? { op: row.op, threads: row.threads, shapes: new Map<string, Row[]>() };
    found.set(key, section);
    const rows = section.shapes.get(row.shape) ?? [];
    section.shapes.set(row.shape, rows);
    rows.push(row);
  }
  return [...found.values()].map(({ op, threads, shapes }) => ({
    op,
    threads,
    shapes: [...shapes].map(([shape, rows]) => ({ shape, rows })),
  }));
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
