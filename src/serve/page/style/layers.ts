/** Layers and history of an image, first step on top. */
export const LAYERS = `
/* Layers: the image from the bottom step to the top one, numbers that people can say aloud */
.layers { container-type: inline-size; }
.layers > ol > li {
  display: grid;
  grid-template-columns: 1.25rem minmax(0, 1fr) 5rem;
  gap: 0.3rem var(--s3);
  padding: var(--s3) var(--s4);
}
/* fixed columns: all bars share one scale */
.layers > ol > li > div { grid-column: 2 / -1; }
.layers > ol > li > .bar { grid-column: 2; grid-row: 2; margin-block-start: 0.3rem; }
.layers > ol > li + li { border-top: 1px solid var(--line); }
.layers .n { color: var(--ink-3); text-align: right; font-size: var(--text-s); padding-block-start: 0.15em; }
.layers .by { font-family: var(--mono); font-size: 0.8125rem; line-height: 1.5; overflow-wrap: anywhere; }
.layers .by b { font-weight: 700; color: var(--accent); }
.layers .sz { grid-column: 3; grid-row: 2; text-align: right; white-space: nowrap; font-weight: 550; }
.layers .meta { grid-column: 2 / -1; }
.layers > ol > li.empty > div { grid-column: 2; }
.layers > ol > li.empty .sz { grid-row: 1; }
.layers .meta { display: flex; flex-wrap: wrap; gap: 0 var(--s4); font-size: var(--text-s); color: var(--ink-3); }
.layers .meta a { color: var(--ink-2); }
.layers > ol > li.empty { padding-block: 0.35rem; background: var(--bg); }
.layers > ol > li.empty .by { color: var(--ink-3); }
.layers > ol > li.empty .sz { font-weight: 400; color: var(--ink-3); font-size: var(--text-s); }
.layers > ol > li.hurt { box-shadow: inset 4px 0 0 var(--bad); background: var(--bad-bg); }
.layers details > summary {
  cursor: pointer;
  color: var(--accent);
  font-family: var(--sans);
  font-size: var(--text-s);
  width: fit-content;
}
@container (min-width: 46rem) {
  .layers > ol > li { grid-template-columns: 2rem minmax(0, 1fr) minmax(12rem, 30%) 5.6rem; }
  .layers > ol > li > div, .layers > ol > li.empty > div { grid-column: 2; }
  .layers > ol > li > .bar { grid-column: 3; grid-row: 1; margin-block-start: 0.35rem; }
  .layers .sz { grid-column: 4; grid-row: 1; }
  .layers .meta { grid-column: 2 / -1; }
}
`;
