// HTML as a tree, and names that would be markup if they were not escaped.
import { parseHTML } from 'linkedom';

/** Markup, Markdown, a formula, control characters and a line break. */
export const HOSTILE = '"><script>alert(1)</script>|*x*`=1+1\u001b[31m\r\n![a](http://example.org/x)';

// linkedom's types need the DOM library, which Node's code does not use.
export interface Element {
  readonly textContent: string;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<Element>;
}

export function pageOf(text: string): Element {
  return (parseHTML(text) as unknown as { document: Element }).document;
}

export function find(page: Element, selector: string): Element[] {
  return [...page.querySelectorAll(selector)];
}

/** Texts that attack what shows them: terminals, Markdown, spreadsheets, HTML, file names. */
export const ATTACKS: readonly string[] = [
  HOSTILE,
  '\u001b]0;title\u0007\u001b[2J\u009b31m\u007f\b\b\u0085\u0000',
  '\u202eevil\u2066\u200b\u200d\ufeff\u2028\ud800',
  '</script><svg onload=alert(1)><img src=x onerror=alert(1)>',
  '" onmouseover="alert(1)" style="x:expression(1)',
  'javascript:alert(1)',
  "=cmd|' /C calc'!A0",
  '\n=HYPERLINK("http://example.org")',
  '\t@SUM(1);-1+1;"\r\n+1',
  '| a | [x](javascript:alert(1)) <script> `code` ![](x) www.example.org\n# heading\n- item',
  '../../../etc/passwd',
  '量子/Свёртка',
  'x'.repeat(400),
];

/** What no text may hold where it is shown, line breaks aside; undefined where there is none. */
export function unsafeIn(text: string): string | undefined {
  const found = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u.exec(text.replace(/\r?\n/g, ''));
  return found ? JSON.stringify(found.input.slice(Math.max(0, found.index - 30), found.index + 30)) : undefined;
}
