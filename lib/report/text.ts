// Text in columns of a terminal: its width, cut to a width, wrapped at spaces.
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Columns of every text that faultline prints. */
export const WIDTH = 80;

export function widthOf(text: string): number {
  return stringWidth(text);
}

/** A text in at most `width` columns: its middle is cut, because names of nodes differ at their end. */
export function cut(text: string, width: number): string {
  return cliTruncate(text, width, { position: 'middle' });
}

export function pad(text: string, width: number, right = false): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return right ? space + text : text + space;
}

const wrap = (text: string, width: number) => wrapAnsi(text, width, { hard: true }).split('\n');

/** Lines of at most `width` columns, all but the first indented; a word longer than a line is broken. */
export function wrapText(text: string, indent = '', width = WIDTH): string[] {
  const whole = text.trim();
  const [first = ''] = wrap(whole, width);
  const rest = whole.slice(first.length).trimStart();
  return rest === '' ? [first] : [first, ...wrap(rest, width - indent.length).map((line) => indent + line)];
}
