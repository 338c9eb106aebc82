import { decodeText } from "../../bundle/list/decode-text.ts";
import type { ListedReference, RefusedText } from "../../bundle/list/listed-reference.ts";
import { linesOf } from "../../bundle/list/parse-list.ts";
import { isStructured } from "../../bundle/list/recognise.ts";
import { refusedError } from "../../bundle/list/refused-texts.ts";
import { UsageError } from "../../errors.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { stat } from "../../util/read-disk.ts";
import { readListInput } from "./list-input.ts";
import { listedInBytes, type ReadListsOptions } from "./read-lists.ts";

/** What the lists of a push name. */
export interface PushLists {
  /** Paths. */
  readonly archives: readonly string[];
  /** Names of images, to push these alone. */
  readonly images: readonly string[];
}

/**
 * Reads lists of archives, or of images to push out of archives. A plain list names images if there is an archive to find
 * them in, and none of its lines is the path of a file; anything else that names images always does.
 *
 * @param hasArchives whether archives are named already.
 * @throws UsageError for a file that cannot be read, for names of images without an archive that they are in, or with all lines of lists of images that cannot be taken.
 */
export async function readPushLists(
  files: readonly string[],
  hasArchives: boolean,
  options: ReadListsOptions,
): Promise<PushLists> {
  const archives: string[] = [];
  const images: string[] = [];
  const refused: RefusedText[] = [];
  const named: string[] = [];
  for (const file of files) {
    const bytes = await readListInput(file, options);
    if (bytes === "archive") {
      archives.push(file);
      continue;
    }
    const text = decodeText(bytes);
    const paths = [...linesOf(text)].map(line => line.trim()).filter(line => line !== "" && !line.startsWith("#"));
    if (!isStructured(text) && (!hasArchives || (await isAnyPath(paths)))) {
      append(archives, paths);
      continue;
    }
    const found = await listedInBytes(bytes, file, options);
    append(refused, found.refused);
    if (found.references.length > 0) named.push(file);
    for (const image of found.references) {
      if (image.class === "likely") continue;
      images.push(image.reference);
      append(refused, tooMuch(image));
    }
  }
  if (refused.length > 0) throw refusedError(refused);
  const [list] = named;
  if (list !== undefined && !hasArchives && archives.length === 0) throw withoutArchive(list);
  return { archives, images: [...new Set(images)] };
}

function withoutArchive(list: string): UsageError {
  return new UsageError(
    `Cannot push the images of ${quote(list)}: found no archive, expected the one that they are in`,
    {
      hint: `Name it, "imgpack push ARCHIVE -f ${list}"; or copy the images from their registries, "imgpack copy -f ${list} --to HOST".`,
    },
  );
}

async function isAnyPath(lines: readonly string[]): Promise<boolean> {
  for (const line of lines) {
    if (line === "-") return true;
    const stats = await stat(line).catch(() => undefined);
    if (stats !== undefined) return true;
  }
  return false;
}

/** An archive decides which platforms it has, and `--tag` how an image is called. */
function tooMuch({ file, line, reference, platforms, name }: ListedReference): readonly RefusedText[] {
  if (platforms === undefined && name === undefined) return [];
  const found = platforms === undefined ? "a new name" : "platforms";
  return [{ file, line, text: reference, why: `found ${found} for it, expected the name of an image alone` }];
}
