// The look of a report: one calm column, light and dark by the reader's preference, paper when printed. Charts take every
// colour from these variables, so one drawing serves both.

/** Shades of heat maps, from nothing to most. */
export const HEAT_SHADES = 9;
/** Colours of series; a ninth series takes the first again. */
export const SERIES_COLOURS = 8;

const shades = (name: string, values: readonly string[], first = 0) =>
  values.map((value, index) => `--${name}${index + first}: ${value};`).join(' ');

// Okabe and Ito's colours, which colour-blind readers can distinguish, toned for each background.
const LIGHT = [
  '--paper: #fcfcfa; --raised: #ffffff; --ink: #1d2329; --soft: #5b6670; --faint: #8b959e; --line: #e3e5e2;',
  '--accent: #1f5f99; --good: #1a7a55; --caution: #9a6400; --bad: #b3372b;',
  '--on-bits: #ffffff; --on-heat: #ffffff; --on-pale: #1d2329;',
  shades('series', ['#1f5f99', '#c2571a', '#1a7a55', '#8a5aa8', '#a67c00', '#3b93c4', '#b5477f', '#5f6b76']),
  shades('heat', ['#f3f3ef', '#fbe9d7', '#f9d6b4', '#f4bb8b', '#ec9b66', '#de7748', '#c95435', '#a93629', '#84201f']),
  shades('bits', ['#a5322a', '#c95f3f', '#e39a6c', '#ecc79b', '#b9cfd9', '#83aac4', '#4f81a8'], 2),
].join('\n  ');
const DARK = [
  '--paper: #14181c; --raised: #1b2025; --ink: #e4e7e9; --soft: #a3adb6; --faint: #76818b; --line: #2c333a;',
  '--accent: #7db4e3; --good: #63c29a; --caution: #dfae4f; --bad: #ee8577;',
  '--on-bits: #ffffff; --on-heat: #14181c; --on-pale: #e4e7e9;',
  shades('series', ['#7db4e3', '#ec9459', '#63c29a', '#bf97da', '#d8b445', '#56b8e6', '#e58bb8', '#9aa5af']),
  shades('heat', ['#20262b', '#3a2b26', '#543128', '#70382a', '#8e422d', '#ad5034', '#cb6640', '#e38655', '#f5b07c']),
  shades('bits', ['#e0685a', '#c96a4b', '#a86f4f', '#7d6a5c', '#4d6472', '#456f8d', '#4a86b4'], 2),
].join('\n  ');

export const STYLE = `:root {
  color-scheme: light dark;
  ${LIGHT}
}
@media screen and (prefers-color-scheme: dark) { :root {
  ${DARK}
} }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main, header, footer { max-width: 60rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header { padding-top: clamp(2rem, 6vw, 4.5rem); }
h1 { font-size: clamp(1.7rem, 4.5vw, 2.5rem); line-height: 1.15; font-weight: 650; letter-spacing: -.02em; margin: 0 0 1rem; text-wrap: balance; }
h2 { font-size: 1.35rem; line-height: 1.3; font-weight: 650; letter-spacing: -.01em; margin: 0 0 .75rem; }
p, li { max-width: 44rem; }
p { margin: 0 0 1rem; }
.lead { font-size: clamp(1.05rem, 2.2vw, 1.25rem); line-height: 1.55; color: var(--soft); max-width: 42rem; margin-bottom: 2rem; }
section { border-top: 1px solid var(--line); padding: 2.25rem 0 1.25rem; }
section > p { color: var(--soft); }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .2em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--raised); padding: .5rem 1rem; z-index: 1; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(12.5rem, 100%), 1fr)); gap: .75rem; margin: 0 0 2rem; }
.fact { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1.1rem 1rem; }
.fact dt { font-size: .85rem; color: var(--soft); }
.fact dd { margin: 0; }
.fact .value { font-size: 1.6rem; line-height: 1.35; font-weight: 620; letter-spacing: -.015em; }
.fact small { font-size: .62em; font-weight: 500; letter-spacing: 0; }
.fact .note { font-size: .85rem; line-height: 1.45; color: var(--soft); }
.good .value, .verdict.good strong { color: var(--good); }
.bad .value, .verdict.bad strong { color: var(--bad); }
.verdict.caution strong { color: var(--caution); }
.verdict { border-left: 4px solid currentColor; padding: .25rem 0 .25rem 1rem; margin: 0 0 1rem; color: var(--soft); }
.verdict p { color: var(--ink); margin: 0; }
.verdict strong { font-size: 1.35rem; display: block; text-transform: capitalize; }
.verdict.good { border-color: var(--good); } .verdict.caution { border-color: var(--caution); } .verdict.bad { border-color: var(--bad); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; padding: 0; margin: 0 0 2.25rem; font-size: .92rem; }
figure { margin: 0 0 1.75rem; }
figcaption { display: block; font-size: .95rem; font-weight: 600; margin: 0 0 .5rem; }
figure svg { display: block; width: 100%; height: auto; }
.narrow { display: none; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: 0 0 .5rem; font-size: .85rem; color: var(--soft); }
.keys i { display: inline-block; width: .75rem; height: .75rem; border-radius: 3px; margin-right: .4rem; vertical-align: -.05rem; background: currentColor; }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--paper), transparent) 0 0 / 3rem 100% no-repeat local, linear-gradient(to left, var(--paper), transparent) 100% 0 / 3rem 100% no-repeat local, linear-gradient(to right, var(--line), transparent) 0 0 / 1rem 100% no-repeat scroll, linear-gradient(to left, var(--line), transparent) 100% 0 / 1rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: .9rem; line-height: 1.45; width: 100%; }
th, td { padding: .42rem 1.1rem .42rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: .82rem; vertical-align: bottom; }
tbody th { min-width: 6rem; font-weight: 400; color: var(--ink); font-size: inherit; vertical-align: top; }
.figure { text-align: right; }
td.figure { white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
.within { display: block; font-size: .8rem; color: var(--soft); }
td.long { overflow-wrap: anywhere; min-width: 12rem; }
details { margin: .25rem 0 1rem; font-size: .9rem; }
summary { cursor: pointer; color: var(--soft); width: fit-content; font-size: .85rem; }
details[open] > summary { margin-bottom: .75rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.4rem, 1fr)); gap: .9rem .75rem; }
.pictures figure { margin: 0; }
.pictures img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 6px; background: var(--line); display: block; }
.pictures figcaption { font-size: .78rem; line-height: 1.35; font-weight: 400; color: var(--soft); margin: .35rem 0 0; }
footer { color: var(--faint); font-size: .85rem; padding-top: 1.5rem; padding-bottom: 3rem; border-top: 1px solid var(--line); }
@media (max-width: 40rem) { .wide { display: none; } .narrow { display: block; } section { padding-top: 1.75rem; } .fact { padding: .7rem .9rem; } .fact .value { font-size: 1.35rem; } .facts { grid-template-columns: repeat(auto-fit, minmax(min(9.5rem, 100%), 1fr)); } }
@media print { nav, summary { display: none; } section { break-inside: avoid-page; } body { font-size: 10pt; } }
`;
