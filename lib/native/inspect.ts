// Describes this machine: processor, instruction sets, threads, devices, versions.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from '../core/errors.js';
import { packageRoot } from '../core/package_root.js';
import { addon } from './addon.js';
import { type DeviceInfo, openCuda, requestedDevice } from './cuda_addon.js';
import { DeviceError } from './device_error.js';

/** The answer of `faultline inspect --json`. */
export interface Inspection {
  readonly schema: 'faultline.inspect/1';
  readonly faultline: { readonly version: string; readonly abi: number };
  readonly node: { readonly version: string; readonly arch: string };
  readonly cpu: {
    readonly model: string;
    /** Logical processors of the machine. */
    readonly logical: number;
    /** Bytes; 0 where the system does not report it. */
    readonly caches: { readonly l1d: number; readonly l2: number; readonly l3: number; readonly line: number };
  };
  readonly isa: {
    /** The instruction set in use. With an error: the one that would be used without the request. */
    readonly chosen: string;
    /** The value of `FAULTLINE_ISA`. */
    readonly requested?: string;
    /** Why the request cannot be met; then every operation throws this message. */
    readonly error?: string;
    /** `available`: compiled, and the processor and the operating system have it. */
    readonly all: readonly { readonly name: string; readonly compiled: boolean; readonly available: boolean }[];
  };
  readonly threads: {
    /** Threads that operations use. */
    readonly used: number;
    /** CPUs in this process's affinity mask. */
    readonly affinity: number;
    /** CPUs' worth of time the cgroup grants; absent without a quota. */
    readonly quota?: number;
    /** `OMP_NUM_THREADS`, which overrides both. */
    readonly ompNumThreads?: string;
    /** Where it was lowered: the most that this machine has use for. */
    readonly lowered?: string;
  };
  /** With `FAULTLINE_DEVICE`: the GPU it requests, or why there is none. */
  readonly device?: { readonly requested: string } & (DeviceInfo | { readonly error: string });
  /** Version of the oneDNN library found on this machine. */
  readonly onednn?: string;
}

/** Version of this package. */
function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

function requestedGpu(): Pick<Inspection, 'device'> {
  const requested = process.env.FAULTLINE_DEVICE;
  if (!requested || requested === 'cpu') return {};
  try {
    requestedDevice('inspect', undefined);
    return { device: { requested, ...openCuda().info } };
  } catch (error) {
    if (!(error instanceof DeviceError) && !(error instanceof InvalidArgumentError)) throw error;
    return { device: { requested, error: error.message } };
  }
}

/** Processor, instruction sets, threads, caches and versions. Works also where `FAULTLINE_ISA` cannot be met. */
export function inspect(): Inspection {
  const native = addon.inspect();
  const requested = process.env.FAULTLINE_ISA;
  const ompNumThreads = process.env.OMP_NUM_THREADS;
  const lowered = `OMP_NUM_THREADS is above ${native.mostThreads}, twice the processors or 64: more threads cost memory only`;
  return {
    schema: 'faultline.inspect/1',
    faultline: { version: packageVersion(), abi: addon.abiVersion },
    node: { version: process.versions.node, arch: process.arch },
    cpu: { model: native.cpu, logical: Math.max(cpus().length, availableParallelism()), caches: native.caches },
    isa: {
      chosen: native.isa,
      ...(requested ? { requested } : {}),
      ...(native.isaError === undefined ? {} : { error: native.isaError }),
      all: native.isas,
    },
    threads: {
      used: native.threads,
      affinity: native.affinity,
      ...(native.quota > 0 ? { quota: native.quota } : {}),
      ...(ompNumThreads ? { ompNumThreads } : {}),
      ...(Number.parseInt(ompNumThreads ?? '', 10) > native.mostThreads ? { lowered } : {}),
    },
    ...requestedGpu(),
    ...(native.onednn === undefined ? {} : { onednn: native.onednn }),
  };
}
