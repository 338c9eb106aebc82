/** Header, navigation, footer. */
export const FRAME = `
.top { border-bottom: 1px solid var(--line); background: var(--surface); }
.top .wrap { display: flex; flex-wrap: wrap; align-items: center; gap: 0 var(--s5); min-height: 3.5rem; }
.brand {
  display: flex;
  align-items: center;
  gap: var(--s2);
  font-weight: 650;
  color: var(--ink);
  text-decoration: none;
  letter-spacing: -0.01em;
  padding-block: var(--s2);
}
.brand svg { display: block; fill: var(--own); }
.top nav ul { display: flex; flex-wrap: wrap; gap: 0 var(--s4); }
.top nav a {
  display: block;
  padding: 1rem 0 calc(1rem - 2px);
  color: var(--ink-2);
  text-decoration: none;
  border-bottom: 2px solid transparent;
}
.top nav a:hover { color: var(--ink); border-color: var(--line-2); }
.top nav a[aria-current] { color: var(--ink); border-color: var(--own); font-weight: 550; }
.top .where { margin-inline-start: auto; color: var(--ink-3); font-size: var(--text-s); }
.count {
  display: inline-block;
  min-width: 1.4em;
  padding: 0 0.35em;
  margin-inline-start: 0.25em;
  border-radius: 1em;
  background: var(--bad);
  color: var(--surface);
  font-size: 0.8em;
  font-weight: 650;
  text-align: center;
}
main { display: block; padding-block: var(--s6) var(--s7); }
main > * + * { margin-block-start: var(--s6); }
.foot { border-top: 1px solid var(--line); color: var(--ink-3); font-size: var(--text-s); }
.foot .wrap { display: flex; flex-wrap: wrap; gap: var(--s1) var(--s5); padding-block: var(--s4) var(--s5); }
.foot a { color: inherit; }
.crumbs { font-size: var(--text-s); color: var(--ink-3); margin-block-end: var(--s2); overflow-wrap: anywhere; }
.crumbs li { display: inline; }
.crumbs li + li::before { content: "/"; margin-inline: 0.5em; color: var(--line-2); }
.crumbs a { color: inherit; }
.jump { display: flex; flex-wrap: wrap; gap: var(--s1) var(--s4); margin-block-start: var(--s3); }
.jump a { padding-block: 0.3rem; }
.lede { margin-block-start: var(--s2); color: var(--ink-2); max-width: 72ch; overflow-wrap: anywhere; }
.head {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  justify-content: space-between;
  gap: var(--s2) var(--s5);
  margin-block-end: var(--s3);
}
.head p { color: var(--ink-3); font-size: var(--text-s); }
`;
