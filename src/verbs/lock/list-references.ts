import type { Readable } from "node:stream";
import type { ListedReferences } from "../../bundle/list/listed-reference.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { ENVIRONMENT, READABLE, SIGNAL, TEXT_LIST } from "../../util/options/option-kinds.ts";
import { checkedList } from "../options/option-values.ts";
import { readLists } from "../requested/read-lists.ts";

/** Options of `listReferences`. */
export interface ListReferencesOptions {
  /** References that are named already, as a line of a list has them: they come first. */
  readonly references?: readonly string[] | undefined;
  /** What "-" reads. Default `process.stdin`. */
  readonly stdin?: Readable | undefined;
  /** Variables of compose files, which win over those of a `.env` file. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: OptionsShape<ListReferencesOptions> = {
  references: TEXT_LIST,
  stdin: READABLE,
  env: ENVIRONMENT,
  signal: SIGNAL,
};

/**
 * Finds the images that files name, each once, with the place where it was found. Asks no registry.
 *
 * @param files paths of lists, or "-" for stdin.
 * @returns also what stands where a reference belongs and is none, in `refused`.
 * @throws UsageError for a file that cannot be read.
 * @example
 * ```ts
 * import { listReferences } from "imgpack";
 *
 * const { references } = await listReferences(["images.txt"]);
 * for (const { reference, class: kind, file, line } of references) console.log(reference, kind, `${file}:${line}`);
 * ```
 */
export async function listReferences(
  files: readonly string[],
  options: ListReferencesOptions = {},
): Promise<ListedReferences> {
  files = checkedList("list references", "paths", files);
  return await readLists(files, checkedOptions(options, OPTIONS));
}
