import { ArchiveError } from "../../errors.ts";
import { parseJson } from "../../util/json/json.ts";
import { mapOf } from "../../util/json/json-shape.ts";
import { checkSchema, freeMap, string } from "../../util/json/schema.ts";
import { MAX_ARCHIVE_INDEX_BYTES } from "../limits.ts";
import { isLegacyId } from "./legacy-id.ts";

export const REPOSITORIES_FILE = "repositories";

const schema = freeMap(freeMap(string()));

/**
 * Reads the `repositories` file of docker archives: repository → tag → top layer. Only archives without `manifest.json`
 * depend on it.
 *
 * @returns `repository:tag` as found, and the ids of their layers.
 * @throws ArchiveError "legacy-id" (security case M-14), or a json-… reason.
 */
export function parseRepositories(
  bytes: Uint8Array,
  where: string,
): readonly { readonly text: string; readonly id: string }[] {
  const what = REPOSITORIES_FILE;
  const value = parseJson(bytes, {
    what,
    where,
    maxBytes: MAX_ARCHIVE_INDEX_BYTES,
    shape: mapOf(mapOf({ kind: "any" })),
  });
  return [...checkSchema(schema, value, what, where)].flatMap(([repository, tags]) =>
    [...tags].map(([tag, id]) => {
      if (!isLegacyId(id)) {
        throw new ArchiveError(
          "legacy-id",
          `Cannot read ${what} from ${where}: found a bad id, expected 64 hex digits`,
        );
      }
      return { text: `${repository}:${tag}`, id };
    }),
  );
}
