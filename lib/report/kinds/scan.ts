// What `scan` found: the indicators of one network, and which layers they point at.
import { basename } from 'node:path';
import { z } from 'zod';
import { INDICATORS, type IndicatorName, shownIndicator } from '../../assess/indicators/names.js';
import { chart, type Document, paragraph, section, type Table, table } from '../document.js';
import { percentText, policyText } from '../format.js';
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
  const caption =
    'Samples that noise of one step in this layer alone flips; first-order noise of the layer over the margin; its ' +
    'share of all noise that reaches the margin, and how much of that is the activation’s; classical signs';
  const flips = ({ pseudoNoiseFlips }: Scan['layers'][number]) =>
    pseudoNoiseFlips === undefined ? undefined : percent(pseudoNoiseFlips);
  return table({ name: 'layers', caption, brief: true }, layers, [
    ['node', 'layer', 'text', ({ node }) => node],
    ['flips', 'flips', 'percent', flips, { better: 'lower' }],
    [
      'noiseOverMargin',
      'noise / margin',
      'number',
      (one) => one.noiseOverMargin,
      { short: 'noise/m', better: 'lower' },
    ],
    ['noiseShare', 'of the noise', 'percent', ({ noiseShare }) => percent(noiseShare), { short: 'share' }],
    ['activationShare', 'activation', 'share', (one) => percent(one.activationShare), { short: 'act' }],
    ['hessianTrace', 'Hessian trace', 'number', ({ hessianTrace }) => hessianTrace, { short: 'Hessian' }],
    ['kurtosis', 'kurtosis', 'number', ({ kurtosis }) => kurtosis, { short: 'kurt' }],
    ['activationPeak', 'peak', 'number', ({ activationPeak }) => activationPeak],
    ['rangeSpread', 'spread', 'number', ({ rangeSpread }) => rangeSpread, { brief: false }],
    ['disparity', 'disparity', 'number', ({ disparity }) => disparity, { brief: false }],
    ['weightSqnrDb', 'weights', 'decibels', ({ sqnrDb }) => sqnrDb, { short: 'wgt dB', better: 'higher' }],
  ]);
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
  const bars = layers.map((layer) => ({
    ...{ label: layer.node, value: percent(layer.noiseShare), emphasis: layer === loudest },
  }));
  const noise = chart(
    {
      name: 'noise-by-layer',
      caption: 'Share of the noise that reaches the margin, to first order',
      alt: `${layers.length} layers, most from ${loudest.node}`,
    },
    { type: 'bars', x: { label: 'of the noise', unit: 'percent' }, bars },
  );
  const legend =
    'flips: % of samples that noise of one step in this layer alone flips. noise / margin (noise/m): first-order noise over ' +
    'margin, median. of the noise (share): % of all noise that reaches the margin; activation (act): % of it from the ' +
    'activation. Hessian: trace. peak: largest over rms activation. weights (wgt dB): SQNR of the weights.';
  return {
    title: `Indicators of ${basename(scan.model)}`,
    lead:
      `Noise of one ${policyText(policy)} step changes the class of ${percentText(percent(indicators.pseudoNoiseFlips ?? 0))} ` +
      `of ${samples} unlabelled samples; most of it that reaches the margin comes from ${loudest.node}. Nothing was ` +
      'quantized.',
    facts: [],
    sections: [
      ...indicatorSection({ indicators: indicatorRows(scan) }),
      ...section('layers', 'By layer', [noise, layerTable(layers), paragraph(legend, true)]),
    ],
    footer: `faultline · seed ${scan.seed} · ${scan.draws} draws`,
  };
}

export const kind = defineKind({ schema: 'faultline.scan/1', result: scanSchema, document: scanDocument });
