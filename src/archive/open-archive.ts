import type { ImageSource, Root } from "../content/contracts.ts";
import { ArchiveError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { DOCKER_MANIFEST_FILE } from "../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../oci/layout.ts";
import type { TarEntry } from "../tar/tar-entry.ts";
import { blameChangedInput } from "../util/input-guard.ts";
import type { Archive } from "./archive.ts";
import { openArchiveFile } from "./open/open-archive-file.ts";
import type { OpenArchiveOptions } from "./open/open-archive-options.ts";
import type { BlobIndex } from "./read/blob-index.ts";
import { blobStream } from "./read/blob-stream.ts";
import { isDirLayout, readDirLayout } from "./read/dir-view.ts";
import { type DockerImages, readDockerImages } from "./read/docker-view.ts";
import { isLegacyArchive, readLegacyImages } from "./read/legacy-view.ts";
import { type OciRoot, readOciRoots } from "./read/oci-roots.ts";
import { hasOciLayout, type OciLayout, readOciIndex, readOciLayout } from "./read/oci-view.ts";
import { reconcileViews } from "./read/reconcile-views.ts";

/** How an archive describes its images. */
export type ArchiveForm = "docker" | "oci" | "docker+oci" | "dir" | "legacy";

/** An open archive: the views that it offers, and the images on which they agree. */
export interface ArchiveSource extends ImageSource {
  readonly archive: Archive;
  confirm(signal?: AbortSignal): Promise<void>;
  readonly form: ArchiveForm;
  readonly docker: DockerImages | undefined;
  readonly oci: OciLayout | undefined;
  readonly images: readonly Root[];
  /** Where blobs lie, one per view; the first one that has a blob serves it. */
  readonly places: readonly BlobIndex[];
  /** Where a blob lies; undefined for one that is not here, or follows from what is. */
  entryOf(digest: Digest): TarEntry | undefined;
}

type Views = Pick<ArchiveSource, "form" | "docker" | "oci" | "images" | "places">;

/**
 * Opens an image archive: docker's form of any age, an OCI layout, both in one, or skopeo's "dir:" form; a tar, plain or
 * compressed, or a folder.
 *
 * @throws ArchiveError, StorageError
 */
export async function openArchive(path: string, options: OpenArchiveOptions = {}): Promise<ArchiveSource> {
  return await archiveSource(await openArchiveFile(path, options), options);
}

/** Takes over `archive`, and closes it when it cannot be understood. @throws ArchiveError, IntegrityError */
export async function archiveSource(archive: Archive, options: OpenArchiveOptions): Promise<ArchiveSource> {
  try {
    const views = await blameChangedInput(
      async () => await archive.confirm?.(),
      async () => await readViews(archive, options),
    );
    const { images, places } = views;
    const placeOf = (digest: Digest): BlobIndex | undefined => places.find(place => place.has(digest));
    return {
      archive,
      ...views,
      async *roots() {
        yield* images;
      },
      async blob(descriptor) {
        const place = placeOf(descriptor.digest) ?? places[0];
        if (place === undefined) throw noMetadata(archive);
        return place.blob(descriptor);
      },
      confirm: async () => await archive.confirm?.(),
      entryOf: digest => placeOf(digest)?.entry(digest),
      stream:
        archive.passing === undefined
          ? undefined
          : blobStream(archive, archive.passing, digest => placeOf(digest)?.entry(digest)),
      [Symbol.asyncDispose]: async () => await archive[Symbol.asyncDispose](),
    };
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

async function readViews(archive: Archive, options: OpenArchiveOptions): Promise<Views> {
  const { onDamage, onNote, signal } = options;
  if (await isDirLayout(archive, signal)) {
    const { root, slices } = await readDirLayout(archive, signal);
    return { form: "dir", docker: undefined, oci: undefined, images: [root], places: [slices] };
  }
  const docker = archive.entries.has(DOCKER_MANIFEST_FILE)
    ? await readDockerImages(archive, onDamage, signal)
    : undefined;
  const oci = await readOci(archive, docker === undefined, onNote, signal);
  if (docker === undefined && oci === undefined) {
    if (!isLegacyArchive(archive)) throw noMetadata(archive);
    const { images, slices } = await readLegacyImages(archive, signal);
    return { form: "legacy", docker, oci, images, places: [slices] };
  }
  const roots = oci === undefined ? undefined : await readOciRoots(oci, archive.what, onDamage, signal);
  const stray = oci === undefined ? await readStrayRoots(archive, signal) : [];
  const images = await reconcileViews(archive.what, { docker, oci: roots, stray }, signal);
  const form = docker === undefined ? "oci" : oci === undefined ? "docker" : "docker+oci";
  const places = [oci?.slices, docker?.slices].filter(slices => slices !== undefined);
  return { form, docker, oci, images, places };
}

/** Some writers leave `oci-layout` out; without another view the index is all there is, and it is believed. */
async function readOci(
  archive: Archive,
  isAlone: boolean,
  onNote: OpenArchiveOptions["onNote"],
  signal: AbortSignal | undefined,
): Promise<OciLayout | undefined> {
  if (hasOciLayout(archive)) return await readOciLayout(archive, signal);
  if (!isAlone || !archive.entries.has(INDEX_FILE)) return undefined;
  onNote?.(
    `${archive.what.charAt(0).toUpperCase()}${archive.what.slice(1)} has no ${LAYOUT_FILE}; ${INDEX_FILE} is followed`,
  );
  return await readOciIndex(archive, signal);
}

/** Beside a `manifest.json` any other file is allowed; one that is no index says nothing. */
async function readStrayRoots(archive: Archive, signal: AbortSignal | undefined): Promise<readonly OciRoot[]> {
  if (!archive.entries.has(INDEX_FILE)) return [];
  try {
    return await readOciRoots(await readOciIndex(archive, signal), archive.what, undefined, signal);
  } catch (error) {
    if (error instanceof ArchiveError) return [];
    throw error;
  }
}

function noMetadata(archive: Archive): ArchiveError {
  const found = `no ${DOCKER_MANIFEST_FILE} among ${archive.entries.size} entries`;
  return new ArchiveError(
    "no-metadata",
    `Cannot read ${archive.what}: ${found}, expected ${DOCKER_MANIFEST_FILE} or an OCI layout`,
    { hint: "A root filesystem or a cut archive looks like this: check how the file was made." },
  );
}
