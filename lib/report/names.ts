// Names in reports: networks by objective, policy and seed; names of anchors and files.
import { groupBy } from '../core/group_by.js';
import { plain } from '../core/text.js';
import { sha256 } from '../run/files.js';
import { type Document, tablesOf } from './document.js';
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

/** What the gauge attacks of a report are called, in order: by their policy, and the seed where there are several. */
export function gaugeNames({ gauge }: Report): string[] {
  const several = new Set(gauge.map(({ seed }) => seed)).size > 1;
  return gauge.map(({ bits, seed }) => `gauge, ${bits}${several ? `, seed ${seed}` : ''}`);
}

/** Letters and digits of any script, small ones, and hyphens. */
export function slug(text: string): string {
  const words = plain(text.normalize('NFC'))
    .toLowerCase()
    .normalize('NFC')
    .split(/[^\p{L}\p{M}\p{N}]+/u);
  return words.filter((word) => word !== '').join('-') || 'unnamed';
}

const EXTENSION = '.csv';
/** Bytes of a file's name: every file system has more, and a path of several stays short. */
const MOST_BYTES = 100;
/** Hexadecimal digits of a hash behind a name that would not be unique without. */
const HASH_DIGITS = 8;

function shortened(text: string, bytes: number): string {
  let [short, length] = ['', 0];
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) return short;
    short += character;
  }
  return text;
}

/** The file of each table of a document by the table's name: no two alike, each the same in every run. */
export function fileNames(document: Document): ReadonlyMap<string, string> {
  const names = tablesOf(document).map(({ name }) => name);
  const alike = groupBy(new Set(names), slug);
  const fileOf = (name: string) => {
    const stem = slug(name);
    if (alike.get(stem)?.length === 1 && Buffer.byteLength(stem + EXTENSION) <= MOST_BYTES) return stem + EXTENSION;
    const end = `-${sha256(name).slice(0, HASH_DIGITS)}${EXTENSION}`;
    return shortened(stem, MOST_BYTES - end.length) + end;
  };
  return new Map(names.map((name) => [name, fileOf(name)]));
}
