import { LOCK_FILE } from "../bundle/lock/format-lock.ts";
import { LOCK_LIMIT } from "../bundle/lock/parse-lock.ts";
import { MAX_SUMS_BYTES } from "../bundle/sums/parse-sums.ts";
import { DOCKER_MANIFEST_FILE } from "../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../oci/layout.ts";
import { REPOSITORIES_FILE } from "../oci/legacy/legacy-names.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_LAYOUT_HEADER_BYTES } from "../oci/limits.ts";
import type { JsonLimit } from "../util/json/json-excess.ts";
import { MAX_JSON_TOKENS } from "../util/json/json-lexer.ts";
import { SUMS_FILE } from "./entry-names.ts";

const INDEX: JsonLimit = { maxBytes: MAX_ARCHIVE_INDEX_BYTES, maxTokens: MAX_JSON_TOKENS };

export type DocumentName =
  | typeof LAYOUT_FILE
  | typeof INDEX_FILE
  | typeof DOCKER_MANIFEST_FILE
  | typeof REPOSITORIES_FILE
  | typeof LOCK_FILE
  | typeof SUMS_FILE;

/** What is read of each file that describes an archive, and so what may be written. */
export const DOCUMENT_LIMITS: Readonly<Record<DocumentName, JsonLimit>> = {
  [LAYOUT_FILE]: { maxBytes: MAX_LAYOUT_HEADER_BYTES, maxTokens: MAX_JSON_TOKENS },
  [INDEX_FILE]: INDEX,
  [DOCKER_MANIFEST_FILE]: INDEX,
  [REPOSITORIES_FILE]: INDEX,
  [LOCK_FILE]: LOCK_LIMIT,
  // Its lines are read one by one.
  [SUMS_FILE]: { maxBytes: MAX_SUMS_BYTES, maxTokens: undefined },
};
