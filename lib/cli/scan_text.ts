// What `faultline scan` found, on the terminal in 80 columns: the indicators, then a line a layer.
import { INDICATORS, type IndicatorName, type LayerScan, type Scan } from '../assess/indicators.js';
import { shorten } from '../graph/printer.js';
import { wrapText } from '../report/terminal.js';

const NAME_WIDTH = 22;
const LABEL_WIDTH = 28;
const VALUE_WIDTH = 10;
const WIDTHS = [6, 7, 6, 5, 9, 5, 5, 7];

function figure(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'exact' : 'none';
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 1e5) ? value.toExponential(1) : value.toPrecision(3);
}

const percent = (share: number) => (100 * share).toFixed(1);

function row(cells: readonly string[]): string {
  const [name = '', ...others] = cells;
  const figures = others.map((cell, i) => cell.padStart(WIDTHS[i] as number));
  return [shorten(name, NAME_WIDTH).padEnd(NAME_WIDTH), ...figures].join(' ').trimEnd();
}

function layerRow(layer: LayerScan): string {
  const { pseudoNoiseFlips, noiseShare, activationShare, sqnrDb } = layer;
  return row([
    layer.node,
    pseudoNoiseFlips === undefined ? '' : percent(pseudoNoiseFlips),
    figure(layer.noiseOverMargin),
    percent(noiseShare),
    (100 * activationShare).toFixed(0),
    figure(layer.hessianTrace),
    layer.kurtosis.toFixed(1),
    layer.activationPeak.toFixed(1),
    Number.isFinite(sqnrDb) ? sqnrDb.toFixed(1) : 'exact',
  ]);
}

export function scanText(scan: Scan): string {
  const indicators = (Object.keys(INDICATORS) as IndicatorName[]).map((name) => {
    const { label, worse, classical, share } = INDICATORS[name];
    const value = scan.indicators[name];
    const shown = share ? `${percent(value)} %` : figure(value);
    const note = `${worse} is worse${classical ? ', classical' : ''}`;
    return `${label.padEnd(LABEL_WIDTH)}${shown.padStart(VALUE_WIDTH)}  ${note}`;
  });
  const steps = scan.policy.length > 20 ? 'a mixed policy' : scan.policy;
  return [
    ...wrapText(`${scan.model}: steps of ${steps}, ${scan.samples} samples, ${scan.draws} draws, seed ${scan.seed}`),
    '',
    ...indicators,
    '',
    row(['layer', 'flips', 'noise/m', 'share', 'act', 'Hessian', 'kurt', 'peak', 'wgt dB']),
    ...scan.layers.map(layerRow),
    '',
    ...wrapText(
      'flips: % of samples that noise of one step in this layer alone flips. noise/m: first-order noise over margin, ' +
        'median. share: % of all noise that reaches the margin; act: % of it from the activation. Hessian: trace. peak: ' +
        'largest over rms activation. wgt dB: SQNR of the weights.',
    ),
    '',
  ].join('\n');
}
