/** What elements look like without a class, and classes of one declaration. */
export const GROUND = `
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 4rem; }
body {
  margin: 0;
  background: var(--bg);
  color: var(--ink);
  font: 400 var(--text-m)/1.5 var(--sans);
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, dl, dd, ol, ul, figure, table, pre { margin: 0; padding: 0; }
h1 {
  font-size: var(--text-xl);
  line-height: 1.2;
  font-weight: 600;
  letter-spacing: -0.015em;
  overflow-wrap: anywhere;
}
h2 { font-size: var(--text-l); line-height: 1.3; font-weight: 600; letter-spacing: -0.005em; }
h3 { font-size: var(--text-m); font-weight: 600; }
ul, ol { list-style: none; }
a { color: var(--accent); text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, .by, .repo, .tag, .files tbody th { unicode-bidi: isolate; }
code, kbd, .mono { font-family: var(--mono); font-size: 0.92em; font-variant-ligatures: none; }
.wrap { max-width: var(--wide); margin-inline: auto; padding-inline: var(--gutter); }
.hide {
  position: absolute;
  width: 1px;
  height: 1px;
  margin: -1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.defs { position: absolute; width: 0; height: 0; }
.num { text-align: right; white-space: nowrap; }
.soft { color: var(--ink-2); }
.small { font-size: var(--text-s); }
.measure { max-width: 68ch; }
.skip {
  position: absolute;
  left: var(--gutter);
  top: -6rem;
  padding: var(--s2) var(--s4);
  background: var(--surface);
  border: 1px solid var(--line-2);
  z-index: 9;
}
.skip:focus { top: var(--s2); }
`;
