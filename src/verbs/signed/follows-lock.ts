import type { ArchiveSource } from "../../archive/archive-source.ts";
import { digestInName } from "../../archive/blob-name.ts";
import { parsePartName, SIGNATURE_FILE, SUMS_FILE } from "../../archive/entry-names.ts";
import { checkLockedImages } from "../../archive/lock/archive-lock.ts";
import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { ArchiveError, IntegrityError } from "../../errors.ts";
import { ANNOTATION_IMAGE_NAME, ANNOTATION_REF_NAME } from "../../oci/annotations.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../../oci/layout.ts";
import { parseReference } from "../../oci/reference.ts";
import { parseReferrersTag } from "../../oci/referrers/referrers-tag.ts";
import { quote } from "../../util/format.ts";

/** Files of an archive next to its blobs, as imgpack writes it. */
const METADATA: ReadonlySet<string> = new Set([
  LAYOUT_FILE,
  INDEX_FILE,
  DOCKER_MANIFEST_FILE,
  LOCK_FILE,
  SIGNATURE_FILE,
  SUMS_FILE,
]);
const ABSENT = /^imgpack\/absent\/[0-9a-f]{64}$/;

/**
 * Checks that an archive has nothing that its lock does not name, which imgpack or a loader could use: no image, no name of
 * one, nothing that refers to one, no other file. What the manifests of the images name needs no check: their digests are in
 * the lock.
 *
 * @throws IntegrityError that names what the lock lacks.
 */
export async function checkFollowsLock(
  source: ArchiveSource,
  lock: Lock,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { images, what } = source;
  try {
    checkLockedImages(lock, images, what);
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.reason !== "lock-differs") throw error;
    throw new IntegrityError(error.message, { hint: error.hint, cause: error });
  }
  const extra = extraName(source) ?? (await extraReferrer(source, lock, signal)) ?? extraFile(source, lock);
  if (extra === undefined) return;
  throw new IntegrityError(
    `Cannot accept ${what}: it contains ${extra}, expected what its lock names and nothing else`,
    { hint: "The archive was changed after it was signed: copy it again from its source." },
  );
}

/** A name that only some of the tools that load the archive read. */
function extraName({ oci, images }: ArchiveSource): string | undefined {
  const bad = images.flatMap(({ badNames = [] }) => badNames)[0];
  if (bad !== undefined) return `the name ${quote(bad)}`;
  for (const { annotations } of oci?.index.view.manifests ?? []) {
    const [name, tag] = [annotations?.[ANNOTATION_IMAGE_NAME], annotations?.[ANNOTATION_REF_NAME]];
    if (tag === undefined) continue;
    const { tag: named, digest } = name === undefined ? {} : parseReference(name);
    if (name === undefined ? parseReferrersTag(tag) === undefined : named !== tag && digest === undefined)
      return `the tag ${quote(tag)}`;
  }
  return undefined;
}

async function extraReferrer(
  source: ArchiveSource,
  lock: Lock,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const rows = lock.images.flatMap(({ referrers }) => referrers);
  const known = new Set(rows.flatMap(({ digest, subject, tag }) => [`${digest} ${subject}`, `${digest} ${tag}`]));
  const subjects = new Set([...lock.images.flatMap(({ manifests }) => manifests), ...rows.map(({ digest }) => digest)]);
  for (const about of subjects) {
    const { found = [] } = (await source.referrers?.(about, signal)) ?? {};
    const extra = found.find(({ descriptor, subject, tag }) => !known.has(`${descriptor.digest} ${tag ?? subject}`));
    if (extra !== undefined) return `${extra.descriptor.digest}, which refers to ${about}`;
  }
  return undefined;
}

type Entry =
  ArchiveSource["archive"]["entries"] extends ReadonlyMap<infer Name, infer Value> ? readonly [Name, Value] : never;

function extraFile({ archive, oci }: ArchiveSource, { blobs }: Lock): string | undefined {
  // Entries of `index.json` are images, and what refers to them; both are checked already.
  const listed = (oci?.index.roots ?? []).map(({ descriptor }) => descriptor.digest);
  const known = new Set<string>([...blobs.map(({ digest }) => digest), ...listed]);
  const isKnown = ([name, { type, size }]: Entry): boolean => {
    if (type === "directory") return true;
    if (type !== "file") return false;
    const digest = digestInName(name) ?? parsePartName(name)?.digest;
    return digest === undefined ? METADATA.has(name) || (ABSENT.test(name) && size === 0) : known.has(digest);
  };
  const extra = [...archive.entries].find(entry => !isKnown(entry));
  return extra && `the file ${quote(extra[0])}`;
}
