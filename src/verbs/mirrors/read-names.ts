import type { ListedReference, ListedReferences } from "../../bundle/list/listed-reference.ts";
import { hasGlob, parseGlob } from "../../bundle/list/reference-glob.ts";
import { refusedError } from "../../bundle/list/refused-texts.ts";
import { uniqueReferences } from "../../bundle/list/unique-references.ts";
import { UsageError } from "../../errors.ts";
import { formatReference, parseReference, type Reference } from "../../oci/reference.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { listNotes } from "../lock/reference-lines.ts";
import { type ReadListsOptions, readList } from "../requested/read-lists.ts";

/** What inputs name. */
export interface NamedImages {
  readonly names: readonly Reference[];
  /** Images of compose files, as these have them. */
  readonly services: readonly { readonly service: string; readonly image: string }[];
  /** What is said of likely references. */
  readonly notes: readonly string[];
}

/**
 * The names of images in archives, folders, volumes, locks and lists.
 *
 * @param isGuessed whether likely references are taken, too.
 * @throws UsageError for an input that cannot be read, with all that was refused, or for wildcards in a repository.
 */
export async function readNames(
  inputs: readonly string[],
  isGuessed: boolean,
  options: ReadListsOptions,
): Promise<NamedImages> {
  const references: ListedReference[] = [];
  const refused: ListedReferences["refused"][number][] = [];
  for (const input of inputs) {
    const found = await readList(input, options);
    append(references, found.references);
    append(refused, found.refused);
  }
  if (refused.length > 0) throw refusedError(refused);
  const taken = references.filter(one => one.class === "certain" || isGuessed);
  return {
    names: taken.map(({ reference, name = reference }) => nameOf(name)),
    services: taken.flatMap(({ service, reference }) => (service === undefined ? [] : [{ service, image: reference }])),
    notes: listNotes({ references: uniqueReferences(references), refused }, isGuessed),
  };
}

/** Of a name with wildcards in its tag, the repository. */
function nameOf(text: string): Reference {
  if (!hasGlob(text)) return parseReference(text);
  const { tag: _, ...name } = parseGlob(text);
  if (!hasGlob(name.repository)) return parseReference(formatReference(name));
  throw new UsageError(
    `Cannot write mirrors of ${quote(text)}: found wildcards in the repository, expected them in the tag alone`,
    { hint: "Name the archive or the lock, which have all repositories." },
  );
}
