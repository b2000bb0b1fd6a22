// What `bench kernels` measured: every operation by shape, beside its peers and the machine's ceilings.
import { geometricMean, machineText, ratios, rowOf, sections, threeFigures } from '../../bench/figures.js';
import { type BenchReport, benchReportSchema } from '../../bench/schema.js';
import { type Block, column, type Document, type Section } from '../document.js';
import { type Cell, plural } from '../format.js';
import { defineKind } from '../kind.js';
import { slug } from '../names.js';

type OperationRows = ReturnType<typeof sections>[number];

function operationSection({ op, threads, shapes }: OperationRows): Section {
  const title = `${op}, ${plural(threads, 'thread')}`;
  const mean = geometricMean(ratios(shapes));
  const variants = new Set(shapes.flatMap(({ rows }) => rows.map(({ impl, variant }) => `${impl}: ${variant}`)));
  const table: Block = {
    kind: 'table',
    name: `${op} t${threads}`,
    caption: `${title}: GOPS, ratio to the best peer, share of the ceiling`,
    brief: true,
    columns: [
      column('shape', 'shape', 'text'),
      column('medianUs', 'µs', 'number', { better: 'lower' }),
      column('faultline', 'faultline, GOPS', 'number', { short: 'ours', better: 'higher' }),
      column('onednn', 'oneDNN, GOPS', 'number', { short: 'oneDNN' }),
      column('onnxruntime', 'ONNX Runtime, GOPS', 'number', { short: 'ORT' }),
      column('ratio', 'ratio to best peer', 'number', { short: 'ratio', better: 'higher' }),
      column('percentOfCeiling', 'of the ceiling', 'percent', { short: '%' }),
      column('ceiling', 'ceiling', 'text', { brief: false }),
    ],
    rows: shapes.map((shape): Cell[] => {
      const ours = rowOf(shape, 'faultline');
      return [
        ...[shape.shape, ours?.medianUs, ours?.gops],
        ...[rowOf(shape, 'onednn')?.gops, rowOf(shape, 'onnxruntime')?.gops],
        ...[ours?.ratioToBestPeer, ours?.percentOfCeiling, ours?.ceiling],
      ];
    }),
  };
  const items = [...(mean === undefined ? [] : [`geometric mean of the ratios: ${threeFigures(mean)}`]), ...variants];
  return { id: slug(`${op} t${threads}`), title, blocks: [table, { kind: 'list', items, brief: true }] };
}

function machineSection({ ceilings, notes, quick }: BenchReport): Section[] {
  const hurried = quick ? ['a quick run: few rounds, figures to look at rather than to quote'] : [];
  const remarks = [...hurried, ...notes];
  const blocks: Block[] = [];
  if (ceilings.length > 0) {
    blocks.push({
      kind: 'table',
      name: 'ceilings',
      caption: 'Ceilings of this machine',
      brief: true,
      columns: [
        column('ceiling', 'ceiling', 'text'),
        column('threads', 'threads', 'count'),
        column('value', 'value', 'number'),
        column('unit', 'unit', 'text'),
      ],
      rows: ceilings.map(({ name, threads, value, unit }): Cell[] => [name, threads, value, unit]),
    });
  }
  if (remarks.length > 0) blocks.push({ kind: 'list', items: remarks, brief: true });
  return blocks.length > 0 ? [{ id: 'machine', title: 'Machine', blocks }] : [];
}

function targetSection({ targets }: BenchReport): Section[] {
  if (!targets) return [];
  const table: Block = {
    kind: 'table',
    name: 'targets',
    caption: 'Set for one core with AMX; the figures are those of this machine.',
    brief: true,
    columns: [
      column('verdict', 'verdict', 'text', { better: ['met', 'not measured', 'missed'] }),
      column('target', 'target', 'text'),
      column('expected', 'expected', 'text'),
      column('measured', 'measured', 'text'),
    ],
    rows: targets.map(({ what, expected, measured, verdict }): Cell[] => [verdict, what, expected, measured]),
  };
  return [{ id: 'targets', title: 'Targets', blocks: [table] }];
}

function failureSection({ failures }: BenchReport): Section[] {
  if (failures.length === 0) return [];
  const items = failures.map(
    ({ op, shape, impl, variant, threads, reason }) =>
      `${op} ${shape} ${impl} (${variant}), ${plural(threads, 'thread')}: ${reason}`,
  );
  return [{ id: 'failures', title: 'Wrong results, not timed', blocks: [{ kind: 'list', items, brief: true }] }];
}

function kernelsDocument(report: BenchReport): Document {
  return {
    title: 'Kernels, measured',
    lead: `${machineText(report)}.`,
    facts: [],
    sections: [
      ...machineSection(report),
      ...sections(report).map(operationSection),
      ...targetSection(report),
      ...failureSection(report),
    ],
    footer: `${report.command}, ${report.startedAt}`,
  };
}

export const kind = defineKind({
  schema: 'faultline.bench/1',
  result: benchReportSchema.loose(),
  document: kernelsDocument,
});
