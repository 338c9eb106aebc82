/** Boxes, lists of names and values, columns, platforms. */
export const PANELS = `
.kv { display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: var(--s2) var(--s5); }
.kv dt { color: var(--ink-2); font-size: var(--text-s); padding-block-start: 0.1em; overflow-wrap: anywhere; min-width: 0; }
.kv dd { overflow-wrap: anywhere; min-width: 0; }
.kv.tall { grid-template-columns: minmax(0, 1fr); gap: 0; }
.kv.tall dd + dt { margin-block-start: var(--s3); }
:is(.legend, .panel, .bar) + .note { margin-block-start: var(--s4); }
.panel + .legend { margin-block-start: var(--s3); }
.pad { padding: var(--s4) var(--s5); }
.split { display: grid; gap: var(--s6); grid-template-columns: minmax(0, 1fr); align-items: start; }
.split > * > * + * { margin-block-start: var(--s6); }
.pair {
  display: grid;
  gap: var(--s5);
  grid-template-columns: repeat(auto-fit, minmax(min(17rem, 100%), 1fr));
  align-items: start;
}

.plats { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: var(--s2); }
.plats a, .plats span.off {
  display: block;
  height: 100%;
  padding: var(--s2) var(--s3) var(--s3);
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
  color: var(--ink);
  text-decoration: none;
}
.plats a[aria-current] { border-color: var(--own); box-shadow: inset 0 3px 0 var(--own); }
.plats a:hover { border-color: var(--line-2); }
.plats b { display: block; font-weight: 600; }
.plats small { font-size: var(--text-s); color: var(--ink-2); }
.plats span.off { border-style: dashed; border-color: var(--line-2); background: none; color: var(--ink-2); }
`;
