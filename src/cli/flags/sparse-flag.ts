import type { Argv } from "yargs";
import type { Sparse } from "../../index.ts";

/** `--sparse` of the commands that read registries. */
export function sparseFlag<T>(parser: Argv<T>): Argv<T & { readonly sparse?: Sparse | undefined }> {
  return parser.option("sparse", {
    requiresArg: true,
    choices: ["keep", "prune", "fail"] as const,
    describe: "an index with platforms that were not asked for: keep it, prune it, or fail (default keep)",
  });
}
