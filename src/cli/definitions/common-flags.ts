import type { FlagDefinition } from "./command-definition.ts";

/** Of every command; no builder defines it. */
export const HELP: FlagDefinition = {
  name: "help",
  alias: "h",
  group: "This command",
  value: undefined,
  isRepeatable: false,
  isRequired: false,
  text: "print the help of imgpack, or of the command",
};

/** Of imgpack itself. */
export const VERSION: FlagDefinition = { ...HELP, name: "version", alias: "V", text: "print the version" };
