// A scheme: how the weights and the activations of one node are quantized. Its name is the one spelling that people,
// policy files and reports use; this file has the parser and the printer of it.
//
//   W8A8          weights int8 per output channel, activations int8 per sample
//   W4A16         weights only: activations are not quantized, the product runs in float32
//   W4A8/g128     a weight scale for each 128 neighbours along the reduced axis
//   W8A8/wtensor  one scale for all weights
//   W8A8/token    an activation range for each token: each run along the last axis
//   W8A8/tensor   one activation range for the whole tensor, of all samples of a batch
//
// Suffixes combine, weights first: `W4A8/g32/tensor`.
import { describe, InvalidArgumentError } from '../core/errors.js';
import {
  formatGranularity,
  type Granularity,
  perGroup,
  perOutputChannel,
  perSample,
  perTensor,
  perToken,
  sameGranularity,
} from './granularity.js';
import {
  float32,
  integerFormat,
  LEAST_BITS,
  MOST_BITS,
  NUMERIC_FORMATS,
  type NumericFormat,
} from './numeric_format.js';

/** One operand of a product. */
export interface Operand {
  readonly format: NumericFormat;
  /** Of scales; without a meaning where the format is not quantized. */
  readonly granularity: Granularity;
}

/** Frozen data; schemes of the same content are one object, so that `===` compares. */
export interface Scheme {
  /** `W8A8`, `W4A16`, `W4A8/g128`, … */
  readonly name: string;
  /** Symmetric. Granularity is that of the order in which kernels read weights: [output channels, …]. */
  readonly weights: Operand;
  /**
   * Asymmetric, their ranges found at run time. Per sample means what a kernel quantizes separately: each image of a
   * convolution, each row of a product of matrices, so that a result never depends on the rest of the batch.
   */
  readonly activations: Operand;
}

/** What a scheme may say beside its formats. */
export interface Granularities {
  /** Default: per output channel, perChannel(0). Else perTensor or perGroup. */
  readonly weights?: Granularity | undefined;
  /** Default: perSample. Else perToken or perTensor. */
  readonly activations?: Granularity | undefined;
}

const SUFFIXES: readonly { readonly operand: keyof Granularities; readonly text: string; readonly is: Granularity }[] =
  [
    { operand: 'weights', text: '/wtensor', is: perTensor },
    { operand: 'activations', text: '/token', is: perToken },
    { operand: 'activations', text: '/tensor', is: perTensor },
  ];
const GROUP = /^\/g([1-9]\d*)$/i;
const NAME = /^W(\d+)A(\d+)((?:\/\w+)*)$/i;
const EXPECTED = 'W2A2 … W8A8 or W2A16 … W8A16, with /gN or /wtensor for weights, /token or /tensor for activations';

const known = new Map<string, Scheme>();

function suffixOf(operand: keyof Granularities, { format, granularity }: Operand): string {
  const usual = operand === 'weights' ? perOutputChannel : perSample;
  if (sameGranularity(granularity, usual)) return '';
  if (format.kind === 'float') {
    throw new InvalidArgumentError('scheme', operand, 'no granularity where nothing is quantized', granularity.kind);
  }
  if (operand === 'weights' && granularity.kind === 'perGroup') return `/g${granularity.blockSize}`;
  const suffix = SUFFIXES.find((each) => each.operand === operand && sameGranularity(each.is, granularity));
  if (suffix) return suffix.text;
  const expected =
    operand === 'weights' ? 'perChannel(0), perTensor or perGroup(blockSize)' : 'perSample, perToken or perTensor';
  throw new InvalidArgumentError('scheme', `${operand} granularity`, expected, formatGranularity(granularity));
}

/**
 * The scheme of two formats; numbers are bits of integers. Throws InvalidArgumentError on granularities without a name.
 */
export function schemeOf(
  weights: NumericFormat | number,
  activations: NumericFormat | number,
  granularities: Granularities = {},
): Scheme {
  const format = (of: NumericFormat | number, argument: string) =>
    typeof of === 'number' ? integerFormat(of, 'scheme', argument) : of;
  const w = { format: format(weights, 'weights'), granularity: granularities.weights ?? perOutputChannel };
  const a = { format: format(activations, 'activations'), granularity: granularities.activations ?? perSample };
  const name = `W${w.format.bits}A${a.format.bits}${suffixOf('weights', w)}${suffixOf('activations', a)}`;
  let scheme = known.get(name);
  if (!scheme) {
    scheme = Object.freeze({ name, weights: Object.freeze(w), activations: Object.freeze(a) });
    known.set(name, scheme);
  }
  return scheme;
}

/** The scheme with other formats, its granularities as they are. */
export function withFormats(
  { weights, activations }: Scheme,
  formats: { readonly weights?: NumericFormat | number; readonly activations?: NumericFormat | number },
): Scheme {
  return schemeOf(formats.weights ?? weights.format, formats.activations ?? activations.format, {
    weights: weights.granularity,
    activations: activations.granularity,
  });
}

/** The scheme with other granularities where these are passed, its formats as they are. */
export function withGranularities({ weights, activations }: Scheme, other: Granularities): Scheme {
  const chosen = ({ format, granularity }: Operand, replacement: Granularity | undefined) =>
    format.kind === 'float' ? undefined : (replacement ?? granularity);
  return schemeOf(weights.format, activations.format, {
    weights: chosen(weights, other.weights),
    activations: chosen(activations, other.activations),
  });
}

/** So many bits more, or fewer, within what integers may have; what is not quantized stays so. */
export function shiftBits(scheme: Scheme, weights: number, activations: number): Scheme {
  const shifted = ({ format }: Operand, by: number) =>
    format.kind === 'float' ? format : Math.min(MOST_BITS, Math.max(LEAST_BITS, format.bits + by));
  return withFormats(scheme, {
    weights: shifted(scheme.weights, weights),
    activations: shifted(scheme.activations, activations),
  });
}

/**
 * Whether a text is meant as the name of a scheme and not as that of a file; parseScheme says whether it is a right
 * one.
 */
export function looksLikeScheme(text: string): boolean {
  return NAME.test(text);
}

/** `W8A4/g64` → the scheme; letters of either case, suffixes in any order. Throws InvalidArgumentError. */
export function parseScheme(text: string, operation = 'parseScheme', argument = 'text'): Scheme {
  const fail = () => new InvalidArgumentError(operation, argument, EXPECTED, describe(text));
  const [, w, a, rest = ''] = NAME.exec(text) ?? [];
  const formatOf = (digits: string | undefined) => NUMERIC_FORMATS.find(({ bits }) => String(bits) === digits);
  const [weights, activations] = [formatOf(w), formatOf(a)];
  if (!weights || !activations) throw fail();
  const found: { weights?: Granularity; activations?: Granularity } = {};
  for (const part of rest.match(/\/\w+/g) ?? []) {
    const group = GROUP.exec(part);
    const suffix = SUFFIXES.find(({ text: each }) => each === part.toLowerCase());
    const operand = group ? 'weights' : suffix?.operand;
    if (!operand || found[operand]) throw fail();
    found[operand] = group ? perGroup(Number(group[1])) : (suffix?.is as Granularity);
  }
  return schemeOf(weights, activations, found);
}

/** The same, and `4` for `W4A4`: how choices are listed. Throws InvalidArgumentError. */
export function parseChoice(text: string, operation = 'parseChoice', argument = 'text'): Scheme {
  return parseScheme(/^\d$/.test(text) ? `W${text}A${text}` : text, operation, argument);
}

/** The name of a scheme, which parseScheme reads. */
export function formatScheme(scheme: Scheme): string {
  return scheme.name;
}

/** Whether a kernel's items, images or rows, are quantized separately: then their bits may differ, too. */
export function isPerSample({ format, granularity }: Operand): boolean {
  return format.kind === 'integer' && granularity.kind === 'perSample';
}

/** Whether only weights are quantized: W4A16. */
export function isWeightsOnly({ weights, activations }: Scheme): boolean {
  return activations.format === float32 && weights.format !== float32;
}
