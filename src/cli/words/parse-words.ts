import type { Arguments } from "yargs";
import type { FlagWords, PositionalWords, WordDefinitions } from "./word-definitions.ts";

/**
 * Reads a plain command line as yargs does, in less than a millisecond. Errors, help, and everything whose meaning is a
 * matter of yargs (abbreviations, `--`, `--flag=` without a value, grouped letters, flags given twice) are left to yargs.
 *
 * @param words the name of the command, then its own words.
 * @returns exactly what yargs would give the handler; undefined if it is left to yargs.
 */
export function parseWords(words: readonly string[], definitions: WordDefinitions): Arguments | undefined {
  const reader = new WordReader(words, definitions.flags);
  if (!reader.readAll()) return undefined;
  const found: Arguments = { _: words.slice(0, 1), $0: "imgpack" };
  for (const [{ names }, value] of reader.values) {
    for (const name of names) {
      found[name] = value;
      found[camelCase(name)] = value;
    }
  }
  const isMissing = [...definitions.flags.values()].some(flag => flag.isRequired && !reader.values.has(flag));
  return isMissing || !assign(definitions.positionals, reader.others, found) ? undefined : found;
}

class WordReader {
  readonly values = new Map<FlagWords, unknown>();
  /** Words that belong to no flag. */
  readonly others: string[] = [];
  readonly #words: readonly string[];
  readonly #flags: ReadonlyMap<string, FlagWords>;
  #at = 1;

  constructor(words: readonly string[], flags: ReadonlyMap<string, FlagWords>) {
    this.#words = words;
    this.#flags = flags;
  }

  /** False if something is left to yargs. */
  readAll(): boolean {
    while (this.#at < this.#words.length) {
      const plain = this.#takePlain();
      if (plain !== undefined) this.others.push(plain);
      else if (!this.#readFlag(this.#words[this.#at++] ?? "")) return false;
    }
    return true;
  }

  #readFlag(word: string): boolean {
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const flag = this.#flags.get(equals === -1 ? word : word.slice(0, equals));
    if (flag === undefined || (this.values.has(flag) && flag.kind !== "list")) return false;
    const inline = equals === -1 ? undefined : word.slice(equals + 1);
    if (inline !== undefined && !isPlain(inline)) return false;
    if (flag.kind === "boolean") {
      const next = this.#words[this.#at];
      this.values.set(flag, true);
      return inline === undefined && next !== "true" && next !== "false";
    }
    const first = inline ?? this.#takePlain();
    if (first === undefined) return false;
    const value = flag.kind === "list" ? this.#list(flag, first) : scalar(flag, first);
    this.values.set(flag, value);
    return value !== undefined;
  }

  #list(flag: FlagWords, value: string): readonly string[] {
    const earlier = this.values.get(flag);
    return [...(Array.isArray(earlier) ? earlier : []), value];
  }

  #takePlain(): string | undefined {
    const word = this.#words[this.#at];
    if (word === undefined || !isPlain(word)) return undefined;
    this.#at += 1;
    return word;
  }
}

function scalar({ kind, choices }: FlagWords, word: string): string | number | undefined {
  if (kind === "number") return /^(?:0|[1-9][0-9]{0,8})$/.test(word) ? Number(word) : undefined;
  return kind === "choice" && !choices.includes(word) ? undefined : word;
}

/** Whether yargs, too, takes the word as a value, unchanged: it removes quotes, and takes more than known names for flags. */
function isPlain(word: string): boolean {
  return word === "-" || /^[^-"'\0]/.test(word);
}

/** False if there are too few or too many words. */
function assign(
  positionals: readonly PositionalWords[],
  words: readonly string[],
  found: Record<string, unknown>,
): boolean {
  let at = 0;
  for (const { name, isRequired, isList } of positionals) {
    const value = isList ? words.slice(at) : words[at];
    if (isRequired && (value === undefined || value.length === 0)) return false;
    if (value !== undefined) found[name] = value;
    at = isList ? words.length : at + 1;
  }
  return at >= words.length;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
