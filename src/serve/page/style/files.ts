/** Files of a layer. */
export const FILES = `
.files td, .files th { padding-block: 0.32rem; }
.files tbody th { font-family: var(--mono); font-size: 0.8125rem; line-height: 1.55; }
.files .c-kind { width: 7.5rem; }
.files .c-mode { width: 7rem; }
.files .c-own2 { width: 6.5rem; }
.files .c-size { width: 6.5rem; }
.files { table-layout: fixed; }
.files td { font-size: var(--text-s); color: var(--ink-2); }
.files td.num { color: var(--ink); }
.files .gone del { text-decoration-thickness: 1px; color: var(--ink-3); }
.files .gone td { color: var(--warn); }
.big { display: grid; gap: var(--s2); }
.big li {
  display: grid;
  grid-template-columns: minmax(0, 1fr) 5.5rem;
  gap: 0.1rem var(--s3);
  font-size: var(--text-s);
}
.big code { overflow-wrap: anywhere; }
.big .bar { grid-column: 1 / -1; }
`;
