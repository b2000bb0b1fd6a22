// Names in reports: networks by objective, policy and seed; parts of names that are safe in anchors and files.
import type { PairResult, Report } from './schema.js';

/** `detrimental, input`, and the seed where there are several. */
export function pairName(pair: PairResult, pairs: readonly PairResult[]): string {
  const parts = [pair.objective, pair.policy];
  if (new Set(pairs.map(({ arch }) => arch)).size > 1 && pair.arch) parts.unshift(pair.arch);
  const alike = pairs.filter((other) => other.objective === pair.objective && other.policy === pair.policy);
  if (new Set(alike.map(({ agent }) => agent)).size > 1) parts.push(pair.agent);
  if (new Set(pairs.map(({ seed }) => seed)).size > 1) parts.push(`seed ${pair.seed}`);
  if (new Set(alike.map(({ choices }) => String(choices))).size > 1 && pair.choices) {
    parts.push(`{${pair.choices.join(',')}}`);
  }
  return parts.join(', ');
}

/** Each pair with its name, a number behind those that would be called alike. */
export function namedPairs(report: Report): { readonly name: string; readonly pair: PairResult }[] {
  const seen = new Map<string, number>();
  return report.pairs.map((pair) => {
    const name = pairName(pair, report.pairs);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return { name: times === 1 ? name : `${name} (${times})`, pair };
  });
}

/** Lower case letters, digits and hyphens. */
export function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'unnamed'
  );
}

/** Values by key, in order of first appearance. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
