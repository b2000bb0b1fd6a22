// `faultline scan` as a Document: the indicators of one network, and which layers they point at.
import { basename } from 'node:path';
import { INDICATORS, type IndicatorName, type LayerScan, type Scan, shownIndicator } from '../assess/indicators.js';
import type { Block, Document, Table } from './document.js';
import { type Cell, formatQuantity } from './format.js';
import { indicatorSection } from './sections/stress.js';

const percent = (share: number) => 100 * share;
const finite = (value: number) => (Number.isFinite(value) ? value : undefined);

function layerTable(layers: readonly LayerScan[]): Table {
  const column = (key: string, label: string, unit: Table['columns'][number]['unit']) => ({ key, label, unit });
  return {
    kind: 'table',
    name: 'layers',
    caption:
      'Samples that noise of one step in this layer alone flips; first-order noise of the layer over the margin; its ' +
      'share of all noise that reaches the margin, and how much of that is the activation’s; classical signs',
    brief: true,
    columns: [
      column('node', 'layer', 'text'),
      column('flips', 'flips', 'percent'),
      column('noiseOverMargin', 'noise / margin', 'number'),
      column('noiseShare', 'of the noise', 'percent'),
      column('activationShare', 'activation', 'percent'),
      column('hessianTrace', 'Hessian trace', 'number'),
      column('kurtosis', 'kurtosis', 'number'),
      column('activationPeak', 'peak', 'number'),
      column('rangeSpread', 'spread', 'number'),
      column('disparity', 'disparity', 'number'),
      column('weightSqnrDb', 'weights', 'decibels'),
    ],
    rows: layers.map((layer): Cell[] => [
      layer.node,
      layer.pseudoNoiseFlips === undefined ? undefined : percent(layer.pseudoNoiseFlips),
      finite(layer.noiseOverMargin),
      percent(layer.noiseShare),
      percent(layer.activationShare),
      layer.hessianTrace,
      layer.kurtosis,
      layer.activationPeak,
      layer.rangeSpread,
      layer.disparity,
      finite(layer.sqnrDb),
    ]),
  };
}

/** What the indicators section of a report takes. */
export function indicatorRows(scan: Scan): { indicator: string; value?: number; note: string }[] {
  return (Object.keys(INDICATORS) as IndicatorName[]).map((name) => {
    const { worse, classical } = INDICATORS[name];
    const { label, value: shown } = shownIndicator(name, scan.indicators[name]);
    const value = finite(shown);
    const note = `${worse} is worse${classical ? '; classical, for comparison' : ''}`;
    return { indicator: label, ...(value === undefined ? {} : { value }), note };
  });
}

export function scanDocument(scan: Scan): Document {
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
  const section = indicatorSection({ indicators: indicatorRows(scan) });
  return {
    title: `Indicators of ${basename(scan.model)}`,
    lead:
      `Noise of one ${policy} step changes the class of ${formatQuantity(percent(indicators.pseudoNoiseFlips), 'percent')} ` +
      `of ${samples} unlabelled samples; most of it that reaches the margin comes from ${loudest.node}. Nothing was ` +
      'quantized.',
    facts: [],
    sections: [...(section ? [section] : []), { id: 'layers', title: 'By layer', blocks: [chart, layerTable(layers)] }],
    footer: `faultline · seed ${scan.seed} · ${scan.draws} draws`,
  };
}
