import type { ImageSource, Root } from "../content/contracts.ts";
import { ArchiveError } from "../errors.ts";
import { DOCKER_MANIFEST_FILE } from "../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../oci/layout.ts";
import { agree } from "./agree.ts";
import { type ArchiveFile, openArchiveFile } from "./archive-file.ts";
import { type DockerImages, readDockerImages } from "./docker-archive.ts";
import { hasOciLayout, type OciLayout, readOciIndex, readOciLayout } from "./oci-layout.ts";
import { type OciRoot, readOciRoots } from "./oci-roots.ts";
import type { OpenArchiveOptions } from "./spool.ts";

/** An open archive: the views that it offers, and the images on which they agree. */
export interface ArchiveSource extends ImageSource {
  readonly archive: ArchiveFile;
  readonly docker: DockerImages | undefined;
  readonly oci: OciLayout | undefined;
  readonly images: readonly Root[];
}

/**
 * Opens an image archive, in Docker's form, as an OCI layout, or both in one.
 *
 * @throws ArchiveError, StorageError
 */
export async function openArchive(path: string, options: OpenArchiveOptions = {}): Promise<ArchiveSource> {
  const archive = await openArchiveFile(path, options);
  try {
    return await readViews(archive, options);
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}

async function readViews(archive: ArchiveFile, { onDamage, signal }: OpenArchiveOptions): Promise<ArchiveSource> {
  const docker = archive.has(DOCKER_MANIFEST_FILE) ? await readDockerImages(archive, onDamage, signal) : undefined;
  const oci = hasOciLayout(archive) ? await readOciLayout(archive, signal) : undefined;
  if (docker === undefined && oci === undefined) throw noMetadata(archive);
  const roots = oci === undefined ? undefined : await readOciRoots(oci, archive.what, onDamage, signal);
  const stray = oci === undefined ? await readStrayRoots(archive, signal) : [];
  const images = await agree(archive.what, { docker, oci: roots, stray }, signal);
  return {
    archive,
    docker,
    oci,
    images,
    async *roots() {
      yield* images;
    },
    async blob(descriptor) {
      const places = [oci?.slices, docker?.slices].filter(slices => slices !== undefined);
      const place = places.find(slices => slices.has(descriptor.digest)) ?? places[0];
      if (place === undefined) throw noMetadata(archive);
      return place.blob(descriptor);
    },
    [Symbol.asyncDispose]: async () => await archive[Symbol.asyncDispose](),
  };
}

/** Beside a `manifest.json` any other file is allowed; one that is no index says nothing. */
async function readStrayRoots(archive: ArchiveFile, signal: AbortSignal | undefined): Promise<readonly OciRoot[]> {
  if (!archive.has(INDEX_FILE)) return [];
  try {
    return await readOciRoots(await readOciIndex(archive, signal), archive.what, undefined, signal);
  } catch (error) {
    if (error instanceof ArchiveError) return [];
    throw error;
  }
}

function noMetadata(archive: ArchiveFile): ArchiveError {
  const { entries } = archive.index;
  const isLegacy = archive.has("repositories") || [...entries.keys()].some(name => /^[0-9a-f]{64}\/json$/.test(name));
  const found = isLegacy
    ? "an archive of Docker 1.9 or older"
    : archive.has(INDEX_FILE)
      ? `${INDEX_FILE} without ${LAYOUT_FILE}`
      : `no ${DOCKER_MANIFEST_FILE} among ${entries.size} entries`;
  return new ArchiveError(
    "no-metadata",
    `Cannot read ${archive.what}: ${found}, expected ${DOCKER_MANIFEST_FILE} or an OCI layout`,
    {
      hint: isLegacy
        ? "Load it with Docker 28 or older, save it again, and push the new archive."
        : "A root filesystem or a cut archive looks like this: check how the file was made.",
    },
  );
}
