/** Digests, chips, words for states, alerts, facts. */
export const SMALL_PARTS = `
.id {
  font-family: var(--mono);
  font-weight: 600;
  letter-spacing: 0;
  white-space: nowrap;
  user-select: all;
  -webkit-user-select: all;
}
.id span + span { margin-inline-start: 0.3em; }
/* The whole digest is in the text: find-in-page finds it, one click selects it, focus unfolds it. */
.digest {
  display: inline-block;
  max-width: 19.6ch;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
  vertical-align: bottom;
  user-select: all;
  -webkit-user-select: all;
  color: var(--ink-2);
}
.digest:focus, .digest.full { max-width: 100%; white-space: normal; overflow-wrap: anywhere; }
.digest.bare { max-width: 12.6ch; }
.measure li { padding-block: var(--s1); }
.tagset { display: flex; flex-wrap: wrap; gap: 0.25rem; }
.chip {
  display: inline-block;
  padding: 0 0.45em;
  border: 1px solid var(--line);
  border-radius: 4px;
  background: var(--surface);
  color: var(--ink-2);
  font-size: var(--text-s);
  line-height: 1.55;
  white-space: nowrap;
  max-width: 100%;
  overflow: hidden;
  text-overflow: ellipsis;
}
.chip.absent { border-style: dashed; border-color: var(--line-2); background: none; color: var(--ink-3); }
.state { display: inline-flex; align-items: baseline; gap: 0.4em; font-size: var(--text-s); }
.state::before { font-family: var(--mono); font-weight: 700; width: 1.1em; text-align: center; flex: none; }
.state.signed::before { content: "✎"; color: var(--ink-2); }
.state.verified { color: var(--good); font-weight: 550; }
.state.verified::before { content: "✓"; }
.state.none, .state.unknown { color: var(--ink-3); }
.state.none::before { content: "–"; }
.state.unknown::before { content: "?"; }
.state.bad { color: var(--bad); font-weight: 600; }
.state.bad::before { content: "✕"; }
.state.new::before { content: "+"; color: var(--own); }
.state.new { font-weight: 600; }
.state.changed::before { content: "≠"; color: var(--warn); }
.state.changed { font-weight: 600; }
.state.same { color: var(--ink-3); }
.state.same::before { content: "="; }
.state.gone { color: var(--ink-2); }
.state.gone::before { content: "−"; }
.esc { border-radius: 3px; background: var(--warn-bg); color: var(--warn); padding-inline: 0.2em; }

.alert {
  border: 1px solid var(--bad-line);
  border-inline-start: 6px solid var(--bad);
  border-radius: var(--radius);
  background: var(--bad-bg);
  padding: var(--s4) var(--s5);
}
.alert li, .alert p { overflow-wrap: anywhere; }
.alert strong { color: var(--bad); font-size: var(--text-l); }
.alert ul { margin-block: var(--s2); display: grid; gap: var(--s1); }
.alert li { padding-inline-start: 1.4em; text-indent: -1.4em; }
.alert li::before {
  content: "✕";
  color: var(--bad);
  font-weight: 700;
  display: inline-block;
  width: 1.4em;
  text-indent: 0;
}
.note {
  border-inline-start: 3px solid var(--line-2);
  padding-inline-start: var(--s4);
  color: var(--ink-2);
  font-size: var(--text-s);
  max-width: 72ch;
}
.note.good { border-color: var(--good); }

.facts {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr));
  gap: var(--s5);
  padding-block: var(--s5);
  border-block: 1px solid var(--line);
}
.facts > div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.facts dt { color: var(--ink-2); font-size: var(--text-s); }
.facts dd { font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; }
.facts dd small { font-size: var(--text-s); font-weight: 400; letter-spacing: 0; color: var(--ink-2); }
.facts .bad dd { color: var(--bad); }
`;
