// A corruption grid on the terminal: accuracy in fp32 and what each policy loses more, a line a corruption and level.

import type { MeanEstimate } from '../assess/measure/corruption_errors.js';
import type { CorruptionCondition, CorruptionGrid } from '../assess/measure/corruption_grid.js';
import { formatLevel } from '../data/corruptions.js';
import { shorten } from '../graph/printer.js';
import { plural } from '../report/format.js';

const NAME = 24;
const CELL = 9;

const percent = (share: number) => (100 * share).toFixed(1);
const range = ({ value, interval: [low, high] }: MeanEstimate) =>
  `${percent(value)} (${percent(low)} … ${percent(high)})`;

/** A drop, with a star where the interval is clear of 0. */
function drop({ drop: value, dropInterval: [low, high] }: CorruptionCondition['policies'][number]): string {
  return `${percent(value)}${low > 0 || high < 0 ? '*' : ' '}`;
}

function conditionLine(condition: CorruptionCondition): string {
  const { corruption, level, fpAccuracy, policies } = condition;
  const name = corruption && level !== undefined ? `${corruption}:${formatLevel(level)}` : 'clean';
  const cells = [`${percent(fpAccuracy)} `, ...policies.map(drop)];
  return [name.padEnd(NAME), ...cells.map((cell) => cell.padStart(CELL))].join('').trimEnd();
}

export function corruptionsText(grid: CorruptionGrid, model: string): string {
  const { images, confidence, baseline, clean, conditions, summary } = grid;
  const names = clean.policies.map(({ policy }) => policy);
  const head = ['', 'fp32 %', ...names.map((name) => shorten(name, CELL - 1))];
  const lines = [
    `${model}: ${plural(images, 'image')}, ${plural(conditions.length, 'condition')}`,
    'accuracy in fp32, and the points that quantization takes on the same images;',
    `* its ${percent(confidence).replace('.0', '')} % interval is clear of 0`,
    '',
    head
      .map((cell, i) => (i === 0 ? cell.padEnd(NAME) : `${cell} `.padStart(CELL)))
      .join('')
      .trimEnd(),
    conditionLine(clean),
    ...conditions.map(conditionLine),
    '',
    'over all conditions',
  ];
  for (const { policy, meanAccuracy, meanDrop, worstDrop } of summary) {
    const own = `${shorten(policy, NAME - 1).padEnd(NAME)}accuracy ${percent(meanAccuracy.value)} %`;
    const lost = `, drop ${range(meanDrop)}, worst ${percent(worstDrop)}`;
    lines.push(policy === summary[0]?.policy ? own : `${own}${lost}`);
  }
  lines.push(
    '',
    `corruption error in percent of ${baseline}'s, over ${plural(summary[0]?.corruptions.length ?? 0, 'corruption')}`,
  );
  const shown = (value: MeanEstimate | undefined) =>
    value ? range(value) : `none: ${baseline} makes none of these errors`;
  for (const { policy, mCE, relativeMCE } of summary) {
    lines.push(`${shorten(policy, NAME - 1).padEnd(NAME)}mCE ${shown(mCE)}`);
    lines.push(`${''.padEnd(NAME)}relative mCE ${shown(relativeMCE)}`);
  }
  return `${lines.join('\n')}\n`;
}
