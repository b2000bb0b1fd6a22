// What `inspect` says of this machine: processor, instruction sets, threads, caches, versions.
import { z } from 'zod';
import { type Document, paragraph, section, table } from '../document.js';
import { count, defineKind } from '../kind.js';

const inspectionSchema = z.looseObject({
  schema: z.literal('faultline.inspect/1'),
  faultline: z.looseObject({ version: z.string(), abi: count }),
  node: z.looseObject({ version: z.string(), arch: z.string() }),
  cpu: z.looseObject({
    model: z.string(),
    logical: count,
    /** Bytes; 0 where the system does not say. */
    caches: z.looseObject({ l1d: count, l2: count, l3: count, line: count }),
  }),
  isa: z.looseObject({
    chosen: z.string(),
    requested: z.string().optional(),
    error: z.string().optional(),
    all: z.array(z.looseObject({ name: z.string(), compiled: z.boolean(), available: z.boolean() })),
  }),
  threads: z.looseObject({
    used: count,
    affinity: count,
    quota: z.number().optional(),
    ompNumThreads: z.string().optional(),
    lowered: z.string().optional(),
  }),
  device: z
    .looseObject({
      requested: z.string(),
      error: z.string().optional(),
      name: z.string().optional(),
      computeCapability: z.string().optional(),
      bytes: count.optional(),
      driver: z.string().optional(),
      runtime: z.string().optional(),
    })
    .optional(),
  onednn: z.string().optional(),
});

type Inspection = z.output<typeof inspectionSchema>;

const KIB = 1024;

function bytes(size: number): string {
  if (size === 0) return 'unknown';
  return size >= KIB * KIB ? `${size / (KIB * KIB)} MiB` : `${size / KIB} KiB`;
}

function stateOf({ name, available, compiled }: Inspection['isa']['all'][number], chosen: string): string {
  if (name === chosen) return 'chosen';
  if (available) return 'available';
  return compiled ? 'not on this processor' : 'not compiled for this architecture';
}

function threadsText({ used, affinity, quota, ompNumThreads, lowered }: Inspection['threads']): string {
  const limits = [
    `affinity ${affinity}`,
    quota === undefined ? 'no cgroup quota' : `cgroup quota ${quota}`,
    ompNumThreads === undefined ? 'OMP_NUM_THREADS not set' : `OMP_NUM_THREADS=${ompNumThreads}`,
    ...(lowered === undefined ? [] : [lowered]),
  ];
  return `${used} (${limits.join(', ')})`;
}

function machineRows(report: Inspection): (readonly [string, string])[] {
  const { faultline, node, cpu, threads, onednn, isa, device } = report;
  const { l1d, l2, l3 } = cpu.caches;
  return [
    ['faultline', `${faultline.version} (addon ABI ${faultline.abi})`],
    ['Node.js', `${node.version} ${node.arch}`],
    ['processor', `${cpu.model}, ${cpu.logical} logical`],
    ['caches', `L1d ${bytes(l1d)}, L2 ${bytes(l2)}, L3 ${bytes(l3)}`],
    ['threads', threadsText(threads)],
    ['oneDNN', onednn ?? 'not found'],
    ['instructions', isa.chosen],
    ...(isa.requested === undefined ? [] : [['FAULTLINE_ISA', isa.requested] as const]),
    ...(device?.name === undefined
      ? []
      : [
          ['device', `${device.name}, compute capability ${device.computeCapability}`] as const,
          ['', `${bytes(device.bytes ?? 0)}, driver for CUDA ${device.driver}, runtime ${device.runtime}`] as const,
        ]),
  ];
}

function inspectDocument(report: Inspection): Document {
  const { isa, device } = report;
  const errors = [
    ...(isa.error === undefined ? [] : [`error: ${isa.error}`]),
    ...(device?.error === undefined ? [] : [`device: none: ${device.error}`]),
  ];
  const about = { name: 'machine', caption: 'What faultline found and what it uses', brief: true };
  const machine = table(about, machineRows(report), [
    ['what', 'what', 'text', ([what]) => what],
    ['value', 'here', 'text', ([, value]) => value],
  ]);
  const caption = 'From portable to fast: the last one available is chosen';
  const sets = table({ name: 'instruction-sets', caption, brief: true }, isa.all, [
    ['name', 'instruction set', 'text', ({ name }) => name],
    ['state', 'state', 'text', (each) => stateOf(each, isa.chosen)],
  ]);
  return {
    title: 'This machine',
    lead: '',
    facts: [],
    sections: [
      ...section('machine', 'Machine', [machine, ...errors.map((text) => paragraph(text, true))]),
      ...section('instruction-sets', 'Instruction sets', [sets]),
    ],
    footer: '',
  };
}

export const kind = defineKind({ schema: 'faultline.inspect/1', result: inspectionSchema, document: inspectDocument });
