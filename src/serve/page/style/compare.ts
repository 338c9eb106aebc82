/** A row a step: left is A, right is B, and the sign between them says what happened. */
export const COMPARE = `
/* Compare: one row a step, left is A, right is B, the sign in the middle says what happened */
.versus > li {
  display: grid;
  grid-template-columns: minmax(0, 1fr) 6.5rem minmax(0, 1fr);
  gap: var(--s3);
  padding: var(--s3) var(--s4);
  align-items: start;
}
.versus > li + li { border-top: 1px solid var(--line); }
.versus .mid { text-align: center; }
.versus .mid .state { justify-content: center; }
.versus .side { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.3rem var(--s3); }
.versus .by { font-family: var(--mono); font-size: 0.8125rem; overflow-wrap: anywhere; }
.versus .by b { font-weight: 700; }
.versus .sz { white-space: nowrap; }
.versus .bar { grid-column: 1 / -1; }
.versus .void {
  color: var(--ink-3);
  font-size: var(--text-s);
  border: 1px dashed var(--line-2);
  border-radius: 4px;
  padding: 0.1rem 0.6rem;
}
.versus li.same { background: var(--bg); }
.versus li.same .by, .versus li.same .sz { color: var(--ink-2); }
.versus li.names { font-size: var(--text-s); color: var(--ink-2); }
.versus li.names b { color: var(--ink); font-weight: 600; overflow-wrap: anywhere; }
.ab {
  display: inline-block;
  min-width: 1.6em;
  text-align: center;
  border: 1px solid var(--line-2);
  border-radius: 4px;
  font-weight: 650;
  font-size: var(--text-s);
  color: var(--ink-2);
}
`;
