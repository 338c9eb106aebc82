import type { Readable } from "node:stream";
import { decodeText } from "../../bundle/list/decode-text.ts";
import type { ListedReference, ListedReferences, RefusedText } from "../../bundle/list/listed-reference.ts";
import { parseList } from "../../bundle/list/parse-list.ts";
import { refusedError } from "../../bundle/list/refused-texts.ts";
import { UsageError } from "../../errors.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { readBytes, readInputBytes } from "../../util/input-file.ts";
import type { RequestedImage } from "./requested-image.ts";

const MAX_LIST_BYTES = 100 * 1024 * 1024;

export interface ReadListsOptions {
  /** What "-" reads. Default `process.stdin`. */
  readonly stdin?: Readable | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What files name, in their order.
 *
 * @param files paths, or "-" for stdin.
 * @throws UsageError for a file that cannot be read.
 */
export async function readLists(files: readonly string[], options: ReadListsOptions): Promise<ListedReferences> {
  const references: ListedReference[] = [];
  const refused: RefusedText[] = [];
  for (const file of files) {
    const found = parseList(await listText(file, options), file);
    append(references, found.references);
    append(refused, found.refused);
  }
  return { references, refused };
}

/** The certain references, to pull or copy. @throws UsageError with all that was refused. */
export function requestedImages({ references, refused }: ListedReferences): readonly RequestedImage[] {
  if (refused.length > 0) throw refusedError("read images", refused);
  return references.flatMap(({ class: kind, reference, platforms, name }) =>
    kind === "certain" ? [{ reference, platform: platforms, name }] : [],
  );
}

/** @throws UsageError for a file that cannot be read. */
export async function listText(path: string, { stdin = process.stdin, signal }: ReadListsOptions): Promise<string> {
  try {
    const reading =
      path === "-" ? readBytes(stdin, MAX_LIST_BYTES, signal) : readInputBytes(path, MAX_LIST_BYTES, signal);
    return decodeText(await reading);
  } catch (cause) {
    signal?.throwIfAborted();
    const found = cause instanceof RangeError ? cause.message : "no readable file";
    throw new UsageError(`Cannot read list ${quote(path)}: found ${found}, expected a list`, { cause });
  }
}
