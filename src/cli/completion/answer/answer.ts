/** A word that fits at the cursor. */
export interface Candidate {
  /** The whole word. No space is added after one that ends with `/`, `:` or `=`: more belongs to it. */
  readonly value: string;
  /** Short; empty for none. */
  readonly text: string;
}

/** What fits at the cursor. */
export interface Answer {
  readonly candidates: readonly Candidate[];
  /** What of the disk fits as well. */
  readonly files: "none" | "files" | "folders";
  /** Files with these endings come first: `.tar`. Empty if all files are alike. */
  readonly endings: readonly string[];
  /** Comes before the name of a file in the same word: `--output=`. */
  readonly prefix: string;
}

export const NO_ANSWER: Answer = { candidates: [], files: "none", endings: [], prefix: "" };

const MAX_CANDIDATES = 1000;
const MAX_TEXT = 72;
/** At the end of a text that is longer. */
const CUT = " ...";
/** What no shell takes for more than text, and no terminal for a sequence. Foreign names pass here, too. */
const PLAIN_WORD = /^[\w.,:/@=+[\]-]{1,600}$/;

/**
 * As the scripts read it: `none`, `files` or `folders`, the endings separated by spaces (`*` for none), and the prefix,
 * separated by tabs; then a line for each candidate: the word, a tab, what it is.
 */
export function answerText({ candidates, files, endings, prefix }: Answer): string {
  const plain = candidates.filter(({ value }) => PLAIN_WORD.test(value)).slice(0, MAX_CANDIDATES);
  const head = [files, endings.join(" ") || "*", prefix].join("\t");
  return [head, ...plain.map(({ value, text }) => `${value}\t${shortText(text)}`)].map(line => `${line}\n`).join("");
}

/** The first part of a text of the help: without what explains values and defaults. */
function shortText(text: string): string {
  const [first = ""] = text.split(/ \(|; |(?<!\/): |\s*\p{C}/u);
  if (first.length <= MAX_TEXT) return first;
  return first.slice(0, first.lastIndexOf(" ", MAX_TEXT - CUT.length)) + CUT;
}
