// What `bench model` measured: throughput, latency, memory and time by layer of a network, beside ONNX Runtime.
import { type ModelReport, type ModelRow, modelReportSchema } from '../../bench/model/schema.js';
import { groupBy } from '../../core/group_by.js';
import { bullets, type Document, paragraph, type Section, section, type Table, table } from '../document.js';
import { formatNumber, plural } from '../format.js';
import { defineKind } from '../kind.js';

const MIB = 2 ** 20;

function speedTable(rows: readonly ModelRow[]): Table {
  const { batch, threads } = rows[0] as ModelRow;
  const caption = `batch ${batch}, ${plural(threads, 'thread')}`;
  return table({ name: `speed-b${batch}-t${threads}`, caption, brief: true }, rows, [
    ['implementation', 'runtime', 'text', ({ impl }) => impl],
    ['policy', 'policy', 'text', ({ policy }) => policy],
    ['samplesPerSecond', 'samples/s', 'number', ({ samplesPerSecond }) => samplesPerSecond],
    ['deviation', '±', 'number', ({ deviation }) => deviation],
    ['medianMs', 'ms', 'number', ({ latencyMs }) => latencyMs.median],
    ['p90Ms', 'p90', 'number', ({ latencyMs }) => latencyMs.p90, { brief: false }],
    ['p99Ms', 'p99', 'number', ({ latencyMs }) => latencyMs.p99],
    ['cpuMs', 'cpu ms', 'number', ({ cpuMs }) => cpuMs],
    ['ratioToPeer', '× peer', 'number', ({ ratioToPeer }) => ratioToPeer],
    ['peakMiB', 'MiB', 'count', ({ peakMemoryBytes }) => peakMemoryBytes / MIB],
    ['sqnrDb', 'SQNR', 'decibels', ({ sqnrDb }) => sqnrDb],
  ]);
}

function layerTable({ layers = [], batch, threads, policy, otherMs }: ModelRow): Table[] {
  if (layers.length === 0) return [];
  const total = layers.reduce((sum, { milliseconds }) => sum + milliseconds, otherMs ?? 0);
  const other = { node: 'everything else', operator: '', milliseconds: otherMs ?? 0, gops: null, bound: '' };
  const about = {
    name: `layers-${policy}-b${batch}-t${threads}`,
    caption: `${policy}, batch ${batch}, ${plural(threads, 'thread')}: time by layer`,
  };
  return [
    table(
      about,
      [...layers, { ...other, ofCeiling: null }],
      [
        ['node', 'layer', 'text', ({ node }) => node],
        ['operator', 'operator', 'text', ({ operator }) => operator],
        ['milliseconds', 'ms', 'number', ({ milliseconds }) => milliseconds],
        ['share', 'of the time', 'percent', ({ milliseconds }) => (100 * milliseconds) / total],
        ['gops', 'GOPS', 'number', ({ gops }) => gops],
        ['ofCeiling', 'of the ceiling', 'percent', ({ ofCeiling }) => ofCeiling && 100 * ofCeiling],
        ['bound', 'bound by', 'text', ({ bound }) => bound],
      ],
    ),
  ];
}

function failureSection({ failures }: ModelReport): Section[] {
  const texts = failures.map(
    ({ impl, policy, batch, threads, reason }) =>
      `${impl} ${policy}, batch ${batch}, ${plural(threads, 'thread')}: ${reason}`,
  );
  return section(
    'failures',
    'Failed or wrong, not timed',
    texts.map((text) => paragraph(text, true)),
  );
}

function modelDocument(report: ModelReport): Document {
  const { machine, rows, macs, parameters, notes } = report;
  const peers = machine.onnxruntime === '' ? 'no peers' : `ONNX Runtime ${machine.onnxruntime}`;
  const meetings = [...groupBy(rows, ({ batch, threads }) => `${batch} ${threads}`).values()];
  const variants = [...new Set(rows.map(({ impl, policy, variant }) => `${impl} ${policy}: ${variant}`))];
  const remarks = [
    ...notes,
    'A round’s speed is that of its median call; shown are the median of rounds taken in turns, ± their deviation. ' +
      'ms and percentiles are of single calls, cpu ms of all threads together. ' +
      '× peer is the median over rounds of the speed over ONNX Runtime’s: float32 over float32, integers over its ' +
      'dynamic int8. MiB is the peak of the whole process; SQNR the logits’ signal over their distance from float32.',
  ];
  const speed = [
    ...meetings.flatMap((alike) => {
      const { batch, threads } = alike[0] as ModelRow;
      return [paragraph(`Batch ${batch}, ${plural(threads, 'thread')}`, true), speedTable(alike)];
    }),
    ...remarks.map((text) => paragraph(text, true)),
    ...bullets(variants),
  ];
  return {
    title: `${report.model}: speed`,
    lead:
      `${formatNumber(macs / 1e6)} million multiply-accumulates a sample, ${formatNumber(parameters, 'count')} parameters. ` +
      `${machine.cpu}, ${plural(machine.cpus, 'CPU')}; faultline on ${machine.isa}; ${peers}.`,
    facts: [],
    sections: [
      ...section('speed', 'Speed', speed),
      ...section('layers', 'Time by layer', rows.flatMap(layerTable)),
      ...failureSection(report),
    ],
    footer: `${report.command}, ${report.startedAt}`,
  };
}

export const kind = defineKind({
  schema: 'faultline.bench-model/1',
  result: modelReportSchema.loose(),
  document: modelDocument,
});
