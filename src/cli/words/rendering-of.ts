/** How results and messages are printed. */
export interface Rendering {
  readonly isJson: boolean;
  /** `--progress json`: stderr has lines of JSON only. */
  readonly isJsonProgress: boolean;
  readonly isVerbose: boolean;
}

/**
 * What the words say of it before they are parsed, in every spelling that is parsed: what is wrong with a command line is
 * printed as it asks for.
 */
export function renderingOf(words: readonly string[]): Rendering {
  const end = words.indexOf("--");
  const flags = end === -1 ? words : words.slice(0, end);
  return {
    isJson: isOn(flags, /^--json(?:=(.*))?$/s),
    isJsonProgress: flags.some(
      (word, at) => word === "--progress=json" || `${flags[at - 1]}=${word}` === "--progress=json",
    ),
    isVerbose: isOn(flags, /^(?:--verbose|-[qv]*v[qv]*)(?:=(.*))?$/s),
  };
}

/** The last one counts. A switch takes `true` and `false`, also as the next word. */
function isOn(words: readonly string[], spelling: RegExp): boolean {
  const at = words.findLastIndex(word => spelling.test(word));
  if (at === -1) return false;
  const value = spelling.exec(words[at] ?? "")?.[1];
  return value === undefined ? words[at + 1] !== "false" : value === "true";
}
