/** Volumes, steps to fix something, and the empty page. */
export const DAMAGE = `
.volumes li { overflow-wrap: anywhere; }
.volumes { display: grid; gap: var(--s4); }
.volumes li { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.25rem var(--s4); }
.volumes .bar { grid-column: 1 / -1; }
.steps { counter-reset: step; display: grid; gap: var(--s4); }
.steps > li { counter-increment: step; display: grid; grid-template-columns: 2rem minmax(0, 1fr); }
.steps > li::before { content: counter(step); font-weight: 650; color: var(--ink-3); }
.steps p + .cmd { margin-block-start: var(--s2); }
.nothing { padding: var(--s7) var(--s5); text-align: center; display: grid; gap: var(--s3); justify-items: center; }
.nothing .cmd { text-align: start; }
.nothing svg { fill: var(--line-2); }
`;
