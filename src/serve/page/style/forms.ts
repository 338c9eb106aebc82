/** Forms that find something, and links to pages of a list. */
export const FORMS = `
.find { display: flex; flex-wrap: wrap; gap: var(--s2) var(--s3); align-items: end; }
.find label { display: grid; gap: 0.2rem; font-size: var(--text-s); color: var(--ink-2); }
.find .grow { flex: 1 1 16rem; }
input, select, button {
  font: inherit;
  color: inherit;
  background: var(--surface);
  border: 1px solid var(--line-2);
  border-radius: var(--radius);
  padding: 0.45rem 0.7rem;
  min-height: 2.5rem;
  width: 100%;
}
::placeholder { color: var(--ink-3); opacity: 1; }
select { padding-inline-end: 0.4rem; }
button {
  width: auto;
  background: var(--own);
  border-color: var(--own);
  color: var(--surface);
  font-weight: 600;
  padding-inline: var(--s5);
  cursor: pointer;
}
button:hover { background: var(--accent); border-color: var(--accent); }
.pages + .panel { margin-block-start: var(--s3); }
.pages { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: var(--s3); }
.pages ul { display: flex; flex-wrap: wrap; gap: var(--s1); }
.pages a, .pages span.here, .pages span.gap {
  display: block;
  min-width: 2.5rem;
  padding: 0.4rem 0.6rem;
  text-align: center;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
  text-decoration: none;
}
.pages span.gap { border-color: transparent; background: none; color: var(--ink-3); }
.pages span.here { background: var(--ink); color: var(--bg); border-color: var(--ink); font-weight: 600; }
.pages a:hover { border-color: var(--line-2); }
`;
