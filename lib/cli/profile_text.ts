// An error profile on the terminal: a line a layer, then what stands out, in 80 columns.
import type { Profile } from '../assess/profile.js';
import type { LayerProfile } from '../assess/profile_layer.js';
import { OUTLIER_FACTOR } from '../assess/profile_ranges.js';
import { shorten } from '../graph/printer.js';
import { formatBits } from '../quant/policy.js';

const NAME_WIDTH = 22;
const WIDTH = 80;
/** A layer far below what the machine can do is worth a sentence from here on. */
const SLOW_CEILING = 0.25;
const SLOW_SHARE = 0.1;

const percent = (share: number) => String(Math.round(100 * share));

/** dB with one decimal; nothing went wrong: exact. */
function decibels(value: number | undefined): string {
  if (value === undefined) return '';
  return Number.isFinite(value) ? value.toFixed(1) : 'exact';
}

function row(cells: readonly string[]): string {
  const widths = [5, 6, 6, 4, 4, 5, 6, 8, 5];
  const [name = '', ...others] = cells;
  const figures = others.map((cell, i) => cell.padStart(widths[i] as number));
  return [shorten(name, NAME_WIDTH).padEnd(NAME_WIDTH), ...figures].join(' ').trimEnd();
}

function layerRow(layer: LayerProfile): string {
  const { node, bits, isolated, accumulated, ranges, speed } = layer;
  const share = (value: number | undefined) => (value === undefined ? '' : percent(value));
  const activation = isolated && isolated.terms.activationRounding.share + isolated.terms.activationClipping.share;
  return row([
    node,
    bits ? formatBits(bits) : 'fp32',
    decibels(isolated?.sqnrDb),
    decibels(accumulated.sqnrDb),
    share(activation),
    share(isolated?.terms.weightRounding.share),
    share(accumulated.propagatedShare),
    ranges ? ranges.spread.toFixed(1) : '',
    speed ? (speed.nsPerSample / 1e3).toFixed(1) : '',
    share(speed?.ofCeiling),
  ]);
}

/** A sentence, broken at spaces. */
function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    if (line !== '' && line.length + 1 + word.length > WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

/** The layers that `value` is largest for, largest first, at most three. */
function top(layers: readonly LayerProfile[], value: (layer: LayerProfile) => number): LayerProfile[] {
  return [...layers].sort((a, b) => value(b) - value(a)).slice(0, 3);
}

function findings(profile: Profile): string[] {
  const quantized = profile.layers.filter(({ isolated }) => isolated !== undefined);
  if (quantized.length === 0) return ['no layer is quantized'];
  const noise = (layer: LayerProfile) => -(layer.isolated?.sqnrDb ?? 0);
  const worst = top(quantized, noise).map(({ node, isolated }) => `${node} (${decibels(isolated?.sqnrDb)} dB)`);
  const lines = [`most noise of their own: ${worst.join(', ')}`];
  for (const { node, inputs } of quantized) {
    const [first, ...more] = inputs?.outliers ?? [];
    if (!first) continue;
    const also = more.length > 0 ? ` and ${more.length} more` : '';
    lines.push(
      `${node}: input channel ${first.channel}${also} beyond ${OUTLIER_FACTOR} times the median channel ` +
        `(${first.timesMedian.toFixed(0)} times; it sets the range of ${percent(first.setsRange)} % of the samples)`,
    );
  }
  const slow = quantized.filter(({ speed }) => speed && speed.share >= SLOW_SHARE && speed.ofCeiling < SLOW_CEILING);
  for (const { node, speed } of slow) {
    if (!speed) continue;
    lines.push(
      `${node} takes ${percent(speed.share)} % of the layers' time at ${percent(speed.ofCeiling)} % of the ceiling ` +
        `(${speed.bound}, ${speed.gops.toFixed(0)} GOPS)`,
    );
  }
  return lines;
}

export function profileText(profile: Profile): string {
  const { network, ceilings } = profile;
  const { samples, flips, accuracy } = network;
  const bits = profile.effectiveBits === undefined ? '' : `, ${profile.effectiveBits.toFixed(2)} bits on average`;
  const policy = profile.policy.length > 40 ? 'a mixed policy' : profile.policy;
  const right = accuracy
    ? `; accuracy ${(100 * accuracy.fp).toFixed(2)} % in fp32, ${(100 * accuracy.quantized).toFixed(2)} % quantized`
    : '';
  const { layers, others } = network.nsPerSample;
  return [
    wrap(`${profile.model}: ${policy}${bits}, ${samples} samples`),
    wrap(`${flips} change class (${((100 * flips) / samples).toFixed(2)} %)${right}`),
    `logits: SQNR ${decibels(network.logits.sqnrDb)} dB, largest error ${network.logits.maxAbsError.toPrecision(3)}`,
    '',
    row(['layer', 'bits', 'alone', 'here', 'act', 'wgt', 'prop', 'spread', 'µs', 'ceil']),
    ...profile.layers.map(layerRow),
    '',
    wrap(
      'alone, here: SQNR in dB, the layer alone quantized, and with all before it. act, wgt: % of its own error ' +
        'from activations and weights. prop: % of the error here that came in. spread: largest over smallest range ' +
        'of a sample. µs: a sample. ceil: % of what the machine can do.',
    ),
    wrap(
      `ceilings: ${ceilings.integerGops.toFixed(0)} GOPS, ${ceilings.copyGBs.at(-1)?.value.toFixed(0)} GB/s; ` +
        `quantized layers ${(layers / 1e3).toFixed(0)} µs a sample, other operators ${(others / 1e3).toFixed(0)} µs`,
    ),
    '',
    ...findings(profile).map(wrap),
    '',
  ].join('\n');
}
