import { bytesBlob } from "../content/blob.ts";
import type { ArchiveNames } from "../oci/archive-names.ts";
import { DOCKER_MANIFEST_FILE, parseDockerManifest } from "../oci/docker-manifest.ts";
import { MAX_ARCHIVE_INDEX_BYTES } from "../oci/limits.ts";
import type { TarEntry } from "../tar/tar-entry.ts";
import { type Archive, readMetadata } from "./archive.ts";

/** An image of manifest.json with missing entries. */
export interface LostImage extends ArchiveNames {
  /** Entry names. */
  readonly missing: readonly string[];
}

/**
 * The archive with a manifest.json that leaves out images whose config or layers are missing, so that the others can be
 * read.
 *
 * @returns undefined if no image is lost, or none is whole.
 */
export async function salvage(
  archive: Archive,
  signal: AbortSignal | undefined,
): Promise<{ readonly archive: Archive; readonly lostImages: readonly LostImage[] } | undefined> {
  if (!archive.entries.has(DOCKER_MANIFEST_FILE)) return undefined;
  const bytes = await readMetadata(archive, DOCKER_MANIFEST_FILE, MAX_ARCHIVE_INDEX_BYTES, signal);
  const images = parseDockerManifest(bytes, archive.what).map(({ config, layers, names, badNames }) => ({
    names,
    badNames,
    missing: [...new Set([config, ...layers])].filter(name => !archive.entries.has(cleanName(name))),
  }));
  const lostImages = images.filter(({ missing }) => missing.length > 0);
  const original = archive.entries.get(DOCKER_MANIFEST_FILE);
  if (lostImages.length === 0 || lostImages.length === images.length || original === undefined) return undefined;
  const list = JSON.parse(Buffer.from(bytes).toString("utf8")) as readonly unknown[];
  const kept = new TextEncoder().encode(JSON.stringify(list.filter((_, index) => images[index]?.missing.length === 0)));
  const manifest: TarEntry = { ...original, size: kept.length };
  return {
    lostImages,
    archive: {
      path: archive.path,
      what: archive.what,
      fileBytes: archive.fileBytes,
      compression: archive.compression,
      isFolder: archive.isFolder,
      entries: new Map(archive.entries).set(DOCKER_MANIFEST_FILE, manifest),
      streamed: archive.streamed,
      resolve: name => archive.resolve(name),
      compressionOf: async entry => await archive.compressionOf(entry),
      digest: async (entry, signal) => await archive.digest(entry, signal),
      slice: entry => (entry === manifest ? bytesBlob(kept) : archive.slice(entry)),
      confirm: async () => await archive.confirm?.(),
      [Symbol.asyncDispose]: async () => await archive[Symbol.asyncDispose](),
    },
  };
}

function cleanName(name: string): string {
  return name.startsWith("./") ? name.slice(2) : name;
}
