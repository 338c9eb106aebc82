/** Bars are SVG with sizes in attributes, because the CSP forbids style attributes; colours come from here. */
export const BARS = `
.bar { display: block; width: 100%; overflow: visible; }
.bar .track { fill: var(--track); }
.b-own { fill: var(--own); }
.b-ok { fill: var(--calm); }
.b-bad { fill: var(--bad); }
.b-line { stroke: var(--shared-line); stroke-width: 2; }
.b-fill { fill: var(--shared); }
.b-cross { stroke: var(--bad); stroke-width: 1.5; }
.b-crossbg { fill: var(--bad-bg); }
.b-void { fill: none; stroke: var(--line-2); stroke-width: 1; stroke-dasharray: 3 2; }
.b-edge { fill: none; stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 4 2; }
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: var(--s1) var(--s5);
  font-size: var(--text-s);
  color: var(--ink-2);
  margin-block-start: var(--s2);
}
.legend li { display: flex; align-items: center; gap: 0.5em; }
.legend svg { flex: none; }
`;
