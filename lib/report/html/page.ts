// A report as one HTML file: no script, no font, no picture from elsewhere; it opens from a disk as from a server.
import { plainTexts } from '../../core/text.js';
import type { Document } from '../document.js';
import { factMarkup, sectionMarkup } from './blocks.js';
import { html, Markup } from './markup.js';
import { STYLE } from './style.js';

/** Only embedded pictures may be loaded, in case markup is not escaped. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

export function htmlReport(document: Document): string {
  const { title, lead, facts, sections, footer } = plainTexts(document);
  const links = sections.map((section) => html`<li><a href="#${section.id}">${section.title}</a></li>`);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1>${title}</h1>
${lead === '' ? undefined : html`<p class="lead">${lead}</p>`}
${facts.length === 0 ? undefined : html`<dl class="facts">${facts.map(factMarkup)}</dl>`}
<nav aria-label="Sections"><ul>${links}</ul></nav>
</header>
<main id="content">
${sections.map(sectionMarkup)}
</main>
<footer>${footer}</footer>
</body>
</html>
`.text;
}
