import { digestSchema } from "../../oci/descriptor-schema.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { isTag, parseReference } from "../../oci/reference.ts";
import { ANY, fixedFields, INTEGER, type JsonShape, listOf } from "../../util/json/json-shape.ts";
import {
  array,
  boolean,
  fields,
  nullish,
  number,
  onlyFields,
  rule,
  type Schema,
  transformed,
} from "../../util/json/schema.ts";
import { LOCK_FORMAT } from "./format-lock.ts";
import type {
  AssumedBlob,
  LeftImage,
  Lock,
  LockContents,
  LockedBlob,
  LockedImage,
  LockedKind,
  LockedReferrer,
  LockedSet,
} from "./lock.ts";

const REFERRER_FIELDS = { digest: ANY, subject: ANY, type: ANY, tag: ANY };
const IMAGE_FIELDS = {
  name: ANY,
  digest: ANY,
  written: ANY,
  from: ANY,
  platforms: ANY,
  manifests: ANY,
  absent: ANY,
  referrers: listOf(fixedFields(REFERRER_FIELDS)),
  lookup: ANY,
};

export const LOCK_SHAPE: JsonShape = fixedFields({
  format: ANY,
  version: INTEGER,
  id: ANY,
  platforms: ANY,
  sparse: ANY,
  referrers: ANY,
  layers: ANY,
  images: listOf(fixedFields(IMAGE_FIELDS)),
  left: listOf(fixedFields({ name: ANY, why: ANY })),
  blobs: ANY,
  bases: ANY,
  assumes: ANY,
  needs: ANY,
  set: fixedFields({ id: ANY, number: INTEGER, of: INTEGER, where: ANY }),
});

const MAX_WORD_LENGTH = 1024;
const MAX_NAME_LENGTH = 1536;

/** Printable ASCII: a lock is printed, and compared by people. */
const wordSchema: Schema<string> = rule("lock-text", `at most ${MAX_WORD_LENGTH} printable characters`, isWord);
const nameSchema: Schema<string> = rule("lock-name", "registry/repository with a tag, a digest, or both", isName);
const repositorySchema: Schema<string> = rule("lock-name", "registry/repository", isRepositoryName);

function oneOf<const T extends string>(...words: readonly T[]): Schema<T> {
  return rule("lock-word", words.join(", "), (value): value is T => words.some(word => word === value));
}

/** Before the rest: a newer lock may have any other fields. */
export const versionSchema: Schema<{ readonly version: number }> = fields({
  format: rule("lock-format", `"${LOCK_FORMAT}"`, (value): value is string => value === LOCK_FORMAT),
  version: number(),
});

const referrerSchema: Schema<LockedReferrer> = transformed(
  onlyFields("lock-version", {
    digest: digestSchema,
    subject: nullish(digestSchema),
    type: nullish(wordSchema),
    tag: nullish(rule("lock-tag", "a tag", (value): value is string => typeof value === "string" && isTag(value))),
  }),
  ({ digest, subject, type, tag }) => ({
    digest,
    ...(subject ? { subject } : {}),
    ...(type ? { type } : {}),
    ...(tag ? { tag } : {}),
  }),
);

const imageSchema: Schema<LockedImage> = transformed(
  onlyFields("lock-version", {
    name: nameSchema,
    digest: digestSchema,
    written: nullish(digestSchema),
    from: nullish(repositorySchema),
    platforms: nullish(array(wordSchema)),
    manifests: array(digestSchema),
    absent: nullish(array(wordSchema)),
    referrers: nullish(array(referrerSchema)),
    lookup: nullish(oneOf("complete", "refused", "unsupported")),
  }),
  ({ name, digest, written, from, platforms, manifests, absent, referrers, lookup }) => ({
    name,
    digest,
    ...(written ? { written } : {}),
    ...(from ? { from } : {}),
    ...(platforms ? { platforms } : {}),
    manifests,
    absent: absent ?? [],
    referrers: referrers ?? [],
    ...(lookup ? { lookup } : {}),
  }),
);

const leftSchema: Schema<LeftImage> = onlyFields("lock-version", { name: wordSchema, why: wordSchema });

type BlobRow = readonly [Digest, number, LockedKind, readonly string[]];
const KINDS: readonly unknown[] = ["manifest", "config", "layer"] satisfies readonly LockedKind[];

/** One rule for the whole row: there are many. */
const blobSchema: Schema<LockedBlob> = transformed(
  rule("lock-blob", 'a list of digest, size, "manifest", "config" or "layer", and repositories', isBlobRow),
  ([digest, size, kind, repositories]) => ({ digest, size, kind, repositories }),
);

type AssumedRow = readonly [Digest, number, readonly string[], (readonly string[])?];

const assumedSchema: Schema<AssumedBlob> = transformed(
  rule("lock-blob", "a list of digest, size and one or two lists of repositories", isAssumedRow),
  ([digest, size, repositories, sources]) => ({
    digest,
    size,
    repositories,
    ...(sources === undefined ? {} : { sources }),
  }),
);

const needsSchema: Schema<readonly number[]> = rule("lock-needs", "a list of indexes of blobs", isIndexes);

/** Of one set; volumes are counted from 1. */
export const MAX_VOLUMES = 9999;

const setSchema: Schema<LockedSet> = onlyFields("lock-version", {
  id: digestSchema,
  number: rule("lock-set", `a number from 1 to ${MAX_VOLUMES}`, isVolume),
  of: rule("lock-set", `a number from 1 to ${MAX_VOLUMES}`, isVolume),
  where: array(rule("lock-set", "the volume of a blob, or a list of at least two", isPlace)),
});

export const lockSchema: Schema<{ readonly id: Digest; readonly contents: LockContents }> = transformed(
  onlyFields("lock-version", {
    format: wordSchema,
    version: number(),
    id: digestSchema,
    platforms: array(wordSchema),
    sparse: oneOf<Lock["sparse"]>("keep", "prune", "fail"),
    referrers: boolean(),
    layers: nullish(oneOf("gzip", "zstd", "raw")),
    images: array(imageSchema),
    left: array(leftSchema),
    blobs: array(blobSchema),
    bases: nullish(array(digestSchema)),
    assumes: nullish(array(assumedSchema)),
    needs: nullish(array(needsSchema)),
    set: nullish(setSchema),
  }),
  ({ id, layers, platforms, sparse, referrers, images, left, blobs, bases, assumes, needs, set }) => ({
    id,
    contents: {
      platforms,
      sparse,
      referrers,
      ...(layers ? { layers } : {}),
      images,
      left,
      blobs,
      ...(bases ? { bases } : {}),
      ...(assumes ? { assumes } : {}),
      ...(needs ? { needs } : {}),
      ...(set ? { set } : {}),
    },
  }),
);

/** Whether a text can be a field of a lock that people read. */
export function isWord(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_WORD_LENGTH && /^[\x20-\x7e]+$/.test(value);
}

function isName(value: unknown): value is string {
  if (value === "") return true;
  const reference = parsed(value);
  return reference?.registry !== undefined && (reference.tag ?? reference.digest) !== undefined;
}

function isRepositoryName(value: unknown): value is string {
  const reference = parsed(value);
  return reference?.registry !== undefined && (reference.tag ?? reference.digest) === undefined;
}

function parsed(value: unknown): ReturnType<typeof parseReference> | undefined {
  if (typeof value !== "string" || value.length > MAX_NAME_LENGTH) return undefined;
  try {
    return parseReference(value);
  } catch {
    return undefined;
  }
}

function isBlobRow(value: unknown): value is BlobRow {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [digest, size, kind, repositories] = value as readonly unknown[];
  return isSized(digest, size) && isLockedKind(kind) && isRepositories(repositories);
}

function isAssumedRow(value: unknown): value is AssumedRow {
  if (!Array.isArray(value) || value.length < 3 || value.length > 4) return false;
  const [digest, size, ...repositories] = value as readonly unknown[];
  return isSized(digest, size) && repositories.every(isRepositories);
}

/** A digest, and bytes. */
export function isSized(digest: unknown, size: unknown): boolean {
  return isDigest(digest) && typeof size === "number" && Number.isSafeInteger(size) && size >= 0;
}

export function isLockedKind(value: unknown): value is LockedKind {
  return KINDS.includes(value);
}

export function isRepositories(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isRepositoryName);
}

function isIndexes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(one => Number.isSafeInteger(one) && one >= 0);
}

function isVolume(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_VOLUMES;
}

function isPlace(value: unknown): value is number | readonly number[] {
  return isVolume(value) || (Array.isArray(value) && value.length >= 2 && value.every(isVolume));
}
