/**
 * What of the help a command line asks for: the words of a command or of a topic, none for all commands.
 *
 * @returns undefined if it asks for no help.
 */
export function helpRequest(words: readonly string[]): readonly string[] | undefined {
  const [first] = words;
  if (first === "help") return named(words.slice(1));
  const end = words.indexOf("--");
  const flags = end === -1 ? words : words.slice(0, end);
  return flags.some(isHelpFlag) ? named(words) : undefined;
}

function isHelpFlag(word: string): boolean {
  return word === "--help" || word === "-h";
}

/** The words before the first flag; `--help push` asks for the help of push. */
function named(words: readonly string[]): readonly string[] {
  if (isHelpFlag(words[0] ?? "")) return named(words.slice(1));
  const end = words.findIndex(word => word.startsWith("-"));
  return end === -1 ? words : words.slice(0, end);
}
