import type { Argv } from "yargs";
import type { TargetLayout } from "../../index.ts";

/** Flags that decide which repository an image gets below `--to`. */
export interface MappingFlags {
  readonly layout?: TargetLayout | undefined;
  readonly map?: string[] | undefined;
}

export function mappingFlags<T>(parser: Argv<T>): Argv<T & MappingFlags> {
  return parser
    .option("layout", {
      requiresArg: true,
      choices: ["path", "full", "flat"] as const,
      describe:
        "repository below the target: the path of the name, the same after its registry, or one level (default path)",
    })
    .option("map", {
      type: "string",
      array: true,
      requiresArg: true,
      nargs: 1,
      describe: "images whose name begins with OLD go to the path NEW (default none)",
    });
}
