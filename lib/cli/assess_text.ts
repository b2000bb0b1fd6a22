// An assessment on the terminal: the verdict, its reasons, what to do, and the figures, in 80 columns.
import type { AssessResult } from '../assess/verdict/result.js';
import { shorten } from '../graph/printer.js';

const WIDTH = 80;
/** Layers shown: those that matter most. The JSON has all. */
const MOST_LAYERS = 10;

/** A text in lines, the first after `mark`, the others indented as far. */
export function wrapped(text: string, mark = ''): string {
  const lines = [mark];
  const indent = ' '.repeat(mark.length);
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string;
    const fresh = line === mark || line === indent;
    if (!fresh && line.length + 1 + word.length > WIDTH) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = fresh ? line + word : `${line} ${word}`;
  }
  return lines.join('\n');
}

type Cells = readonly string[];

/** Rows under a head: the first column to the left, the others to the right. */
function table(widths: readonly number[], head: Cells, rows: readonly Cells[]): string[] {
  const line = (cells: Cells) =>
    cells
      .map((cell, i) => {
        const width = widths[i] as number;
        return i === 0 ? shorten(cell, width).padEnd(width) : cell.padStart(width);
      })
      .join(' ')
      .trimEnd();
  return [line(head), ...rows.map(line), ''];
}

const two = (value: number | undefined) => (value === undefined ? '' : value.toFixed(2));

function policyTable({ policies, measure }: AssessResult): string[] {
  const rows = policies.map(({ name, effectiveBits, accuracy, agreement, drop, interval, flips, level }) => [
    name,
    two(effectiveBits),
    two(accuracy ?? agreement),
    two(drop),
    `${two(interval[0])} … ${two(interval[1])}`,
    String(flips),
    level,
  ]);
  const head = ['policy', 'bits', `${measure} %`, 'drop', 'interval', 'flips', 'level'];
  return table([20, 5, 11, 6, 15, 6, 8], head, rows);
}

function searchTable({ search }: AssessResult): string[] {
  if (!search) return [];
  const rows = search.agents.map(({ agent, objective, evaluations, value }) => [
    agent,
    objective,
    String(evaluations),
    two(value),
  ]);
  const title = `search: ${search.choices.join(', ')}, ${two(search.bits)} bits, ${search.policies} policies, ${search.samples} samples`;
  return [wrapped(title), ...table([20, 11, 11, 10], ['agent', 'objective', 'evaluations', 'found %'], rows)];
}

function layerTable({ sensitivity, profile, subject }: AssessResult): string[] {
  if (sensitivity.length === 0) return [];
  const errors = new Map(profile.map((layer) => [layer.node, layer]));
  const ordered = [...sensitivity].sort((a, b) => b.drop + b.restored - (a.drop + a.restored));
  const decibels = (value: number | null | undefined) => (value === undefined ? '' : (value?.toFixed(1) ?? 'exact'));
  const rows = ordered.slice(0, MOST_LAYERS).map(({ node, drop, restored }) => {
    const error = errors.get(node);
    return [node, two(drop), two(restored), decibels(error?.aloneSqnrDb), decibels(error?.sqnrDb)];
  });
  const more = ordered.length > rows.length ? `, ${rows.length} of ${ordered.length}` : '';
  const title = `layers at ${subject}${more}: points lost by it alone, won back without it, SQNR in dB`;
  return [wrapped(title), ...table([32, 8, 8, 8, 8], ['layer', 'alone', 'without', 'alone', 'here'], rows)];
}

function predictionTable({ predicted }: AssessResult): string[] {
  if (predicted.length === 0) return [];
  const rows = predicted.map(({ policy, probability, drop, interval: [low, high], measured }) => [
    policy,
    two(100 * probability),
    two(drop),
    `${two(low)} … ${two(high)}`,
    two(measured),
  ]);
  const head = ['predicted, fp32 alone', '> 10 %', 'drop', 'interval', 'measured'];
  return table([20, 7, 6, 16, 9], head, rows);
}

function granularityTable({ granularity }: AssessResult): string[] {
  const names = [...new Set(granularity.map(({ policy }) => policy))];
  if (names.length === 0) return [];
  const rows = (['perChannel', 'perTensor'] as const).flatMap((weights) =>
    (['perSample', 'perBatch'] as const).map((activations) => [
      `weights ${weights}, ranges ${activations}`,
      ...names.map((name) => {
        const is = (entry: (typeof granularity)[number]) =>
          entry.policy === name && entry.weights === weights && entry.activations === activations;
        return two(granularity.find(is)?.drop);
      }),
    ]),
  );
  const samples = granularity[0]?.samples ?? 0;
  return table([38, ...names.map(() => 12)], [`points lost on ${samples} samples`, ...names], rows);
}

export function assessText(result: AssessResult): string {
  const { verdict, answer, reasons, advice, fp, samples, measure, skipped } = result;
  const share = fp.accuracy ?? fp.agreement;
  const lines = [
    `${verdict.toUpperCase()}: ${result.model}`,
    wrapped(answer),
    wrapped(
      `full precision: ${measure} ${two(share)} % of ${samples.judged} samples` +
        (samples.apart ? `; searched on ${samples.searched} others` : ''),
    ),
    '',
    ...reasons.map((reason) => wrapped(reason, '- ')),
    ...(advice.length > 0 ? ['', 'what to do:', ...advice.map((each) => wrapped(each, '- '))] : []),
    '',
    ...policyTable(result),
    ...predictionTable(result),
    ...searchTable(result),
    ...layerTable(result),
    ...granularityTable(result),
    ...skipped.map(({ stage, why }) => wrapped(`${stage}: ${why}`, '! ')),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}
