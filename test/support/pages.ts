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
