/** The report, and every page on paper. */
export const PAPER = `
.sheet {
  max-width: 60rem;
  margin-inline: auto;
  background: var(--surface);
  padding: clamp(1rem, 4vw, 3.5rem);
  border: 1px solid var(--line);
}
.sheet > * + * { margin-block-start: var(--s6); }
.sheet .mast {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  align-items: end;
  gap: var(--s4);
  border-bottom: 3px solid var(--ink);
  padding-block-end: var(--s4);
}
.sheet .mast p { color: var(--ink-2); font-size: var(--text-s); }
.sheet .ids { display: grid; grid-template-columns: auto auto; gap: 0 var(--s4); align-items: baseline; }
.sheet .ids dt { color: var(--ink-2); font-size: var(--text-s); }
.sheet .ids dd { text-align: end; }
.sheet .ids .id { font-size: 1.35rem; }
.sheet .ids .base .id { font-size: 1rem; }
.sheet table { font-size: var(--text-s); }
.sheet th:first-child, .sheet td:first-child { padding-inline-start: 0; }
.sheet th:last-child, .sheet td:last-child { padding-inline-end: 0; }
.sheet thead th { border-bottom: 1.5px solid var(--ink); color: var(--ink); }
.sheet tbody tr.rg { break-after: avoid; }
.sheet tbody tr.rg th { font-weight: 650; padding-block-start: var(--s4); }
.sheet .digest {
  display: inline;
  max-width: none;
  white-space: normal;
  overflow-wrap: anywhere;
  font-size: 0.6875rem;
  letter-spacing: -0.01em;
}
.sheet .name { font-weight: 600; }
.sheet table.fix { table-layout: fixed; }
.sheet .facts { grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); }
.r-st { width: 7.4rem; }
.r-pl { width: 8.4rem; }
.r-by { width: 5.4rem; }
.r-sg { width: 8.2rem; }
.r-li { width: 7.4rem; }
.r-no { width: 3rem; }
.signs {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr));
  gap: var(--s5);
  break-inside: avoid;
}
.signs > div { border: 1.5px solid var(--ink); padding: var(--s3) var(--s4); }
.signs p + p {
  margin-block-start: var(--s6);
  border-top: 1px solid var(--line-2);
  padding-block-start: 0.15rem;
  font-size: var(--text-s);
  color: var(--ink-2);
}
.signs h3 { margin-block-end: var(--s5); }
.box {
  display: inline-block;
  width: 0.9em;
  height: 0.9em;
  border: 1.5px solid currentColor;
  vertical-align: -0.1em;
  margin-inline-end: 0.5em;
}
.checks { display: grid; gap: var(--s2); font-size: var(--text-s); }
@page {
  size: A4;
  margin: 15mm 13mm 17mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; }
}
@media print {
  :root {
    color-scheme: light;
    --bg: #fff;
    --surface: #fff;
    --sunken: #f2f2f2;
    --ink: #000;
    --ink-2: #222;
    --ink-3: #444;
    --line: #bbb;
    --line-2: #777;
    --accent: #000;
    --own: #333;
    --shared: #ddd;
    --shared-line: #777;
    --track: #eee;
    --bad: #000;
    --bad-bg: #fff;
    --bad-line: #000;
    --warn: #000;
    --warn-bg: #fff;
    --good: #000;
  }
  html { font-size: 12.5px; }
  .top, .foot, .find, .pages, .skip, .noprint { display: none !important; }
  a { color: inherit; text-decoration: none; }
  .wrap, .sheet { max-width: none; padding: 0; margin: 0; border: 0; }
  main { padding: 0; }
  .panel { border-radius: 0; }
  thead { display: table-header-group; }
  tr, .facts, .volumes li, .alert { break-inside: avoid; }
  h2, .head { break-after: avoid; }
  .annex { break-before: page; }
  .sheet > * + * { margin-block-start: var(--s5); }
  .annex .digest { font-size: 0.625rem; letter-spacing: -0.02em; }
  .signs { grid-template-columns: repeat(3, 1fr); gap: var(--s4); }
  .facts { padding-block: var(--s4); }
  th, td, .stack tr > * { padding-inline: var(--s2); }
  th:first-child, td:first-child { padding-inline-start: 0; }
  .r-st { width: 6.6rem; }
  .r-pl { width: 7.6rem; }
  .r-by { width: 5rem; }
  .r-sg { width: 7.2rem; }
  .r-li { width: 6.8rem; }
  th, td { padding-block: 0.35rem; }
  .stack tr > * { padding-block: 0.35rem; }
  .facts { grid-template-columns: repeat(6, 1fr); }
}
`;
