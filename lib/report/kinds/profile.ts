// What `profile` found: layer by layer where the error comes from, channel by channel, and what takes time.

import { basename } from 'node:path';
import { OUTLIER_FACTOR } from '../../assess/profile/ranges.js';
import { type Block, column, type Document, type Fact, type Section, type Table } from '../document.js';
import { type Cell, formatNumber, formatQuantity } from '../format.js';
import { defineKind } from '../kind.js';
import { channelMap } from '../sections/error_profile.js';
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
  return {
    kind: 'table',
    name: 'layers',
    caption:
      'SQNR of a layer quantized alone and with everything before it; shares of its isolated error that come from ' +
      'activations and from weights; share of the error here that its inputs brought',
    brief: true,
    columns: [
      column('node', 'layer', 'text'),
      column('bits', 'bits', 'text'),
      column('aloneSqnrDb', 'alone', 'decibels', { short: 'alone', better: 'higher' }),
      column('sqnrDb', 'here', 'decibels', { short: 'here', better: 'higher' }),
      column('activations', 'activations', 'share', { short: 'act' }),
      column('weights', 'weights', 'share', { short: 'wgt' }),
      column('propagated', 'propagated', 'share', { short: 'prop' }),
      column('mse', 'mse', 'number', { brief: false }),
      column('cosine', 'cosine', 'number', { brief: false }),
      column('maxAbsError', 'largest error', 'number', { brief: false }),
      column('rmseOverScale', 'rmse / scale', 'number', { brief: false }),
      column('unusedCodes', 'unused codes', 'count', { brief: false }),
      column('spread', 'spread', 'number'),
      column('us', 'µs a sample', 'number', { short: 'µs' }),
      column('ofCeiling', 'of the ceiling', 'share', { short: 'ceil' }),
    ],
    rows: layers.map(({ node, scheme, isolated, accumulated, ranges, speed }): Cell[] => [
      node,
      scheme ?? 'fp32',
      isolated?.sqnrDb,
      accumulated.sqnrDb,
      percent(isolated && isolated.terms.activationRounding.share + isolated.terms.activationClipping.share),
      percent(isolated?.terms.weightRounding.share),
      percent(accumulated.propagatedShare),
      accumulated.mse,
      accumulated.cosine,
      accumulated.maxAbsError,
      isolated?.activations.rmseOverScale,
      isolated?.activations.unusedCodes,
      ranges?.spread,
      speed && speed.nsPerSample / 1e3,
      percent(speed?.ofCeiling),
    ]),
  };
}

const TERMS = {
  activationRounding: 'activation rounding',
  activationClipping: 'clipping',
  weightRounding: 'weight rounding',
  cross: 'cross',
  saturation: 'saturation',
} as const;

function waterfalls(profile: ProfileResult): Block[] {
  const layers = quantized(profile);
  if (layers.length === 0) return [];
  const used = Object.entries(TERMS).filter(([key]) =>
    layers.some(({ isolated }) => (isolated?.terms[key as keyof typeof TERMS].mse ?? 0) > 0),
  );
  const causes = (layer: LayerResult) =>
    used.map(([key]) => noise(layer.isolated?.terms[key as keyof typeof TERMS].sqnrDb ?? Number.POSITIVE_INFINITY));
  const share = ({ accumulated }: LayerResult) => Math.min(1, Math.max(0, accumulated.propagatedShare));
  return [
    {
      kind: 'chart',
      name: 'own-error',
      caption: 'Each layer alone: its noise in percent of the signal, by cause',
      alt: `Own noise of ${layers.length} layers by ${used.map(([, name]) => name).join(', ')}`,
      data: {
        type: 'stacked',
        x: { label: 'noise, percent of the signal', unit: 'number' },
        parts: used.map(([, name]) => name),
        rows: layers.map((layer) => ({ label: layer.node, values: causes(layer) })),
      },
    },
    {
      kind: 'chart',
      name: 'waterfall',
      caption: 'Through the network: noise that a layer’s inputs brought, and what the layer added',
      alt: `Noise of ${layers.length} layers, propagated and added`,
      data: {
        type: 'stacked',
        x: { label: 'noise, percent of the signal', unit: 'number' },
        parts: ['propagated', 'added'],
        rows: profile.layers.map((layer) => {
          const all = noise(layer.accumulated.sqnrDb);
          return { label: layer.node, values: [all * share(layer), all * (1 - share(layer))] };
        }),
      },
    },
  ];
}

function channelSection(profile: ProfileResult): Section {
  const layers = profile.layers.map(({ node, channels }) => ({ node, channels: channels.map(({ mse }) => mse) }));
  const outliers = quantized(profile).flatMap(({ node, inputs }) =>
    (inputs?.outliers ?? []).map((each): Cell[] => [
      node,
      each.channel,
      each.maxAbs,
      each.timesMedian,
      100 * each.setsRange,
    ]),
  );
  const blocks: Block[] = [
    ...channelMap('channels-map', 'Mean square error by output channel, relative to the worst of its layer', layers),
    {
      kind: 'table',
      name: 'outliers',
      caption: `Input channels whose largest value is at least ${OUTLIER_FACTOR} times the median channel’s`,
      columns: [
        { key: 'node', label: 'layer', unit: 'text' },
        { key: 'channel', label: 'input channel', unit: 'count' },
        { key: 'maxAbs', label: 'largest |x|', unit: 'number' },
        { key: 'timesMedian', label: 'times the median', unit: 'number' },
        { key: 'setsRange', label: 'samples whose range it sets', unit: 'percent' },
      ],
      rows: outliers,
    },
    {
      kind: 'table',
      name: 'channels',
      caption: 'Every output channel',
      folded: true,
      columns: [
        { key: 'node', label: 'layer', unit: 'text' },
        { key: 'channel', label: 'channel', unit: 'count' },
        { key: 'aloneSqnrDb', label: 'alone', unit: 'decibels' },
        { key: 'sqnrDb', label: 'here', unit: 'decibels' },
        { key: 'mse', label: 'mse', unit: 'number' },
        { key: 'meanError', label: 'mean error', unit: 'number' },
        { key: 'weightRmseOverScale', label: 'weights: rmse / scale', unit: 'number' },
        { key: 'weightUnusedRange', label: 'weights: unused range', unit: 'percent' },
      ],
      rows: profile.layers.flatMap(({ node, channels, isolated }) =>
        channels.map((channel, i): Cell[] => {
          const alone = isolated?.channels[i];
          const { sqnrDb, mse, meanError } = channel;
          const weights = [alone?.weights.rmseOverScale, percent(alone?.weights.unusedRange)];
          return [node, i, finite(alone?.sqnrDb), finite(sqnrDb), mse, meanError, ...weights];
        }),
      ),
    },
  ];
  const shown = blocks.filter((block) => block.kind !== 'table' || block.rows.length > 0);
  return { id: 'channels', title: 'Channels', blocks: shown };
}

function histogram(name: string, caption: string, label: string, counts: ArrayLike<number>, first: number): Block {
  const bins = Array.from(counts, (count, i) => ({ from: first + i - 0.5, to: first + i + 0.5, count }));
  const data = { type: 'histogram', x: { label, unit: 'number' }, y: { label: 'count', unit: 'count' }, bins } as const;
  return { kind: 'chart', name, caption, alt: caption, data };
}

function distributionSection(profile: ProfileResult): Section | undefined {
  const layers = noisiest(profile).slice(0, HISTOGRAMS);
  if (layers.length === 0) return undefined;
  const blocks = layers.flatMap(({ node, isolated, ranges }): Block[] => {
    if (!isolated || !ranges) return [];
    const { activations, weights } = isolated;
    const { first, binsPerOctave, counts } = ranges.histogram;
    const at = (i: number) => first + i / binsPerOctave;
    return [
      histogram(`codes-${node}`, `${node}: codes of activations`, 'code', activations.histogram, 0),
      histogram(`weights-${node}`, `${node}: codes of weights`, 'code', weights.histogram, -weights.largestCode),
      {
        kind: 'chart',
        name: `ranges-${node}`,
        caption: `${node}: dynamic range of the samples`,
        alt: `Histogram of the scales of ${ranges.ranges} ranges`,
        data: {
          type: 'histogram',
          x: { label: 'log2 of the scale', unit: 'number' },
          y: { label: 'ranges', unit: 'count' },
          bins: counts.map((count, i) => ({ from: at(i), to: at(i + 1), count })),
        },
      },
    ];
  });
  return { id: 'distributions', title: 'Distributions of the noisiest layers', blocks };
}

function speedSection(profile: ProfileResult): Section | undefined {
  const { ceilings, network } = profile;
  const rows = profile.layers.flatMap(({ node, macs, speed }): Cell[][] =>
    speed
      ? [[node, macs, speed.nsPerSample / 1e3, 100 * speed.share, speed.gops, 100 * speed.ofCeiling, speed.bound]]
      : [],
  );
  if (rows.length === 0) return undefined;
  const copies = ceilings.copyGBs.map(({ bytes, value }) => `${value.toFixed(0)} GB/s (${bytes >> 10} KiB)`);
  const text =
    `Measured ceilings: ${ceilings.integerGops.toFixed(0)} GOPS on integers; copying ${copies.join(', ')}. ` +
    `Quantized layers take ${formatNumber(network.nsPerSample.layers / 1e3)} µs a sample, everything else ` +
    `${formatNumber(network.nsPerSample.others / 1e3)} µs.`;
  return {
    id: 'speed',
    title: 'Why slow',
    blocks: [
      { kind: 'text', text, brief: true },
      {
        kind: 'table',
        name: 'speed',
        caption: 'The kernel of each layer in its fastest batch, beside the nearer ceiling',
        columns: [
          { key: 'node', label: 'layer', unit: 'text' },
          { key: 'macs', label: 'MACs', unit: 'count' },
          { key: 'us', label: 'µs a sample', unit: 'number' },
          { key: 'share', label: 'of the time', unit: 'percent' },
          { key: 'gops', label: 'GOPS', unit: 'number' },
          { key: 'ofCeiling', label: 'of the ceiling', unit: 'percent' },
          { key: 'bound', label: 'bound by', unit: 'text' },
        ],
        rows,
      },
    ],
  };
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
  'alone, here: SQNR in dB, the layer alone quantized, and with all before it. act, wgt: % of its isolated error ' +
  'from activations and weights. prop: % of the error here that its inputs brought. spread: largest over smallest ' +
  'range of a sample. µs: a sample. ceil: % of what the machine can do.';

function factsOf({ network, effectiveBits }: ProfileResult): Fact[] {
  const { samples, flips, accuracy, logits } = network;
  const facts: Fact[] = [
    {
      label: 'change class',
      value: formatQuantity((100 * flips) / samples, 'percent'),
      note: `${flips} of ${samples} samples`,
    },
    {
      label: 'logits',
      value: formatQuantity(logits.sqnrDb, 'decibels'),
      note: `signal to quantization noise; largest error ${formatNumber(logits.maxAbsError)}`,
    },
  ];
  if (accuracy) {
    const note = `${formatQuantity(100 * accuracy.fp, 'percent')} in full precision`;
    facts.push({ label: 'accuracy', value: formatQuantity(100 * accuracy.quantized, 'percent'), note });
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
  const items = findings(profile);
  const error: Section = {
    id: 'error',
    title: 'Quantization error',
    blocks: [
      layerTable(profile),
      { kind: 'text', text: LEGEND, brief: true },
      ...(items.length > 0 ? [{ kind: 'list', items, brief: true } as const] : []),
      ...waterfalls(profile),
    ],
  };
  const sections = [error, channelSection(profile), distributionSection(profile), speedSection(profile)];
  const bits = policy.length > 40 ? 'a mixed policy' : policy;
  return {
    title: `Quantization error of ${basename(model)} under ${bits}`,
    lead,
    facts: factsOf(profile),
    sections: sections.filter((section) => section !== undefined),
    footer: 'faultline profile',
  };
}

export const kind = defineKind({ schema: 'faultline.profile/1', result: profileSchema, document: profileDocument });
