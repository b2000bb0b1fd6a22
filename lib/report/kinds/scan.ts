// What `scan` found: the indicators of one network, and which layers they point at.
import { basename } from 'node:path';
import { z } from 'zod';
import { INDICATORS, type IndicatorName, shownIndicator } from '../../assess/indicators/names.js';
import { type Block, column, type Document, type Table } from '../document.js';
import { type Cell, formatQuantity } from '../format.js';
import { count, decibels, defineKind, figure, share } from '../kind.js';
import { indicatorSection } from '../sections/stress.js';

const layerSchema = z.looseObject({
  node: z.string(),
  /** Share of the samples that noise in this layer alone flips. */
  pseudoNoiseFlips: share.optional(),
  noiseOverMargin: figure,
  /** Of all noise that reaches the margin, and how much of it is the activation's. */
  noiseShare: z.number(),
  activationShare: z.number(),
  channelShares: z.array(z.number()),
  hessianTrace: figure,
  kurtosis: figure,
  activationPeak: figure,
  rangeSpread: figure,
  disparity: figure,
  sqnrDb: decibels,
});

const scanSchema = z.looseObject({
  schema: z.literal('faultline.scan/1'),
  model: z.string(),
  policy: z.string(),
  samples: count,
  seed: count,
  draws: count,
  indicators: z.record(z.string(), figure),
  layers: z.array(layerSchema).min(1),
});

type Scan = z.output<typeof scanSchema>;

const percent = (part: number) => 100 * part;

function layerTable(layers: Scan['layers']): Table {
  return {
    kind: 'table',
    name: 'layers',
    caption:
      'Samples that noise of one step in this layer alone flips; first-order noise of the layer over the margin; its ' +
      'share of all noise that reaches the margin, and how much of that is the activation’s; classical signs',
    brief: true,
    columns: [
      column('node', 'layer', 'text'),
      column('flips', 'flips', 'percent', { better: 'lower' }),
      column('noiseOverMargin', 'noise / margin', 'number', { short: 'noise/m', better: 'lower' }),
      column('noiseShare', 'of the noise', 'percent', { short: 'share' }),
      column('activationShare', 'activation', 'share', { short: 'act' }),
      column('hessianTrace', 'Hessian trace', 'number', { short: 'Hessian' }),
      column('kurtosis', 'kurtosis', 'number', { short: 'kurt' }),
      column('activationPeak', 'peak', 'number'),
      column('rangeSpread', 'spread', 'number', { brief: false }),
      column('disparity', 'disparity', 'number', { brief: false }),
      column('weightSqnrDb', 'weights', 'decibels', { short: 'wgt dB', better: 'higher' }),
    ],
    rows: layers.map((layer): Cell[] => [
      layer.node,
      layer.pseudoNoiseFlips === undefined ? undefined : percent(layer.pseudoNoiseFlips),
      layer.noiseOverMargin,
      percent(layer.noiseShare),
      percent(layer.activationShare),
      layer.hessianTrace,
      layer.kurtosis,
      layer.activationPeak,
      layer.rangeSpread,
      layer.disparity,
      layer.sqnrDb,
    ]),
  };
}

/** What the indicators section of a report takes. */
export function indicatorRows(scan: {
  readonly indicators: Readonly<Record<string, number | null>>;
}): { indicator: string; value?: number; note: string }[] {
  return (Object.keys(INDICATORS) as IndicatorName[]).map((name) => {
    const { worse, classical } = INDICATORS[name];
    const found = scan.indicators[name];
    const note = `${worse} is worse${classical ? '; classical, for comparison' : ''}`;
    const { label, value } = shownIndicator(name, found ?? Number.NaN);
    return { indicator: label, ...(Number.isFinite(value) ? { value } : {}), note };
  });
}

function scanDocument(scan: Scan): Document {
  const { indicators, layers, samples, policy } = scan;
  const loudest = layers.reduce((a, b) => (b.noiseShare > a.noiseShare ? b : a));
  const chart: Block = {
    kind: 'chart',
    name: 'noise-by-layer',
    caption: 'Share of the noise that reaches the margin, to first order',
    alt: `${layers.length} layers, most from ${loudest.node}`,
    data: {
      type: 'bars',
      x: { label: 'of the noise', unit: 'percent' },
      bars: layers.map((layer) => ({
        label: layer.node,
        value: percent(layer.noiseShare),
        emphasis: layer === loudest,
      })),
    },
  };
  const legend =
    'flips: % of samples that noise of one step in this layer alone flips. noise/m: first-order noise over margin, ' +
    'median. share: % of all noise that reaches the margin; act: % of it from the activation. Hessian: trace. peak: ' +
    'largest over rms activation. wgt dB: SQNR of the weights.';
  const section = indicatorSection({ indicators: indicatorRows(scan) });
  const steps = policy.length > 20 ? 'a mixed policy' : policy;
  return {
    title: `Indicators of ${basename(scan.model)}`,
    lead:
      `Noise of one ${steps} step changes the class of ${formatQuantity(percent(indicators.pseudoNoiseFlips ?? 0), 'percent')} ` +
      `of ${samples} unlabelled samples; most of it that reaches the margin comes from ${loudest.node}. Nothing was ` +
      'quantized.',
    facts: [],
    sections: [
      ...(section ? [section] : []),
      {
        id: 'layers',
        title: 'By layer',
        blocks: [chart, layerTable(layers), { kind: 'text', text: legend, brief: true }],
      },
    ],
    footer: `faultline · seed ${scan.seed} · ${scan.draws} draws`,
  };
}

export const kind = defineKind({ schema: 'faultline.scan/1', result: scanSchema, document: scanDocument });
