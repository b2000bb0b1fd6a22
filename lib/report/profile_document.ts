// `faultline profile` as a Document: layer by layer where the error comes from, channel by channel, and what takes time.
import { basename } from 'node:path';
import type { Profile } from '../assess/profile.js';
import type { LayerProfile } from '../assess/profile_layer.js';
import { OUTLIER_FACTOR } from '../assess/profile_ranges.js';
import { formatBits } from '../quant/policy.js';
import type { Block, Document, Fact, Section, Table } from './document.js';
import { type Cell, formatNumber, formatQuantity } from './format.js';
import { slug } from './names.js';
import { channelMap } from './sections/error_profile.js';

/** Histograms are drawn of the layers with most noise of their own. */
const HISTOGRAMS = 4;

const percent = (share: number | undefined) => (share === undefined ? undefined : 100 * share);
const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : undefined);

/** Noise in percent of the signal. */
const noise = (sqnrDb: number) => (Number.isFinite(sqnrDb) ? 100 * 10 ** (-sqnrDb / 10) : 0);

const quantized = ({ layers }: Profile) => layers.filter(({ isolated }) => isolated !== undefined);

/** Quantized layers, the one with most noise of its own first. */
const noisiest = (profile: Profile) =>
  [...quantized(profile)].sort((a, b) => (a.isolated?.sqnrDb ?? 0) - (b.isolated?.sqnrDb ?? 0));

function layerTable({ layers }: Profile): Table {
  const column = (key: string, label: string, unit: Table['columns'][number]['unit']) => ({ key, label, unit });
  return {
    kind: 'table',
    name: 'layers',
    caption:
      'SQNR of a layer quantized alone and with everything before it; shares of its own error that come from ' +
      'activations and from weights; share of the error here that came in',
    brief: true,
    columns: [
      column('node', 'layer', 'text'),
      column('bits', 'bits', 'text'),
      column('aloneSqnrDb', 'alone', 'decibels'),
      column('sqnrDb', 'here', 'decibels'),
      column('activations', 'activations', 'percent'),
      column('weights', 'weights', 'percent'),
      column('propagated', 'came in', 'percent'),
      column('mse', 'mse', 'number'),
      column('cosine', 'cosine', 'number'),
      column('maxAbsError', 'largest error', 'number'),
      column('rmseOverScale', 'rmse / scale', 'number'),
      column('unusedCodes', 'unused codes', 'count'),
      column('spread', 'spread', 'number'),
    ],
    rows: layers.map(({ node, bits, isolated, accumulated, ranges }): Cell[] => [
      node,
      bits ? formatBits(bits) : 'fp32',
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

function waterfalls(profile: Profile): Block[] {
  const layers = quantized(profile);
  if (layers.length === 0) return [];
  const used = Object.entries(TERMS).filter(([key]) =>
    layers.some(({ isolated }) => (isolated?.terms[key as keyof typeof TERMS].mse ?? 0) > 0),
  );
  const own = (layer: LayerProfile) =>
    used.map(([key]) => noise(layer.isolated?.terms[key as keyof typeof TERMS].sqnrDb ?? Number.POSITIVE_INFINITY));
  const share = ({ accumulated }: LayerProfile) => Math.min(1, Math.max(0, accumulated.propagatedShare));
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
        rows: layers.map((layer) => ({ label: layer.node, values: own(layer) })),
      },
    },
    {
      kind: 'chart',
      name: 'waterfall',
      caption: 'Through the network: noise that came in with a layer’s inputs, and what the layer added',
      alt: `Noise of ${layers.length} layers, received in and added`,
      data: {
        type: 'stacked',
        x: { label: 'noise, percent of the signal', unit: 'number' },
        parts: ['came in', 'added'],
        rows: profile.layers.map((layer) => {
          const all = noise(layer.accumulated.sqnrDb);
          return { label: layer.node, values: [all * share(layer), all * (1 - share(layer))] };
        }),
      },
    },
  ];
}

function channelSection(profile: Profile): Section {
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
          const own = isolated?.channels[i];
          const { sqnrDb, mse, meanError } = channel;
          const weights = [own?.weights.rmseOverScale, percent(own?.weights.unusedRange)];
          return [node, i, finite(own?.sqnrDb), finite(sqnrDb), mse, meanError, ...weights];
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

function distributionSection(profile: Profile): Section | undefined {
  const layers = noisiest(profile).slice(0, HISTOGRAMS);
  if (layers.length === 0) return undefined;
  const blocks = layers.flatMap(({ node, isolated, ranges }): Block[] => {
    if (!isolated || !ranges) return [];
    const { activations, weights } = isolated;
    const { first, binsPerOctave, counts } = ranges.histogram;
    const at = (i: number) => first + i / binsPerOctave;
    return [
      histogram(`codes-${slug(node)}`, `${node}: codes of activations`, 'code', activations.histogram, 0),
      histogram(`weights-${slug(node)}`, `${node}: codes of weights`, 'code', weights.histogram, -weights.largestCode),
      {
        kind: 'chart',
        name: `ranges-${slug(node)}`,
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

function speedSection(profile: Profile): Section | undefined {
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
    `Everything but the quantized layers takes ${formatNumber(network.nsPerSample.others / 1e3)} µs a sample.`;
  return {
    id: 'speed',
    title: 'Why slow',
    blocks: [
      { kind: 'text', text },
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

/** Everything there is to show of a profile. */
export function profileDocument(profile: Profile): Document {
  const { network, policy, model } = profile;
  const { samples, flips, accuracy, logits } = network;
  const [worst] = noisiest(profile);
  const facts: Fact[] = [
    {
      label: 'change class',
      value: formatQuantity((100 * flips) / samples, 'percent'),
      note: `${flips} of ${samples}`,
    },
    { label: 'logits', value: formatQuantity(logits.sqnrDb, 'decibels'), note: 'signal to quantization noise' },
    ...(accuracy
      ? [
          {
            label: 'accuracy',
            value: formatQuantity(100 * accuracy.quantized, 'percent'),
            note: `${formatQuantity(100 * accuracy.fp, 'percent')} in full precision`,
          },
        ]
      : []),
  ];
  const lead = worst
    ? `${worst.node} has most noise of its own: ${formatQuantity(worst.isolated?.sqnrDb ?? 0, 'decibels')}.`
    : 'No layer is quantized.';
  const error: Section = {
    id: 'error',
    title: 'Quantization error',
    blocks: [layerTable(profile), ...waterfalls(profile)],
  };
  const sections = [error, channelSection(profile), distributionSection(profile), speedSection(profile)];
  const bits = policy.length > 40 ? 'a mixed policy' : policy;
  return {
    title: `Quantization error of ${basename(model)} under ${bits}`,
    lead,
    facts,
    sections: sections.filter((section) => section !== undefined),
    footer: 'faultline profile',
  };
}
