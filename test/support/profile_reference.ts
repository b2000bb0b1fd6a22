// The error profile in plain fp64, from its definitions, and the comparison with derived bounds.
import assert from 'node:assert/strict';
import type { ErrorProfileOptions, ErrorSummary, ErrorTerm } from '../../lib/native/error_profile.js';
import { packWeights } from '../../lib/native/packed_weights.js';

/** Uniform values in [−1, 1), reproducible (mulberry32), multiples of 2^-31. */
export function randomArray(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

export const TERMS = ['activationRounding', 'activationClipping', 'weightRounding', 'cross', 'saturation'] as const;
type Terms = Record<(typeof TERMS)[number], number>;

const evenRound = (v: number) => (v - Math.floor(v) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

export interface Row {
  x: number[];
  q: number[];
  rounding: number[];
  clipping: number[];
  scale: number;
  zeroPoint: number;
}

export function quantizeRow(x: Float32Array, bits: number, range: readonly [number, number] | undefined): Row {
  const qmax = 2 ** bits - 1;
  const min = Math.fround(Math.min(0, ...(range ? [range[0]] : x)));
  const max = Math.fround(Math.max(0, ...(range ? [range[1]] : x)));
  const scale = Math.fround(Math.fround(max - min) / qmax) || 1;
  const zeroPoint = evenRound(Math.min(qmax, Math.max(0, Math.fround(-min / scale))));
  const row: Row = { x: Array.from(x), q: [], rounding: [], clipping: [], scale, zeroPoint };
  for (const v of x) {
    const steps = evenRound(Math.fround(v / scale));
    const q = Math.min(qmax, Math.max(0, steps + zeroPoint));
    row.q.push(q);
    row.rounding.push(scale * steps - v);
    row.clipping.push(scale * (q - zeroPoint - steps));
  }
  return row;
}

export interface Output {
  y: number;
  quantized: number;
  terms: Terms;
  /** How far the profile's fp32 y and terms may be from these. */
  bound: number;
}

/** One output in fp64, from the definitions. */
export function referenceOutput(
  row: Row,
  w: readonly number[],
  codes: readonly number[],
  scale: number,
  saturating: boolean,
) {
  const k = w.length;
  const terms: Terms = { activationRounding: 0, activationClipping: 0, weightRounding: 0, cross: 0, saturation: 0 };
  let y = 0;
  let size = 0;
  let saturated = 0;
  let exact = 0;
  for (let i = 0; i < k; i++) {
    const x = row.x[i] as number;
    const r = row.rounding[i] as number;
    const c = row.clipping[i] as number;
    const e = scale * (codes[i] as number) - (w[i] as number);
    y += x * (w[i] as number);
    terms.activationRounding += r * (w[i] as number);
    terms.activationClipping += c * (w[i] as number);
    terms.weightRounding += x * e;
    terms.cross += (r + c) * e;
    size += (Math.abs(x) + Math.abs(r) + Math.abs(c)) * (Math.abs(w[i] as number) + Math.abs(e));
    exact += ((row.q[i] as number) - row.zeroPoint) * (codes[i] as number);
  }
  for (let i = 0; i < k; i += 2) {
    const pair = [i, i + 1].reduce((sum, j) => sum + (row.q[j] ?? 0) * (codes[j] ?? 0), 0);
    saturated += Math.min(32767, Math.max(-32768, pair));
    saturated -= row.zeroPoint * ((codes[i] as number) + (codes[i + 1] ?? 0));
  }
  if (saturating) terms.saturation = (saturated - exact) * row.scale * scale;
  const quantized = (saturating ? saturated : exact) * row.scale * scale;
  // γ(k + 1) · Σ|a·b| of the products (error_profile.h), plus three roundings of each quantized output.
  const gamma = ((k + 1) * 2 ** -24) / (1 - (k + 1) * 2 ** -24);
  const bound = gamma * size + 2 ** -22 * (Math.abs(quantized) + Math.abs(exact * row.scale * scale));
  return { y, quantized, terms, bound } satisfies Output;
}

/**
 * Compares sums over outputs with those of the reference. With |value − reference| ≤ b for each of n outputs, sums of
 * products a·c differ by at most Σ(|a|·b + |c|·b + b²).
 */
export function checkSummary(received: ErrorSummary, outputs: readonly Output[]): void {
  const n = outputs.length;
  const near = (value: number, wanted: number, bound: number, what: string) =>
    // 1e-12: the fp64 sums themselves, on both sides.
    assert.ok(Math.abs(value - wanted) <= bound + 1e-12 * Math.abs(wanted), `${what}: ${value}, expected ${wanted}`);
  const sum = (f: (o: Output) => number) => outputs.reduce((s, o) => s + f(o), 0);
  const error = (o: Output) => o.quantized - o.y;
  const squared = sum((o) => error(o) ** 2);
  const squaredBound = sum((o) => 4 * Math.abs(error(o)) * o.bound + 4 * o.bound ** 2);
  near(received.mse * n, squared, squaredBound, 'mse');
  near(received.meanError * n, sum(error), 2 * sum((o) => o.bound), 'meanError');
  const largest = Math.max(...outputs.map((o) => Math.abs(error(o))));
  near(received.maxAbsError, largest, 2 * Math.max(...outputs.map((o) => o.bound)), 'maxAbsError');
  for (const name of TERMS) {
    const term: ErrorTerm = received.terms[name];
    const t = (o: Output) => o.terms[name];
    near(
      term.mse * n,
      sum((o) => t(o) ** 2),
      sum((o) => 2 * Math.abs(t(o)) * o.bound + o.bound ** 2),
      `${name}.mse`,
    );
    near(
      term.share * received.mse * n,
      sum((o) => t(o) * error(o)),
      sum((o) => (2 * Math.abs(t(o)) + Math.abs(error(o))) * o.bound + 2 * o.bound ** 2),
      `${name}.share`,
    );
  }
  // The terms add up to the error of each output, within the bounds of five terms, y and ŷ: multiplied by the error
  // and summed, they give Σ error².
  const shares = TERMS.reduce((s, name) => s + received.terms[name].share, 0);
  near(
    shares * received.mse * n,
    received.mse * n,
    sum((o) => 7 * o.bound * (Math.abs(error(o)) + 2 * o.bound)),
    'Σ shares',
  );
}

export function referenceMatmul(
  x: Float32Array,
  w: Float32Array,
  [n, k]: readonly [number, number],
  options: ErrorProfileOptions,
): Output[][] {
  const { bits = 8, activationBits = 8, range, granularity, reduceRange } = options;
  const packed = packWeights(w, [n, k], {
    bits,
    ...(granularity === undefined ? {} : { granularity }),
    ...(reduceRange === undefined ? {} : { reduceRange }),
  });
  const codes = Array.from(packed.codes());
  const scales = packed.scales();
  const fixed = Array.isArray(range) ? (range as unknown as [number, number]) : undefined;
  const channels: Output[][] = Array.from({ length: n }, () => []);
  for (let m = 0; m < x.length / k; m++) {
    const row = quantizeRow(x.subarray(m * k, (m + 1) * k), activationBits, fixed);
    channels.forEach((outputs, channel) => {
      const own = Array.from(w.subarray(channel * k, (channel + 1) * k));
      const ownCodes = codes.slice(channel * k, (channel + 1) * k);
      const scale = scales[channel] as number;
      outputs.push(referenceOutput(row, own, ownCodes, scale, options.arithmetic === 'saturating16'));
    });
  }
  packed.dispose();
  return channels;
}
