import type { Argv } from "yargs";
import type { TargetLayout } from "../../index.ts";

/** Flags that decide which repository an image gets below `--to`. */
export interface MappingFlags {
  readonly layout?: TargetLayout | undefined;
  readonly map?: string[] | undefined;
}

/** @param where the images are, for the help. */
export function mappingFlags<T>(parser: Argv<T>, where = "below --to"): Argv<T & MappingFlags> {
  return parser
    .option("layout", {
      requiresArg: true,
      choices: ["path", "full", "flat"] as const,
      describe: `names ${where}: path keeps the path, full puts the registry before it, flat makes it one level (default path)`,
    })
    .option("map", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: `images whose name begins with OLD have the path NEW ${where} (default none)`,
    });
}
