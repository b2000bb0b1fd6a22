// What `bench model` measured: throughput, latency, memory and time by layer of a network, beside ONNX Runtime.
import { type ModelReport, type ModelRow, modelReportSchema } from '../../bench/model/schema.js';
import type { Block, Document, Section } from '../document.js';
import { type Cell, formatNumber, plural } from '../format.js';
import { defineKind } from '../kind.js';
import { groupBy } from '../names.js';

const MIB = 2 ** 20;

function speedTable(rows: readonly ModelRow[], batch: number, threads: number): Block {
  return {
    kind: 'table',
    name: `speed-b${batch}-t${threads}`,
    caption: `batch ${batch}, ${plural(threads, 'thread')}`,
    brief: true,
    columns: [
      { key: 'implementation', label: 'runtime', unit: 'text' },
      { key: 'policy', label: 'policy', unit: 'text' },
      { key: 'samplesPerSecond', label: 'samples/s', unit: 'number' },
      { key: 'deviation', label: '±', unit: 'number' },
      { key: 'medianMs', label: 'ms', unit: 'number' },
      { key: 'p90Ms', label: 'p90', unit: 'number' },
      { key: 'p99Ms', label: 'p99', unit: 'number' },
      { key: 'cpuMs', label: 'cpu ms', unit: 'number' },
      { key: 'ratioToPeer', label: '× peer', unit: 'number' },
      { key: 'peakMiB', label: 'MiB', unit: 'count' },
      { key: 'sqnrDb', label: 'SQNR', unit: 'decibels' },
    ],
    rows: rows.map((row): Cell[] => [
      row.impl,
      row.policy,
      row.samplesPerSecond,
      row.deviation,
      row.latencyMs.median,
      row.latencyMs.p90,
      row.latencyMs.p99,
      row.cpuMs,
      row.ratioToPeer,
      row.peakMemoryBytes / MIB,
      row.sqnrDb,
    ]),
  };
}

function layerTable(row: ModelRow): Block[] {
  const { layers = [], batch, threads, policy, otherMs } = row;
  if (layers.length === 0) return [];
  const total = layers.reduce((sum, { milliseconds }) => sum + milliseconds, otherMs ?? 0);
  const other: Cell[] = ['everything else', '', otherMs, (100 * (otherMs ?? 0)) / total, null, null, ''];
  return [
    {
      kind: 'table',
      name: `layers-${policy}-b${batch}-t${threads}`,
      caption: `${policy}, batch ${batch}, ${plural(threads, 'thread')}: time by layer`,
      columns: [
        { key: 'node', label: 'layer', unit: 'text' },
        { key: 'operator', label: 'operator', unit: 'text' },
        { key: 'milliseconds', label: 'ms', unit: 'number' },
        { key: 'share', label: 'of the time', unit: 'percent' },
        { key: 'gops', label: 'GOPS', unit: 'number' },
        { key: 'ofCeiling', label: 'of the ceiling', unit: 'percent' },
        { key: 'bound', label: 'bound by', unit: 'text' },
      ],
      rows: [
        ...layers.map((layer): Cell[] => [
          layer.node,
          layer.operator,
          layer.milliseconds,
          (100 * layer.milliseconds) / total,
          layer.gops,
          100 * layer.ofCeiling,
          layer.bound,
        ]),
        other,
      ],
    },
  ];
}

function failureSection({ failures }: ModelReport): Section[] {
  if (failures.length === 0) return [];
  const items = failures.map(
    ({ impl, policy, batch, threads, reason }) =>
      `${impl} ${policy}, batch ${batch}, ${plural(threads, 'thread')}: ${reason}`,
  );
  const blocks = items.map((text): Block => ({ kind: 'text', text, brief: true }));
  return [{ id: 'failures', title: 'Failed or wrong, not timed', blocks }];
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
  const speed: Section = {
    id: 'speed',
    title: 'Speed',
    blocks: [
      ...meetings.flatMap((own): Block[] => {
        const { batch, threads } = own[0] as ModelRow;
        const title = `Batch ${batch}, ${plural(threads, 'thread')}`;
        return [{ kind: 'text', text: title, brief: true }, speedTable(own, batch, threads)];
      }),
      ...remarks.map((text): Block => ({ kind: 'text', text, brief: true })),
      { kind: 'list', items: variants },
    ],
  };
  const layers = rows.flatMap(layerTable);
  return {
    title: `${report.model}: speed`,
    lead:
      `${formatNumber(macs / 1e6)} million multiply-accumulates a sample, ${formatNumber(parameters, 'count')} parameters. ` +
      `${machine.cpu}, ${plural(machine.cpus, 'CPU')}; faultline on ${machine.isa}; ${peers}.`,
    facts: [],
    sections: [
      speed,
      ...(layers.length > 0 ? [{ id: 'layers', title: 'Time by layer', blocks: layers }] : []),
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
