// What `profile` found: layer by layer where the error comes from, channel by channel, and what takes time.
import { basename } from 'node:path';
import { OUTLIER_FACTOR } from '../../assess/profile/ranges.js';
import {
  type Block,
  bullets,
  chart,
  type Document,
  type Fact,
  paragraph,
  type Section,
  section,
  type Table,
  table,
} from '../document.js';
import { formatNumber, formatQuantity, percentText, policyText } from '../format.js';
import { defineKind } from '../kind.js';
import { leftInFloatBlocks } from '../sections/left_in_float.js';
import { type LayerResult, type ProfileResult, profileSchema } from './profile_result.js';

/** Histograms are drawn of the layers with most isolated noise. */
const HISTOGRAMS = 4;

const percent = (share: number | null | undefined) => (typeof share === 'number' ? 100 * share : undefined);
const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : undefined);

/** Noise in percent of the signal. */
const noise = (sqnrDb: number) => (Number.isFinite(sqnrDb) ? 100 * 10 ** (-sqnrDb / 10) : 0);

const quantized = ({ layers }: ProfileResult) => layers.filter(({ isolated }) => isolated !== undefined);

/** Quantized layers, the one with most isolated noise first. */
const noisiest = (profile: ProfileResult) =>
  [...quantized(profile)].sort((a, b) => (a.isolated?.sqnrDb ?? 0) - (b.isolated?.sqnrDb ?? 0));

function layerTable({ layers }: ProfileResult): Table {
  const caption =
    'SQNR of a layer quantized alone and with everything before it; shares of its isolated error that come from ' +
    'activations and from weights; share of the error here that its inputs brought';
  const activations = ({ isolated }: LayerResult) =>
    isolated && isolated.terms.activationRounding.share + isolated.terms.activationClipping.share;
  return table({ name: 'layers', caption, brief: true }, layers, [
    ['node', 'layer', 'text', ({ node }) => node],
    ['bits', 'bits', 'text', ({ scheme }) => scheme ?? 'fp32'],
    ['aloneSqnrDb', 'alone', 'decibels', ({ isolated }) => isolated?.sqnrDb, { short: 'alone', better: 'higher' }],
    ['sqnrDb', 'here', 'decibels', ({ accumulated }) => accumulated.sqnrDb, { short: 'here', better: 'higher' }],
    ['activations', 'activations', 'share', (layer) => percent(activations(layer)), { short: 'act' }],
    ['weights', 'weights', 'share', (layer) => percent(layer.isolated?.terms.weightRounding.share), { short: 'wgt' }],
    ['propagated', 'propagated', 'share', (one) => percent(one.accumulated.propagatedShare), { short: 'prop' }],
    ['mse', 'mse', 'number', ({ accumulated }) => accumulated.mse, { brief: false }],
    ['cosine', 'cosine', 'number', ({ accumulated }) => accumulated.cosine, { brief: false }],
    ['maxAbsError', 'largest error', 'number', ({ accumulated }) => accumulated.maxAbsError, { brief: false }],
    ['rmseOverScale', 'rmse / scale', 'number', (one) => one.isolated?.activations.rmseOverScale, { brief: false }],
    ['unusedCodes', 'unused codes', 'count', (one) => one.isolated?.activations.unusedCodes, { brief: false }],
    ['spread', 'spread', 'number', ({ ranges }) => ranges?.spread],
    ['us', 'µs a sample', 'number', ({ speed }) => speed && speed.nsPerSample / 1e3, { short: 'µs' }],
    ['ofCeiling', 'of the ceiling', 'share', ({ speed }) => percent(speed?.ofCeiling), { short: 'ceil' }],
  ]);
}

const TERMS = {
  activationRounding: 'activation rounding',
  activationClipping: 'clipping',
  weightRounding: 'weight rounding',
  cross: 'cross',
  saturation: 'saturation',
} as const;
type Term = keyof typeof TERMS;

const NOISE = { type: 'stacked', x: { label: 'noise, percent of the signal', unit: 'number' } } as const;

function waterfalls(profile: ProfileResult): Block[] {
  const layers = quantized(profile);
  if (layers.length === 0) return [];
  const terms = (Object.keys(TERMS) as Term[]).filter((term) =>
    layers.some(({ isolated }) => (isolated?.terms[term].mse ?? 0) > 0),
  );
  const causes = ({ isolated }: LayerResult) => terms.map((term) => noise(isolated?.terms[term].sqnrDb ?? Infinity));
  const parts = terms.map((term) => TERMS[term]);
  const through = ({ accumulated }: LayerResult) => {
    const all = noise(accumulated.sqnrDb);
    const share = Math.min(1, Math.max(0, accumulated.propagatedShare));
    return [all * share, all * (1 - share)];
  };
  return [
    chart(
      {
        name: 'isolated-error',
        caption: 'Each layer alone: its noise in percent of the signal, by cause',
        alt: `Noise of each of ${layers.length} layers alone, by ${parts.join(', ')}`,
      },
      { ...NOISE, parts, rows: layers.map((layer) => ({ label: layer.node, values: causes(layer) })) },
    ),
    chart(
      {
        name: 'waterfall',
        caption: 'Through the network: noise that a layer’s inputs brought, and what the layer added',
        alt: `Noise of ${layers.length} layers, propagated and added`,
      },
      {
        ...{ ...NOISE, parts: ['propagated', 'added'] },
        rows: profile.layers.map((layer) => ({ label: layer.node, values: through(layer) })),
      },
    ),
  ];
}

/** A heat map has as many columns: channels beyond are pooled by their largest. */
const MOST_COLUMNS = 64;

/** values → at most `most` values, each the largest of its share. */
function pooled(values: readonly number[], most: number): number[] {
  const size = Math.ceil(values.length / most);
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) =>
    Math.max(...values.slice(i * size, (i + 1) * size)),
  );
}

/** Layers down, channels across, each row relative to its worst channel, which shows outlier channels. */
function channelMap(profile: ProfileResult): Block[] {
  const layers = profile.layers.filter(({ channels }) => channels.length > 0);
  if (layers.length === 0) return [];
  const values = layers.map(({ channels }) => {
    const errors = channels.map(({ mse }) => mse);
    const worst = Math.max(...errors);
    return pooled(errors, MOST_COLUMNS).map((value) => (worst > 0 ? value / worst : 0));
  });
  const columns = Array.from({ length: Math.max(...values.map(({ length }) => length)) }, (_, i) => String(i));
  return [
    chart(
      {
        name: 'channels-map',
        caption: 'Mean square error by output channel, relative to the worst of its layer',
        alt: `Error of the channels of ${layers.length} layers, relative to the worst channel of each`,
      },
      {
        ...{ type: 'cells', columnsLabel: 'channel', rowsLabel: 'layer', columns },
        ...{ rows: layers.map(({ node }) => node), unit: 'number', shades: 'heat', domain: [0, 1] },
        values: values.map((row) => columns.map((_, i) => row[i] ?? null)),
      },
    ),
  ];
}

function channelSection(profile: ProfileResult): Section[] {
  const outliers = quantized(profile).flatMap(({ node, inputs }) =>
    (inputs?.outliers ?? []).map((each) => ({ node, ...each })),
  );
  const channels = profile.layers.flatMap(({ node, channels: all, isolated }) =>
    all.map((channel, at) => ({ node, at, channel, alone: isolated?.channels[at] })),
  );
  const caption = `Input channels whose largest value is at least ${OUTLIER_FACTOR} times the median channel’s`;
  const tables = [
    table({ name: 'outliers', caption }, outliers, [
      ['node', 'layer', 'text', ({ node }) => node],
      ['channel', 'input channel', 'count', ({ channel }) => channel],
      ['maxAbs', 'largest |x|', 'number', ({ maxAbs }) => maxAbs],
      ['timesMedian', 'times the median', 'number', ({ timesMedian }) => timesMedian],
      ['setsRange', 'samples whose range it sets', 'percent', ({ setsRange }) => 100 * setsRange],
    ]),
    table({ name: 'channels', caption: 'Every output channel', folded: true }, channels, [
      ['node', 'layer', 'text', ({ node }) => node],
      ['channel', 'channel', 'count', ({ at }) => at],
      ['aloneSqnrDb', 'alone', 'decibels', ({ alone }) => finite(alone?.sqnrDb)],
      ['sqnrDb', 'here', 'decibels', ({ channel }) => finite(channel.sqnrDb)],
      ['mse', 'mse', 'number', ({ channel }) => channel.mse],
      ['meanError', 'mean error', 'number', ({ channel }) => channel.meanError],
      ['weightRmseOverScale', 'weights: rmse / scale', 'number', ({ alone }) => alone?.weights.rmseOverScale],
      ['weightUnusedRange', 'weights: unused range', 'percent', ({ alone }) => percent(alone?.weights.unusedRange)],
    ]),
  ];
  const shown = tables.filter(({ rows }) => rows.length > 0);
  return section('channels', 'Channels', [...channelMap(profile), ...shown]);
}

function histogram(name: string, caption: string, label: string, counts: ArrayLike<number>, first: number): Block {
  const bins = Array.from(counts, (count, i) => ({ from: first + i - 0.5, to: first + i + 0.5, count }));
  const [x, y] = [{ label, unit: 'number' } as const, { label: 'count', unit: 'count' } as const];
  return chart({ name, caption, alt: caption }, { type: 'histogram', x, y, bins });
}

function distributionSection(profile: ProfileResult): Section[] {
  const blocks = noisiest(profile)
    .slice(0, HISTOGRAMS)
    .flatMap(({ node, isolated, ranges }): Block[] => {
      if (!isolated || !ranges) return [];
      const { activations, weights } = isolated;
      const { first, binsPerOctave, counts } = ranges.histogram;
      const at = (i: number) => first + i / binsPerOctave;
      return [
        histogram(`codes-${node}`, `${node}: codes of activations`, 'code', activations.histogram, 0),
        histogram(`weights-${node}`, `${node}: codes of weights`, 'code', weights.histogram, -weights.largestCode),
        chart(
          {
            name: `ranges-${node}`,
            caption: `${node}: dynamic range of the samples`,
            alt: `Histogram of the scales of ${ranges.ranges} ranges`,
          },
          {
            type: 'histogram',
            ...{ x: { label: 'log2 of the scale', unit: 'number' }, y: { label: 'ranges', unit: 'count' } },
            bins: counts.map((count, i) => ({ from: at(i), to: at(i + 1), count })),
          },
        ),
      ];
    });
  return section('distributions', 'Distributions of the noisiest layers', blocks);
}

function speedSection({ ceilings, network, layers }: ProfileResult): Section[] {
  const timed = layers.flatMap(({ node, macs, speed }) => (speed ? [{ node, macs, ...speed }] : []));
  if (timed.length === 0) return [];
  const copies = ceilings.copyGBs.map(({ bytes, value }) => `${value.toFixed(0)} GB/s (${bytes >> 10} KiB)`);
  const text =
    `Measured ceilings: ${ceilings.integerGops.toFixed(0)} GOPS on integers; copying ${copies.join(', ')}. ` +
    `Quantized layers take ${formatNumber(network.nsPerSample.layers / 1e3)} µs a sample, everything else ` +
    `${formatNumber(network.nsPerSample.others / 1e3)} µs.`;
  const caption = 'The kernel of each layer in its fastest batch, beside the nearer ceiling';
  return section('speed', 'Why slow', [
    paragraph(text, true),
    table({ name: 'speed', caption }, timed, [
      ['node', 'layer', 'text', ({ node }) => node],
      ['macs', 'MACs', 'count', ({ macs }) => macs],
      ['us', 'µs a sample', 'number', ({ nsPerSample }) => nsPerSample / 1e3],
      ['share', 'of the time', 'percent', ({ share }) => 100 * share],
      ['gops', 'GOPS', 'number', ({ gops }) => gops],
      ['ofCeiling', 'of the ceiling', 'percent', ({ ofCeiling }) => 100 * ofCeiling],
      ['bound', 'bound by', 'text', ({ bound }) => bound],
    ]),
  ]);
}

/** Layers slower than this share of the machine's peak are reported. */
const SLOW_CEILING = 0.25;
const SLOW_SHARE = 0.1;
const NOISIEST = 3;

/** Notable layers. */
function findings(profile: ProfileResult): string[] {
  const worst = noisiest(profile)
    .slice(0, NOISIEST)
    .map(({ node, isolated }) => `${node} (${formatQuantity(isolated?.sqnrDb ?? 0, 'decibels')})`);
  if (worst.length === 0) return [];
  const outliers = quantized(profile).flatMap(({ node, inputs }) => {
    const [first, ...more] = inputs?.outliers ?? [];
    if (!first) return [];
    const also = more.length > 0 ? ` and ${more.length} more` : '';
    return [
      `${node}: input channel ${first.channel}${also} beyond ${OUTLIER_FACTOR} times the median channel ` +
        `(${first.timesMedian.toFixed(0)} times; it sets the range of ` +
        `${formatQuantity(100 * first.setsRange, 'share')} of the samples)`,
    ];
  });
  const slow = quantized(profile).flatMap(({ node, speed }) =>
    speed && speed.share >= SLOW_SHARE && speed.ofCeiling < SLOW_CEILING
      ? [
          `${node} takes ${formatQuantity(100 * speed.share, 'share')} of the layers' time at ` +
            `${formatQuantity(100 * speed.ofCeiling, 'share')} of the ceiling (${speed.bound}, ${speed.gops.toFixed(0)} GOPS)`,
        ]
      : [],
  );
  return [`most isolated noise: ${worst.join(', ')}`, ...outliers, ...slow];
}

const LEGEND =
  'alone, here: SQNR in dB, the layer alone quantized, and with all before it. act (activations), wgt (weights): % of its ' +
  'isolated error. prop (propagated): % of the error here that its inputs brought. spread: largest over smallest range of ' +
  'a sample. µs: a sample. ceil (of the ceiling): % of what the machine can do.';

function factsOf({ network, effectiveBits }: ProfileResult): Fact[] {
  const { samples, flips, accuracy, logits } = network;
  const facts: Fact[] = [
    {
      label: 'change class',
      value: percentText((100 * flips) / samples),
      note: `${flips} of ${samples} samples`,
    },
    {
      label: 'logits',
      value: formatQuantity(logits.sqnrDb, 'decibels'),
      note: `signal to quantization noise; largest error ${formatNumber(logits.maxAbsError)}`,
    },
  ];
  if (accuracy) {
    const note = `${percentText(100 * accuracy.fp)} in full precision`;
    facts.push({ label: 'accuracy', value: percentText(100 * accuracy.quantized), note });
  }
  if (effectiveBits !== undefined) {
    facts.push({ label: 'effective bits', value: formatNumber(effectiveBits, 'bits'), note: 'on average' });
  }
  return facts;
}

/** Everything there is to show of a profile. */
function profileDocument(profile: ProfileResult): Document {
  const { policy, model } = profile;
  const [worst] = noisiest(profile);
  const lead = worst
    ? `${worst.node} has most isolated noise: ${formatQuantity(worst.isolated?.sqnrDb ?? 0, 'decibels')}.`
    : 'No layer is quantized.';
  const error = [
    layerTable(profile),
    paragraph(LEGEND, true),
    ...bullets(findings(profile), true),
    ...leftInFloatBlocks(profile.leftInFloat),
    ...waterfalls(profile),
  ];
  return {
    title: `Quantization error of ${basename(model)} under ${policyText(policy)}`,
    lead,
    facts: factsOf(profile),
    sections: [
      ...section('error', 'Quantization error', error),
      ...channelSection(profile),
      ...distributionSection(profile),
      ...speedSection(profile),
    ],
    footer: 'faultline profile',
  };
}

export const kind = defineKind({ schema: 'faultline.profile/1', result: profileSchema, document: profileDocument });
