import { decodeText } from "../../bundle/list/decode-text.ts";
import type { ListedReference, ListedReferences, RefusedText } from "../../bundle/list/listed-reference.ts";
import { parseList } from "../../bundle/list/parse-list.ts";
import { isStructured } from "../../bundle/list/recognise.ts";
import { refusedError } from "../../bundle/list/refused-texts.ts";
import { uniqueReferences } from "../../bundle/list/unique-references.ts";
import { isLock } from "../../bundle/lock/parse-lock.ts";
import { isNeed } from "../../bundle/need/parse-need.ts";
import { UsageError } from "../../errors.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { composeVariables, type ListInputOptions, readListInput } from "./list-input.ts";
import type { RequestedImage } from "./requested-image.ts";

export interface ReadListsOptions extends ListInputOptions {
  /** References that are named already, as a line of a list has them: they come first. */
  readonly references?: readonly string[] | undefined;
  /** Variables of compose files. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/**
 * What files name, in their order, each once. What a file is, its content decides.
 *
 * @param files paths, or "-" for stdin.
 * @throws UsageError for a file that cannot be read; ArchiveError, StorageError for an archive that cannot be.
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
  for (const file of files) add(await readList(file, options));
  return { references: uniqueReferences(references), refused };
}

/** What one file names, in its order. @throws as `readLists` */
export async function readList(file: string, options: ReadListsOptions): Promise<ListedReferences> {
  const input = await readListInput(file, options);
  if (input === "archive") {
    const { listedInArchive } = await import("./listed-archive.ts");
    return { references: await listedInArchive(file, options), refused: [] };
  }
  return await listedInBytes(input, file, options);
}

/** What the bytes of a list name, whatever its form. */
export async function listedInBytes(
  bytes: Uint8Array,
  file: string,
  { env = process.env, signal }: ReadListsOptions,
): Promise<ListedReferences> {
  if (isNeed(bytes)) {
    throw new UsageError(`Cannot read list ${quote(file)}: found a need list, expected names of images`, {
      hint: 'Only "imgpack pull -f NEED -o PATCH" takes it: it names bytes of blobs.',
    });
  }
  if (isLock(bytes)) {
    const { listedInLock } = await import("./listed-lock.ts");
    return { references: listedInLock(bytes, file), refused: [] };
  }
  const text = decodeText(bytes);
  if (!isStructured(text)) return parseList(text, file);
  const { parseYaml } = await import("../../bundle/list/yaml/parse-yaml.ts");
  const variables = async () => await composeVariables(file, env, signal);
  return await parseYaml(text, file, { variables, signal });
}

/**
 * The certain references, to pull or copy.
 *
 * @param isGuessed whether the likely ones are taken, too.
 * @throws UsageError with all that was refused.
 */
export function requestedImages(
  { references, refused }: ListedReferences,
  isGuessed: boolean,
): readonly RequestedImage[] {
  if (refused.length > 0) throw refusedError(refused);
  return references.flatMap(({ class: kind, reference, platforms, name, digest, written }) =>
    kind === "certain" || isGuessed ? [{ reference, platform: platforms, name, digest, written }] : [],
  );
}
