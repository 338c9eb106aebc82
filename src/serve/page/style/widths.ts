/** What changes with the width of the window, and what people asked of their system. */
export const WIDTHS = `
@media (min-width: 62rem) {
  .split { grid-template-columns: minmax(0, 1fr) clamp(21rem, 30%, 27rem); gap: clamp(2rem, 4vw, 3.5rem); }
  .jump { display: none; }
}
@media (max-width: 85rem) {
  .c-dig { display: none; }
}
@media (max-width: 68rem) {
  .c-sig { width: 12rem; }
  .c-name { width: 27%; }
  .c-plat { width: 24%; }
}
@media (max-width: 46rem) {
  main { padding-block-start: var(--s5); }
  main > * + * { margin-block-start: var(--s5); }
  .top .where { display: none; }
  .top .wrap { gap: 0 var(--s5); }
  .top nav a {
    padding-block: var(--s2) calc(var(--s2) - 2px);
    min-height: 2.75rem;
    display: flex;
    align-items: center;
    gap: 0.35rem;
  }
  .top nav { flex-basis: 100%; }
  .facts { grid-template-columns: 1fr 1fr; gap: var(--s4); padding-block: var(--s4); }
  .facts dd { font-size: 1.25rem; }
  .alert { padding: var(--s3) var(--s4); }
  .pad { padding: var(--s4); }
  /* Rows become blocks; the explicit ARIA roles in the markup keep the table a table. */
  .stack, .stack tbody { display: block; }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack tr {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 0.2rem var(--s3);
    padding: var(--s3) var(--s4);
  }
  .stack tbody tr + tr, .stack tbody + tbody > tr { border-top: 1px solid var(--line); }
  .stack tr > * { display: block; padding: 0 !important; border: 0 !important; width: auto; }
  .stack tr.hurt { box-shadow: inset 4px 0 0 var(--bad); }
  .stack tr.hurt > :first-child { box-shadow: none; }
  .stack [data-l]::before { content: attr(data-l) " "; color: var(--ink-3); font-size: var(--text-s); }
  .stack .row { grid-column: 1 / -1; }
  .stack:not(.images) td.num { text-align: start; }
  .sheet .stack tr { padding-inline: 0; }
  .stack .c-dig { display: none; }
  .files.stack tr { display: flex; flex-wrap: wrap; gap: 0 var(--s3); padding-block: var(--s2); }
  .files.stack .row { flex: 1 0 100%; }
  .files.stack td { width: auto; }
  .files.stack .num { margin-inline-start: auto; }
  .images .c-bar { grid-column: 1 / -1; }
  .images .c-plat { grid-column: 1 / -1; order: 4; }
  .images .c-sig { grid-column: 1; order: 2; }
  .images .c-own { order: 3; }
  .images .c-bar .bar { margin-block: 0.2rem; }
  .images .c-name { grid-column: 1; }
  .images tbody tr:hover > * { background: none; }
  .kv { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .kv dd { margin-block-end: var(--s3); }
  .versus > li { grid-template-columns: minmax(0, 1fr); gap: var(--s2); }
  .versus .mid { text-align: start; order: -1; }
  .versus .side { grid-template-columns: auto minmax(0, 1fr) auto; }
  .versus .side::before {
    content: attr(data-ab);
    border: 1px solid var(--line-2);
    border-radius: 4px;
    font-weight: 650;
    font-size: var(--text-s);
    min-width: 1.6em;
    text-align: center;
    height: fit-content;
  }
  .versus li.names .mid, .versus div:has(> .void), .versus li.same .side[data-ab="A"] { display: none; }
  .versus li.same .side::before { content: "A B"; min-width: 2.6em; }
  .find button { width: 100%; }
  .find label { flex: 1 1 8rem; }
  .find .grow { flex-basis: 100%; }
}
@media (prefers-reduced-motion: no-preference) {
  a, .plats a, .pages a, button { transition: border-color 120ms, background-color 120ms; }
}
@media (forced-colors: active) {
  .b-own { fill: CanvasText; }
  .b-fill { fill: Canvas; }
  .b-line { stroke: CanvasText; }
  .b-bad { fill: Highlight; }
}
`;
