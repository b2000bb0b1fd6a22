// Upper bounds of an operation on this machine: its integer peak, or reading its operands from the smallest cache they
// fit.
import type { Ceiling, Machine, Row } from './schema.js';
import type { Job, Op } from './shapes.js';

// The integer peak of each of our instruction sets; AVX2 multiplies 4-bit weights faster than 8-bit ones.
const PEAK_OF_ISA: Readonly<Record<string, string>> = {
  amx_int8: 'amxInt8',
  avx512vnni: 'avx512VnniInt8',
  avx2: 'avx2Int8',
};
// From the fastest: what a peer, which chooses for itself, could have used.
const INTEGER_PEAKS = ['amxInt8', 'avx512VnniInt8', 'avx2Int8'];

interface Bound {
  /** Name of the ceiling. */
  readonly name: string;
  /** No call can take less. */
  readonly us: number;
}

function ceilingNamed(name: string, threads: number, ceilings: readonly Ceiling[]): Ceiling | undefined {
  return ceilings.find((ceiling) => ceiling.name === name && ceiling.threads === threads);
}

/** The integer peak that applies to an operation on one instruction set with so many threads. */
export function integerPeak(isa: string, op: Op, threads: number, ceilings: readonly Ceiling[]): Ceiling | undefined {
  const peak = isa === 'avx2' && op.endsWith('.int4') ? 'avx2Int4' : PEAK_OF_ISA[isa];
  if (peak !== undefined) return ceilingNamed(peak, threads, ceilings);
  return INTEGER_PEAKS.map((name) => ceilingNamed(name, threads, ceilings)).find((ceiling) => ceiling !== undefined);
}

/** The roofline: the larger of arithmetic at the peak and of moving every operand once. */
export function boundOf(
  job: Job,
  row: Pick<Row, 'impl' | 'isa' | 'threads'>,
  ceilings: readonly Ceiling[],
  machine: Machine,
): Bound | undefined {
  // A peer is compared with the ceiling of our kernels.
  const peak = integerPeak(row.impl === 'faultline' ? row.isa : machine.isa, job.op, row.threads, ceilings);
  const { threads } = row;
  // Private caches hold a share of the operands each; L3 is one.
  const level =
    job.bytes <= machine.l1Bytes * threads
      ? 'readL1'
      : job.bytes <= machine.l2Bytes * threads
        ? 'readL2'
        : job.bytes <= machine.l3Bytes
          ? 'readL3'
          : 'readDram';
  const read = ceilingNamed(level, threads, ceilings);
  const bounds: Bound[] = [];
  // GOPS = 10⁹ operations a second = 10³ a microsecond; GB/s the same.
  if (peak) bounds.push({ name: peak.name, us: (2 * job.multiplyAdds) / (peak.value * 1e3) });
  if (read) bounds.push({ name: read.name, us: job.bytes / (read.value * 1e3) });
  return bounds.reduce<Bound | undefined>((a, b) => (a && a.us >= b.us ? a : b), undefined);
}
