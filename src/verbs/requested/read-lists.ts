import type { Readable } from "node:stream";
import { decodeText } from "../../bundle/list/decode-text.ts";
import type { ListedReference, ListedReferences, RefusedText } from "../../bundle/list/listed-reference.ts";
import { parseList } from "../../bundle/list/parse-list.ts";
import { refusedError } from "../../bundle/list/refused-texts.ts";
import { uniqueReferences } from "../../bundle/list/unique-references.ts";
import { UsageError } from "../../errors.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { readBytes, readInputBytes } from "../../util/input-file.ts";
import type { RequestedImage } from "./requested-image.ts";

const MAX_LIST_BYTES = 100 * 1024 * 1024;

export interface ReadListsOptions {
  /** References that are named already, as a line of a list has them: they come first. */
  readonly references?: readonly string[] | undefined;
  /** What "-" reads. Default `process.stdin`. */
  readonly stdin?: Readable | undefined;
  /** Variables of compose files. Default `process.env`. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What files name, in their order, each once.
 *
 * @param files paths, or "-" for stdin.
 * @throws UsageError for a file that cannot be read.
 */
export async function readLists(files: readonly string[], options: ReadListsOptions): Promise<ListedReferences> {
  const references: ListedReference[] = [];
  const refused: RefusedText[] = [];
  const add = (found: ListedReferences): void => {
    append(references, found.references);
    append(refused, found.refused);
  };
  const named = options.references ?? [];
  if (named.length > 0) add(parseList(named.map(text => text.replaceAll(/[\r\n]/g, "\0")).join("\n"), "argument"));
  for (const file of files) add(parseList(await listText(file, options), file));
  return { references: uniqueReferences(references), refused };
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
