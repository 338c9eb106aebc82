// With cliui yargs lays out a help of its own, which is made and never printed: ours is src/cli/help.
const nothing = { width: 80, div() {}, span() {}, resetOutput() {}, toString: () => "" };

export default function cliui() {
  return nothing;
}
