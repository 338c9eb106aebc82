/** Commands to copy: one click selects the line. */
export const COMMANDS = `
.cmds { display: grid; gap: var(--s3); }
.cmds dt { font-size: var(--text-s); color: var(--ink-2); margin-block-end: 0.2rem; }
.cmd {
  display: block;
  padding: 0.5rem var(--s3);
  border-radius: 4px;
  background: var(--sunken);
  font-family: var(--mono);
  font-size: 0.8125rem;
  line-height: 1.5;
  overflow-wrap: anywhere;
  user-select: all;
  -webkit-user-select: all;
  cursor: copy;
}
.cmd + .cmd { margin-block-start: 0.25rem; }
.cmd::before { content: "$ "; color: var(--ink-3); }
.cmd.ref::before { content: none; }
.cmds dd p { margin-block-start: 0.25rem; font-size: var(--text-s); color: var(--ink-3); }
`;
