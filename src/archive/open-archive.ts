import type { Lock } from "../bundle/lock/lock.ts";
import { rootsOf } from "../content/derived-source.ts";
import { ArchiveError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { DOCKER_MANIFEST_FILE, parseDockerManifest } from "../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../oci/layout.ts";
import type { TarEntry } from "../tar/tar-entry.ts";
import { blameChangedInput } from "../util/input-guard.ts";
import { absentError, assumedBlobs } from "./absent-blobs.ts";
import type { Archive } from "./archive.ts";
import type { ArchiveSource } from "./archive-source.ts";
import { checkLockedImages, usableLock } from "./lock/archive-lock.ts";
import { type BundlePart, readBundlePart } from "./lock/bundle-part.ts";
import { checkReadContents, type ReadContents, readContents } from "./lock/check-contents.ts";
import { KnownLocks } from "./lock/known-locks.ts";
import { noMetadata } from "./no-metadata.ts";
import { openArchiveFile } from "./open/open-archive-file.ts";
import type { OpenArchiveOptions } from "./open/open-archive-options.ts";
import { ArchiveMetadata } from "./read/archive-metadata.ts";
import type { BlobIndex } from "./read/blob-index.ts";
import { deferredViews } from "./read/deferred-views.ts";
import { dirView, isDirArchive } from "./read/dir-view.ts";
import { readDockerView } from "./read/docker-view.ts";
import { type EntryReferrers, entryReferrers } from "./read/entry-referrers.ts";
import { isLegacyArchive } from "./read/is-legacy-archive.ts";
import type { LegacyView } from "./read/legacy-view.ts";
import { NamedBlobs } from "./read/named-blobs.ts";
import { type OciRoot, readOciRoots } from "./read/oci-roots.ts";
import { namedBlobs, type OciView, ociView } from "./read/oci-view.ts";
import { reconcileViews } from "./read/reconcile-views.ts";
import { streamedBlobs } from "./read/streamed-blobs.ts";
import { archiveReferrers } from "./referrers/archive-referrers.ts";

export type { ArchiveDialect, ArchiveSource } from "./archive-source.ts";

interface Views extends Pick<ArchiveSource, "dialect" | "docker" | "oci" | "images"> {
  /** One per view; the first one that has a blob serves it. */
  readonly indexes: readonly BlobIndex[];
  readonly claims: () => Promise<EntryReferrers["claims"]>;
  /** Undefined where the manifests are not read, or may be damaged. */
  readonly contents?: ReadContents | undefined;
  readonly checkImage?: ArchiveSource["checkImage"];
  readonly chains?: LegacyView["chains"];
}

/**
 * Opens one file or folder in any dialect: docker's of any age, an OCI layout, both in one, or skopeo's "dir:"; as a tar,
 * plain or compressed, or as a folder. A volume or a delta has images that it is not whole without other files:
 * `openArchives` puts them together.
 *
 * @throws ArchiveError, StorageError
 */
export async function openArchive(path: string, options: OpenArchiveOptions = {}): Promise<ArchiveSource> {
  if (options.isTolerant === true) {
    const { recoverArchive } = await import("./damage/recover-archive.ts");
    const recovered = await recoverArchive(path, options);
    if (recovered !== undefined) {
      const { archive, lock, roots } = recovered;
      return sourceOf(archive, { kind: "locked", lock, roots }, blobViews(archive), options);
    }
  }
  return await archiveSource(await openArchiveFile(path, options), options);
}

/** Takes over `archive`, and closes it if it cannot be understood. @throws ArchiveError, IntegrityError */
export async function archiveSource(archive: Archive, options: OpenArchiveOptions): Promise<ArchiveSource> {
  try {
    return await blameChangedInput(
      async () => await archive.confirm?.(),
      async () => {
        const part = await readBundlePart(archive, options.locks ?? new KnownLocks(), options.signal);
        const views =
          part?.kind === "patch"
            ? blobViews(archive)
            : await readViews(archive, part === undefined ? options : { ...options, deferAbove: undefined });
        if (part?.kind === "locked") {
          const { images, contents } = views;
          checkLockedImages(part.lock, images, archive.what);
          if (contents !== undefined) checkReadContents(part.lock, images, contents, archive.what);
        }
        return sourceOf(archive, part, views, options);
      },
    );
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

function sourceOf(
  archive: Archive,
  part: BundlePart | undefined,
  { dialect, docker, oci, images, indexes, claims, contents, checkImage, chains }: Views,
  { onNote = () => undefined, locks = new KnownLocks() }: OpenArchiveOptions,
): ArchiveSource {
  let read: Promise<Lock | undefined> | undefined;
  const lock = async (signal?: AbortSignal): Promise<Lock | undefined> => {
    read ??=
      part === undefined ? usableLock(archive, images, onNote, locks, contents, signal) : Promise.resolve(lockOf(part));
    return await read;
  };
  const indexOf = (digest: Digest): BlobIndex | undefined => indexes.find(index => index.has(digest));
  const hasBlob = (digest: Digest): boolean => indexOf(digest) !== undefined;
  const entryOf = (digest: Digest): TarEntry | undefined => indexOf(digest)?.entry(digest);
  const known = part === undefined ? undefined : lockOf(part);
  const absent = new Map((known === undefined ? [] : assumedBlobs(known, hasBlob)).map(blob => [blob.digest, blob]));
  const source: ArchiveSource = {
    archive,
    what: archive.what,
    get members() {
      return [source];
    },
    dialect,
    docker,
    oci,
    images,
    part,
    bundle: part?.kind === "patch" ? part.need.of : known?.id,
    volumes: undefined,
    absent: [...absent.values()],
    async legacyChain(config, signal) {
      const ids = chains?.get(config);
      if (ids === undefined) return undefined;
      const { readLegacyChain } = await import("./read/legacy-view.ts");
      return await readLegacyChain(archive, ids, signal);
    },
    roots: rootsOf(images),
    async blob(descriptor) {
      if (absent.has(descriptor.digest)) throw absentError("read", source, source.absent, { bases: known?.bases });
      const index = indexOf(descriptor.digest) ?? indexes[0];
      if (index === undefined) throw noMetadata(archive);
      return index.blob(descriptor);
    },
    has: async ({ digest }) => hasBlob(digest) || absent.has(digest),
    confirm: async () => await archive.confirm?.(),
    referrers: archiveReferrers(claims, lock),
    checkImage,
    lock,
    hasBlob,
    sizeOf: digest => indexOf(digest)?.size(digest) ?? absent.get(digest)?.size,
    entryOf,
    streamed: archive.streamed && streamedBlobs(archive, archive.streamed, entryOf),
    [Symbol.asyncDispose]: async () => await archive[Symbol.asyncDispose](),
  };
  return source;
}

function lockOf(part: BundlePart): Lock | undefined {
  return part.kind === "locked" ? part.lock : undefined;
}

/** A patch has blobs and pieces of them, and no images; of a damaged archive, the lock has them. */
function blobViews(archive: Archive): Views {
  return {
    dialect: "oci",
    docker: undefined,
    oci: undefined,
    images: [],
    indexes: [namedBlobs(archive)],
    claims: NO_CLAIMS,
  };
}

async function readViews(archive: Archive, options: OpenArchiveOptions): Promise<Views> {
  const { onDamage, onNote, signal } = options;
  const metadata = await ArchiveMetadata.read(archive, signal);
  if (isDirArchive(archive, metadata)) {
    const { root, blobs } = dirView(archive, metadata);
    return { dialect: "dir", docker: undefined, oci: undefined, images: [root], indexes: [blobs], claims: NO_CLAIMS };
  }
  const oci = isOciArchive(metadata) ? ociView(archive, metadata) : undefined;
  const deferred = oci === undefined ? undefined : deferredOf(archive, metadata, oci, options);
  if (deferred !== undefined) return deferred;
  const named = new NamedBlobs();
  const roots = oci === undefined ? undefined : await readOciRoots(oci, archive.what, onDamage, signal, named);
  const artifacts = new Set((roots ?? []).flatMap(root => [...root.artifacts]));
  const docker = metadata.has(DOCKER_MANIFEST_FILE)
    ? await readDockerView(archive, metadata, { artifacts, mayBeEmpty: oci !== undefined, onDamage, signal })
    : undefined;
  if (docker === undefined && oci === undefined) {
    if (!isLegacyArchive(archive, metadata)) throw noMetadata(archive);
    const { readLegacyView } = await import("./read/legacy-view.ts");
    const { images, blobs, chains } = await readLegacyView(archive, metadata, signal);
    return { dialect: "legacy", docker, oci, images, indexes: [blobs], claims: NO_CLAIMS, chains };
  }
  if (!metadata.has(LAYOUT_FILE) && oci !== undefined) onNote?.(noLayoutFile(archive));
  const stray = oci === undefined ? await readStrayRoots(archive, metadata, signal) : [];
  const entries = roots === undefined ? undefined : entryReferrers(roots);
  const images = await reconcileViews(archive.what, { docker, oci: entries?.roots, stray }, signal);
  const dialect = docker === undefined ? "oci" : oci === undefined ? "docker" : "docker+oci";
  const indexes = [oci?.blobs, docker?.blobs].filter(index => index !== undefined);
  const claims = entries?.claims;
  const readClaims = claims === undefined ? NO_CLAIMS : async () => claims;
  const isCompared = onDamage === undefined && options.checksSignature !== true;
  const contents = oci && roots && isCompared ? readContents(roots, named, oci.blobs) : undefined;
  return { dialect, docker, oci, images, indexes, claims: readClaims, contents };
}

/** Undefined where the manifests are to be read at once. */
function deferredOf(
  archive: Archive,
  metadata: ArchiveMetadata,
  oci: OciView,
  { deferAbove = Number.POSITIVE_INFINITY }: OpenArchiveOptions,
): Views | undefined {
  if (oci.index.roots.length <= deferAbove || !metadata.has(LAYOUT_FILE)) return undefined;
  const hasDocker = metadata.has(DOCKER_MANIFEST_FILE);
  const entries = hasDocker ? parseDockerManifest(metadata.bytes(DOCKER_MANIFEST_FILE), archive.what) : [];
  const unread = deferredViews(archive, oci, entries);
  if (unread === undefined) return undefined;
  return {
    dialect: hasDocker ? "docker+oci" : "oci",
    docker: undefined,
    oci,
    images: unread.images,
    indexes: [oci.blobs],
    claims: async () => await unread.claims(),
    checkImage: async (image, signal) => await unread.check(image, signal),
  };
}

const NO_CLAIMS: Views["claims"] = async () => new Map();

/** Some writers leave `oci-layout` out: then `index.json` counts only without a `manifest.json`. */
function isOciArchive(metadata: ArchiveMetadata): boolean {
  return metadata.has(INDEX_FILE) && (metadata.has(LAYOUT_FILE) || !metadata.has(DOCKER_MANIFEST_FILE));
}

/** Any file may be next to a `manifest.json`: an `index.json` that is no index has no roots. */
async function readStrayRoots(
  archive: Archive,
  metadata: ArchiveMetadata,
  signal: AbortSignal | undefined,
): Promise<readonly OciRoot[]> {
  if (!metadata.has(INDEX_FILE)) return [];
  try {
    return await readOciRoots(ociView(archive, metadata), archive.what, undefined, signal);
  } catch (error) {
    if (error instanceof ArchiveError) return [];
    throw error;
  }
}

function noLayoutFile({ what }: Archive): string {
  return `${what.charAt(0).toUpperCase()}${what.slice(1)} has no ${LAYOUT_FILE}; using its ${INDEX_FILE}`;
}
