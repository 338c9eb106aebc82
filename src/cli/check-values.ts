import { UsageError } from "../errors.ts";

/** Flags and arguments that may be given several times; with the command in front where others have one value of that name. */
export const REPEATABLE: ReadonlySet<string> = new Set([
  "base",
  "_",
  "archives",
  "files",
  "references",
  "sources",
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
  "require-signature",
  "key",
  "allow-host",
  "listen",
  "with-tool",
  "mirrors for",
]);

/** What is no flag: names of arguments, or a command and its argument where others have a flag of that name. */
const ARGUMENTS: ReadonlySet<string> = new Set([
  "action",
  "archive",
  "archives",
  "files",
  "host",
  "name",
  "reference",
  "references",
  "repository",
  "rootfs",
  "shell",
  "sources",
  "tag tag",
  "term",
]);

/** @throws UsageError for a flag that is given twice, or a flag or argument without a value. */
export function checkValues(flags: Readonly<Record<string, unknown>>): void {
  const [command] = Array.isArray(flags["_"]) ? (flags["_"] as readonly unknown[]) : [];
  for (const [name, value] of Object.entries(flags)) {
    // Aliases, and the camel-case names that yargs adds.
    if (name.length === 1 || /[A-Z]/.test(name)) continue;
    const isRepeatable = REPEATABLE.has(name) || REPEATABLE.has(`${String(command)} ${name}`);
    if (Array.isArray(value) && !isRepeatable) {
      throw new UsageError(`Cannot use ${flagWord(name)}: given ${value.length} times, expected once`);
    }
    if (value === "" || (Array.isArray(value) && value.includes(""))) {
      const isArgument = ARGUMENTS.has(name) || ARGUMENTS.has(`${String(command)} ${name}`);
      const word = isArgument ? `argument "${name}"` : flagWord(name);
      throw new UsageError(`Cannot use ${word}: its value is empty, expected one`);
    }
  }
}

/** How a flag is written on the command line. */
export function flagWord(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
