import type { TypedLine } from "./typed-line.ts";

/** Longer arguments make no sentence. */
const MAX_WORD = 200;

/**
 * A command line with the arguments of another one. Words in capitals are places: FILE and FOLDER are for archives, HOST for a
 * registry, REPOSITORY for a name below one, ARGUMENTS for all, others for any name; those with `..` take all that are left.
 * Places without an argument stay as they are.
 *
 * @returns undefined if an argument has no place, or must not be repeated
 */
export function fillTemplate(template: string, line: TypedLine): string | undefined {
  const file = line.flags.find(({ name }) => FILE_FLAGS.has(name));
  const left = [...line.others];
  const words = template.split(" ").flatMap(place => {
    const [, prefix = "", name, dots] = /^(\w+:\/\/)?([A-Z]{2,})(\.\.)?\/?$/.exec(place) ?? [];
    if (name === undefined) return [place];
    if (name === "FILE" && file?.value !== undefined) return [file.value];
    const found = left.filter(word => fits(word, name)).slice(0, dots === undefined ? 1 : left.length);
    for (const word of found) left.splice(left.indexOf(word), 1);
    return found.length > 0 ? found.map(word => `${prefix}${word}`) : [place];
  });
  const others = line.flags.filter(flag => flag !== file || !template.includes("FILE"));
  const flags = others.flatMap(({ name, definition, value }) => [`--${definition?.name ?? name}`, value ?? ""]);
  const safe = [...words, ...flags.filter(Boolean)].map(shellWord);
  return left.length > 0 || safe.includes(undefined) ? undefined : safe.join(" ");
}

/** Of docker, podman, ctr and crane: what they write or read. */
const FILE_FLAGS: ReadonlySet<string> = new Set(["o", "output", "i", "input"]);

/** @returns undefined for what a line for copying must not have, such as control characters. */
export function shellWord(word: string): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return /^[\w@%+=:,./ *?()[\]{}~#&;<>|-]+$/.test(word) ? `'${word}'` : undefined;
}

export function isFileName(word: string): boolean {
  return hasArchiveEnding(word) || isPath(word) || /^\.{1,2}$/.test(word) || word === "-";
}

export function hasArchiveEnding(word: string): boolean {
  return /\.(?:tar|tgz|zip|txz|tzst|tar\.\w+)$/i.test(word);
}

/** `./app`, `/srv/app`: no reference begins like this. */
export function isPath(word: string): boolean {
  return /^\.{0,2}\//.test(word);
}

function isHost(word: string): boolean {
  return /^(?:localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?\/?$|^[\w-]+:\d{4,5}$/.test(word) && !isFileName(word);
}

function fits(word: string, place: string): boolean {
  if (place === "ARGUMENTS") return true;
  if (place === "FILE" || place === "FOLDER") return isFileName(word);
  if (place === "HOST") return isHost(word);
  return !isFileName(word) && (place !== "REPOSITORY" || !isHost(word));
}
