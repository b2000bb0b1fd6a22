// The blocks of a report as HTML: each small and usable alone.
import type { Block, Chart, Column, Fact, Pictures, Section, Table } from '../document.js';
import { tableOf } from '../document.js';
import { type Cell, formatCell, formatNumber, isMeasured, unitLabel } from '../format.js';
import { html, Markup } from './markup.js';
import { drawChart, keysOf } from './svg.js';

/** Texts longer than this may break anywhere: hashes, commands. */
const LONG_TEXT = 40;

function cellMarkup(cell: Cell, { unit }: Column, first: boolean): Markup {
  if (unit !== 'text') {
    if (!isMeasured(cell) || !cell.interval) return html`<td class="figure">${formatCell(cell, unit)}</td>`;
    const ends = cell.interval.map((end) => formatNumber(end, unit)).join(' – ');
    return html`<td class="figure">${formatNumber(cell.value, unit)}<span class="within">${ends}</span></td>`;
  }
  const text = formatCell(cell);
  if (first) return html`<th scope="row">${text}</th>`;
  return text.length > LONG_TEXT ? html`<td class="long">${text}</td>` : html`<td>${text}</td>`;
}

/** A table that scrolls separately when the page is too narrow, below its caption unless that is there already. */
function tableMarkup(table: Table, captioned = true): Markup {
  const { caption, columns, rows } = table;
  const head = columns.map(
    ({ label, unit }) =>
      html`<th scope="col"${new Markup(unit === 'text' ? '' : ' class="figure"')}>${label + unitLabel(unit)}</th>`,
  );
  const body = rows.map(
    (row) =>
      html`<tr>${columns.map((column, at) => cellMarkup(row[at], column, at === 0 && column.unit === 'text'))}</tr>`,
  );
  const scroller = html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table aria-label="${caption}">
<thead><tr>${head}</tr></thead>
<tbody>${body}</tbody></table></div>`;
  return captioned ? html`<figure><figcaption>${caption}</figcaption>${scroller}</figure>` : scroller;
}

/** Drawn for the page and for a phone, with a legend, and the same figures as a table to unfold. */
function chartMarkup(chart: Chart): Markup {
  const { caption, alt, data } = chart;
  const keys = keysOf(data).map(({ name, colour }) => html`<li><i style="color:${colour}"></i>${name}</li>`);
  return html`<figure><figcaption>${caption}</figcaption>
${keys.length > 0 ? html`<ul class="keys">${keys}</ul>` : undefined}
<div class="wide">${new Markup(drawChart(data, 'wide', alt))}</div>
<div class="narrow">${new Markup(drawChart(data, 'narrow', alt))}</div>
<details><summary>The figures</summary>${tableMarkup(tableOf(chart), false)}</details></figure>`;
}

function picturesMarkup({ caption, pictures }: Pictures): Markup {
  const items = pictures.map(
    ({ source, alt, caption: text }) =>
      html`<figure><img src="${source}" alt="${alt}" loading="lazy"><figcaption>${text}</figcaption></figure>`,
  );
  return html`<figure><figcaption>${caption}</figcaption><div class="pictures">${items}</div></figure>`;
}

function blockMarkup(block: Block): Markup {
  switch (block.kind) {
    case 'text':
      return html`<p>${block.text}</p>`;
    case 'list':
      return html`<ul>${block.items.map((item) => html`<li>${item}</li>`)}</ul>`;
    case 'verdict':
      return html`<div class="verdict ${block.level}"><strong>${block.word}</strong><p>${block.text}</p></div>`;
    case 'table':
      return block.folded
        ? html`<details><summary>${block.caption}</summary>${tableMarkup(block, false)}</details>`
        : tableMarkup(block);
    case 'chart':
      return chartMarkup(block);
    case 'pictures':
      return picturesMarkup(block);
  }
}

export function sectionMarkup({ id, title, blocks }: Section): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${blocks.map(blockMarkup)}
</section>`;
}

export function factMarkup({ label, value, unit, note, tone = 'plain' }: Fact): Markup {
  return html`<div class="fact ${tone}"><dt>${label}</dt><dd class="value">${value}${unit === undefined ? undefined : html` <small>${unit}</small>`}</dd><dd class="note">${note}</dd></div>`;
}
