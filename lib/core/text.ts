// Text of other people's files, made safe to show: nothing in it moves a cursor, is invisible or turns the direction of
// what stands beside it. The writers of reports (lib/report) and of the terminal (lib/cli/output.ts) apply it.

/** What neither a terminal nor a reader should get: control, format, bidirectional and invisible characters, halves of pairs. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** Most text has none, and this is quick. */
const ORDINARY = /^[\x20-\x7e]*$/;

/** A text in one line, each unsafe character replaced by U+FFFD. */
export function plain(text: string): string {
  return ORDINARY.test(text) ? text : text.replace(UNSAFE, '\ufffd');
}

/** The same of a text whose line breaks are meant. */
export function plainLines(text: string): string {
  return text
    .split(/(\r?\n)/)
    .map((part, at) => (at % 2 === 0 ? plain(part) : part))
    .join('');
}

/** Every text in a value of objects and arrays, made plain. */
export function plainTexts<Value>(value: Value): Value {
  if (typeof value === 'string') return plain(value) as Value;
  if (Array.isArray(value)) return value.map(plainTexts) as Value;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainTexts(each)])) as Value;
}

const escaped = (character: string) =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');

/** What JSON.stringify made, the same value, with unsafe characters escaped that it leaves as they are. */
export function plainJson(json: string): string {
  return json
    .split('\n')
    .map((line) => (ORDINARY.test(line) ? line : line.replace(UNSAFE, escaped)))
    .join('\n');
}
