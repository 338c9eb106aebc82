import { UsageError } from "../errors.ts";

/** Flags and arguments that may be given several times. */
export const REPEATABLE: ReadonlySet<string> = new Set([
  "base",
  "_",
  "archives",
  "references",
  "from-file",
  "tag",
  "image",
  "platform",
  "env",
  "expose",
  "label",
  "volume",
  "map",
  "mirror",
  "require-referrers",
  "allow-host",
  "with-tool",
]);

/** @throws UsageError for a flag that is given twice, or without a value. */
export function checkValues(flags: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(flags)) {
    // Aliases, and the camel-case names that yargs adds.
    if (name.length === 1 || /[A-Z]/.test(name)) continue;
    if (Array.isArray(value) && !REPEATABLE.has(name)) {
      throw new UsageError(`Cannot use ${flagWord(name)}: given ${value.length} times, expected once`);
    }
    if (value === "" || (Array.isArray(value) && value.includes(""))) {
      throw new UsageError(`Cannot use ${flagWord(name)}: its value is empty, expected one`);
    }
  }
}

/** How a flag is written on the command line. */
export function flagWord(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
