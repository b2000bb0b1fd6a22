// What `bench kernels` measured: every operation by shape, beside its peers and the machine's ceilings.
import { geometricMean, machineText, ratios, rowOf, sections, threeFigures } from '../../bench/figures.js';
import { type BenchReport, benchReportSchema } from '../../bench/schema.js';
import { bullets, type Document, type Section, section, table } from '../document.js';
import { plural } from '../format.js';
import { defineKind } from '../kind.js';
import { slug } from '../names.js';

type OperationRows = ReturnType<typeof sections>[number];

function operationSection({ op, threads, shapes }: OperationRows): Section[] {
  const title = `${op}, ${plural(threads, 'thread')}`;
  const name = `${op} t${threads}`;
  const mean = geometricMean(ratios(shapes));
  const variants = new Set(shapes.flatMap(({ rows }) => rows.map(({ impl, variant }) => `${impl}: ${variant}`)));
  const caption = `${title}: GOPS, ratio to the best peer, share of the ceiling`;
  const rows = shapes.map((shape) => ({ shape, ours: rowOf(shape, 'faultline') }));
  const peer = (impl: 'onednn' | 'onnxruntime') => (row: (typeof rows)[number]) => rowOf(row.shape, impl)?.gops;
  const higher = { better: 'higher' } as const;
  return section(slug(name), title, [
    table({ name, caption, brief: true }, rows, [
      ['shape', 'shape', 'text', ({ shape }) => shape.shape],
      ['medianUs', 'µs', 'number', ({ ours }) => ours?.medianUs, { better: 'lower' }],
      ['faultline', 'faultline, GOPS', 'number', ({ ours }) => ours?.gops, { short: 'ours', ...higher }],
      ['onednn', 'oneDNN, GOPS', 'number', peer('onednn'), { short: 'oneDNN' }],
      ['onnxruntime', 'ONNX Runtime, GOPS', 'number', peer('onnxruntime'), { short: 'ORT' }],
      ['ratio', 'ratio to best peer', 'number', ({ ours }) => ours?.ratioToBestPeer, { short: 'ratio', ...higher }],
      ['percentOfCeiling', 'of the ceiling', 'percent', ({ ours }) => ours?.percentOfCeiling, { short: '%' }],
      ['ceiling', 'ceiling', 'text', ({ ours }) => ours?.ceiling, { brief: false }],
    ]),
    ...bullets(
      [...(mean === undefined ? [] : [`geometric mean of the ratios: ${threeFigures(mean)}`]), ...variants],
      true,
    ),
  ]);
}

function machineSection({ ceilings, notes, quick }: BenchReport): Section[] {
  const hurried = quick ? ['a quick run: few rounds, figures to look at rather than to quote'] : [];
  const about = { name: 'ceilings', caption: 'Ceilings of this machine', brief: true };
  const all = table(about, ceilings, [
    ['ceiling', 'ceiling', 'text', ({ name }) => name],
    ['threads', 'threads', 'count', ({ threads }) => threads],
    ['value', 'value', 'number', ({ value }) => value],
    ['unit', 'unit', 'text', ({ unit }) => unit],
  ]);
  return section('machine', 'Machine', [
    ...(ceilings.length > 0 ? [all] : []),
    ...bullets([...hurried, ...notes], true),
  ]);
}

function targetSection({ targets }: BenchReport): Section[] {
  if (!targets) return [];
  const caption = 'Set for one core with AMX; the figures are those of this machine.';
  return section('targets', 'Targets', [
    table({ name: 'targets', caption, brief: true }, targets, [
      ['verdict', 'verdict', 'text', ({ verdict }) => verdict, { better: ['met', 'not measured', 'missed'] }],
      ['target', 'target', 'text', ({ what }) => what],
      ['expected', 'expected', 'text', ({ expected }) => expected],
      ['measured', 'measured', 'text', ({ measured }) => measured],
    ]),
  ]);
}

function failureSection({ failures }: BenchReport): Section[] {
  const items = failures.map(
    ({ op, shape, impl, variant, threads, reason }) =>
      `${op} ${shape} ${impl} (${variant}), ${plural(threads, 'thread')}: ${reason}`,
  );
  return section('failures', 'Wrong results, not timed', bullets(items, true));
}

function kernelsDocument(report: BenchReport): Document {
  return {
    title: 'Kernels, measured',
    lead: `${machineText(report)}.`,
    facts: [],
    sections: [
      ...machineSection(report),
      ...sections(report).flatMap(operationSection),
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
