import type { FlagDefinition } from "../definitions/command-definition.ts";
import { HELP, VERSION } from "../definitions/common-flags.ts";

/** A flag as it was typed. */
export interface TypedFlag {
  /** `--output`, `-o`, also `-registry`: without the value. */
  readonly spelled: string;
  /** Without dashes. */
  readonly name: string;
  /** After `=`, or the next word of a flag that takes one. */
  readonly value: string | undefined;
  /** The next word, if it may be the value of an unknown flag. */
  readonly next: string | undefined;
  /** Undefined for an unknown flag. */
  readonly definition: FlagDefinition | undefined;
}

/** A command line that may be wrong. */
export interface TypedLine {
  /** Words that belong to no known flag. */
  readonly others: readonly string[];
  readonly flags: readonly TypedFlag[];
}

/** Reads words as far as that is certain. @param words without those of the command */
export function readTypedLine(words: readonly string[], definitions: readonly FlagDefinition[]): TypedLine {
  const known = new Map(definitions.flatMap(flag => spellings(flag).map(spelled => [spelled, flag] as const)));
  const common = new Set([HELP, VERSION].flatMap(spellings));
  const others: string[] = [];
  const flags: TypedFlag[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (word === "--") return { others: [...others, ...words.slice(at + 1)], flags };
    const [, spelled, inline] = /^(--?[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (spelled === undefined) others.push(word);
    if (spelled === undefined || common.has(spelled) || isGroup(spelled, known)) continue;
    const definition = known.get(spelled);
    const next = words[at + 1]?.startsWith("-") === false ? words[at + 1] : undefined;
    const takesNext = definition?.value !== undefined && inline === undefined;
    if (takesNext && next !== undefined) at += 1;
    flags.push({
      spelled,
      name: spelled.replace(/^--?/, ""),
      value: takesNext ? next : inline,
      next: inline === undefined ? next : undefined,
      definition,
    });
  }
  return { others, flags };
}

function spellings({ name, alias }: FlagDefinition): readonly string[] {
  return alias === undefined ? [`--${name}`] : [`--${name}`, `-${alias}`];
}

/** `-qv` */
function isGroup(spelled: string, known: ReadonlyMap<string, FlagDefinition>): boolean {
  const letters = /^-([a-z]{2,})$/i.exec(spelled)?.[1] ?? "";
  return (
    letters !== "" &&
    [...letters].every(letter => known.get(`-${letter}`)?.value === undefined && known.has(`-${letter}`))
  );
}
