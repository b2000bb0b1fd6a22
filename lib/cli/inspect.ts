// `faultline inspect`: what this machine offers, what faultline chose, and why; or, given a file, what network is in it.
import type { Command } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { type Inspection, inspect } from '../native/inspect.js';
import { type InspectModelOptions, inspectModel } from './inspect_model.js';
import { INPUT_HELP, inputShape } from './options.js';

/** The exit code when FAULTLINE_ISA asks for what this machine cannot do: a refused argument. */
const EXIT_REFUSED = 2;

const KIB = 1024;

function bytes(count: number): string {
  if (count === 0) return 'unknown';
  return count >= KIB * KIB ? `${count / (KIB * KIB)} MiB` : `${count / KIB} KiB`;
}

function isaState(isa: Inspection['isa']['all'][number], chosen: string): string {
  if (isa.name === chosen) return 'chosen';
  if (isa.available) return 'available';
  return isa.compiled ? 'not on this processor' : 'not compiled for this architecture';
}

function deviceText(device: NonNullable<Inspection['device']>): string {
  if ('error' in device) return `none: ${device.error}`;
  const { name, computeCapability, bytes: memory, driver, runtime } = device;
  return `${name}, compute capability ${computeCapability}, ${memory / KIB / KIB} MiB, driver for CUDA ${driver}, runtime ${runtime}`;
}

/** The report as lines of text. */
export function inspectionText(report: Inspection): string {
  const { cpu, isa, threads } = report;
  const limits = [
    `affinity ${threads.affinity}`,
    threads.quota === undefined ? 'no cgroup quota' : `cgroup quota ${threads.quota}`,
    threads.ompNumThreads === undefined ? 'OMP_NUM_THREADS not set' : `OMP_NUM_THREADS=${threads.ompNumThreads}`,
  ];
  const lines = [
    ['faultline', `${report.faultline.version} (addon ABI ${report.faultline.abi})`],
    ['node', `${report.node.version} ${report.node.arch}`],
    ['cpu', `${cpu.model}, ${cpu.logical} logical`],
    ['caches', `L1d ${bytes(cpu.caches.l1d)}, L2 ${bytes(cpu.caches.l2)}, L3 ${bytes(cpu.caches.l3)}`],
    ['threads', `${threads.used} (${limits.join(', ')})`],
    ['oneDNN', report.onednn ?? 'not found'],
    ...isa.all.map((one, i) => [i === 0 ? 'isa' : '', `${one.name.padEnd(14)}${isaState(one, isa.chosen)}`]),
    ...(report.device === undefined ? [] : [['device', deviceText(report.device)]]),
    ...(isa.requested === undefined ? [] : [['', `FAULTLINE_ISA=${isa.requested}`]]),
    ...(isa.error === undefined ? [] : [['', `error: ${isa.error}`]]),
  ];
  return lines.map(([name = '', text]) => `${name.padEnd(11)}${text}\n`).join('');
}

interface Options extends InspectModelOptions {
  readonly json?: true;
  readonly fold?: true;
}

function inspectMachine(options: Options): void {
  const report = inspect();
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : inspectionText(report));
  if (report.isa.error !== undefined) {
    if (options.json) process.stderr.write(`faultline: ${report.isa.error}\n`);
    process.exitCode = EXIT_REFUSED;
  }
}

export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .argument('[model.onnx]', 'a network to list node by node; without one, the machine is shown')
    .description('processor, instruction sets, threads, caches and versions; or the nodes of a model')
    .option('--json', 'print JSON, schema faultline.inspect/1 or faultline.inspectModel/1')
    .option('--fold', 'with a model: show it as it would be quantized, constants and batch norms folded')
    .option('--input <name=dims…>', INPUT_HELP, inputShape)
    .action(async (model: string | undefined, options: Options) => {
      if (model !== undefined) {
        const { text, notes } = await inspectModel(model, options);
        process.stdout.write(text);
        for (const note of notes) process.stderr.write(`${note}\n`);
      } else if (options.fold) {
        throw new InvalidArgumentError('inspect', '--fold', 'a model beside it', 'none');
      } else {
        inspectMachine(options);
      }
    });
}
