/** Tables, and the one of images. */
export const TABLES = `
.panel { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); }
table { width: 100%; border-collapse: collapse; text-align: start; }
caption { text-align: start; }
th { font-weight: 550; text-align: start; }
th, td { padding: 0.55rem var(--s3); vertical-align: top; overflow-wrap: anywhere; }
th:first-child, td:first-child { padding-inline-start: var(--s4); }
th:last-child, td:last-child { padding-inline-end: var(--s4); }
thead th {
  font-size: var(--text-s);
  color: var(--ink-2);
  font-weight: 500;
  white-space: nowrap;
  border-bottom: 1px solid var(--line);
}
thead th.num { text-align: right; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody + tbody > tr:first-child > * { border-top: 1px solid var(--line); }
tbody th { font-weight: 400; }
tr.hurt > :first-child { box-shadow: inset 4px 0 0 var(--bad); }
tr:target > *, li:target { background: var(--warn-bg); }

.images { table-layout: fixed; }
.images thead th { position: sticky; top: 0; background: var(--surface); z-index: 1; }
.images tbody tr:hover > * { background: var(--bg); }
.c-name { width: 26%; }
.c-plat { width: 22%; }
.c-size { width: 7rem; }
.c-bar { width: auto; }
.c-own { width: 7rem; }
.c-sig { width: 13.5rem; }
.c-dig { width: 8.6rem; }
.images td.c-size { font-weight: 600; }
.images td.c-own { color: var(--ink-2); }
.images a { text-decoration: none; }
.images a:hover { text-decoration: underline; }
.repo { color: var(--ink); }
.again { color: var(--ink-3); }
.tag { font-weight: 650; color: var(--accent); }
.images .bar { margin-block-start: 0.42rem; }
`;
