import { ArchiveError } from "../../errors.ts";
import { digestSchema } from "../../oci/descriptor-schema.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseJson } from "../../util/json/json.ts";
import { ANY, fixedFields, INTEGER, type JsonShape } from "../../util/json/json-shape.ts";
import {
  array,
  checkSchema,
  fields,
  number,
  onlyFields,
  rule,
  type Schema,
  transformed,
} from "../../util/json/schema.ts";
import type { LockedKind } from "../lock/lock.ts";
import { isLockedKind, isRepositories, isSized, isWord, MAX_VOLUMES } from "../lock/lock-schema.ts";
import { MAX_LOCK_BYTES, MAX_LOCK_TOKENS, type ParseLockOptions, startsAs } from "../lock/parse-lock.ts";
import { NEED_FORMAT, NEED_VERSION } from "./format-need.ts";
import type { Need, NeededBlob } from "./need.ts";

/** Bytes of a blob that are checked, and repaired, by themselves; the last piece of a blob may be shorter. */
export const PIECE_BYTES: number = 4 * 1024 * 1024;

const NEED_SHAPE: JsonShape = fixedFields({
  format: ANY,
  version: INTEGER,
  of: ANY,
  volumes: ANY,
  images: ANY,
  blobs: ANY,
});

const versionSchema: Schema<{ readonly version: number }> = fields({
  format: rule("need-format", `"${NEED_FORMAT}"`, (value): value is string => value === NEED_FORMAT),
  version: number(),
});

type NeededRow = readonly [Digest, number, LockedKind, readonly string[], NonNullable<NeededBlob["ranges"]>?];

const blobSchema: Schema<NeededBlob> = transformed(
  rule(
    "need-blob",
    "a list of digest, size, kind and repositories, and ranges on borders of 4 MiB if not all of it is needed",
    isNeededRow,
  ),
  ([digest, size, kind, repositories, ranges]) => ({
    digest,
    size,
    kind,
    repositories,
    ...(ranges === undefined ? {} : { ranges }),
  }),
);

const needSchema: Schema<Need> = transformed(
  onlyFields("need-version", {
    format: rule("need-format", `"${NEED_FORMAT}"`, (value): value is string => value === NEED_FORMAT),
    version: number(),
    of: digestSchema,
    volumes: array(
      rule("need-volume", `a number from 1 to ${MAX_VOLUMES}`, (value): value is number =>
        isNumberIn(value, 1, MAX_VOLUMES),
      ),
    ),
    images: array(rule("need-image", "the name of an image", isWord)),
    blobs: array(blobSchema),
  }),
  ({ of, volumes, images, blobs }) => ({ of, volumes, images, blobs }),
);

/** Whether a file is meant to be a need list, by its first bytes. */
export function isNeed(bytes: Uint8Array): boolean {
  return startsAs(bytes, NEED_FORMAT);
}

/**
 * @throws the error of `options.fail`. Reasons: "need-version" for a list of a newer imgpack, "need-repeated", and those of
 * `parseJson` and `checkSchema`.
 */
export function parseNeed(bytes: Uint8Array, options: ParseLockOptions): Need {
  const { where } = options;
  const fail = options.fail ?? ((reason, message, hint) => new ArchiveError(reason, message, { hint }));
  const isNewer = (reason: string): boolean => reason === "need-version";
  const refuse = (reason: string, message: string): Error => fail(reason, message, isNewer(reason) ? NEWER : undefined);
  const value = parseJson(bytes, {
    what: "need list",
    where,
    maxBytes: MAX_LOCK_BYTES,
    maxTokens: MAX_LOCK_TOKENS,
    shape: NEED_SHAPE,
    fail: refuse,
  });
  const { version } = checkSchema(versionSchema, value, "need list", where, refuse);
  if (version !== NEED_VERSION) {
    const found = `found version ${version}, expected ${NEED_VERSION}`;
    throw refuse("need-version", `Cannot read need list from ${where}: ${found}`);
  }
  const need = checkSchema(needSchema, value, "need list", where, refuse);
  const seen = new Set<Digest>();
  const twice = need.blobs.find(({ digest }) => seen.size === seen.add(digest).size);
  if (twice === undefined) return need;
  throw fail("need-repeated", `Cannot read need list from ${where}: found ${twice.digest} twice, expected it once`);
}

const NEWER = "A newer imgpack wrote it: use that one.";

function isNeededRow(value: unknown): value is NeededRow {
  if (!Array.isArray(value) || value.length < 4 || value.length > 5) return false;
  const [digest, size, kind, repositories, ranges] = value as readonly unknown[];
  if (!isSized(digest, size) || !isLockedKind(kind) || !isRepositories(repositories)) return false;
  return ranges === undefined || areRanges(ranges, Number(size));
}

/** At least one; sorted, apart, on borders of pieces or at the end of the blob. */
function areRanges(value: unknown, size: number): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  let last = -1;
  return value.every(range => {
    if (!Array.isArray(range) || range.length !== 2) return false;
    const [from, to] = range as readonly unknown[];
    if (!isNumberIn(from, last + 1, size - 1) || from % PIECE_BYTES !== 0) return false;
    if (!isNumberIn(to, from + 1, size) || (to % PIECE_BYTES !== 0 && to !== size)) return false;
    last = to;
    return true;
  });
}

function isNumberIn(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max;
}
