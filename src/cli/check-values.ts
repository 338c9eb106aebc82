import { UsageError } from "../errors.ts";
import type { BuilderNotes } from "./definitions/builder-notes.ts";

/**
 * Checks what yargs read. What `parseWords` reads has no such faults.
 *
 * @param notes what the command defines; undefined if no command is known.
 * @throws UsageError for a flag that is given twice, or a flag or argument without a value.
 */
export function checkValues(flags: Readonly<Record<string, unknown>>, notes: BuilderNotes | undefined): void {
  for (const [name, value] of Object.entries(flags)) {
    // Aliases, and the camel-case names that yargs adds.
    if (name === "_" || name.length === 1 || /[A-Z]/.test(name)) continue;
    const argument = notes?.positionals.get(name);
    const isRepeatable = (argument ?? notes?.flags.get(name))?.array === true;
    if (Array.isArray(value) && !isRepeatable) {
      throw new UsageError(`Cannot use ${flagWord(name)}: given ${value.length} times, expected once`);
    }
    if (value === "" || (Array.isArray(value) && value.includes(""))) {
      const word = argument === undefined ? flagWord(name) : `argument "${name}"`;
      throw new UsageError(`Cannot use ${word}: its value is empty, expected one`);
    }
  }
}

/** How a flag is written on the command line. */
export function flagWord(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
