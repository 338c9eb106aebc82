import { ArchiveError, InternalError } from "../../errors.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../../oci/layout.ts";
import { REPOSITORIES_FILE } from "../../oci/legacy/legacy-names.ts";
import { type Archive, readMetadata } from "../archive.ts";
import { DOCUMENT_LIMITS } from "../document-limits.ts";

export type MetadataName =
  | typeof LAYOUT_FILE
  | typeof INDEX_FILE
  | typeof DOCKER_MANIFEST_FILE
  | typeof REPOSITORIES_FILE;

const NAMES: readonly MetadataName[] = [LAYOUT_FILE, INDEX_FILE, DOCKER_MANIFEST_FILE, REPOSITORIES_FILE];

/** The files that say which images an archive contains, each read once. */
export class ArchiveMetadata {
  readonly #files: ReadonlyMap<MetadataName, Uint8Array | ArchiveError>;

  private constructor(files: ReadonlyMap<MetadataName, Uint8Array | ArchiveError>) {
    this.#files = files;
  }

  /** An unusable file is no error yet: not every dialect needs every file. */
  static async read(archive: Archive, signal?: AbortSignal): Promise<ArchiveMetadata> {
    const files = new Map<MetadataName, Uint8Array | ArchiveError>();
    for (const name of NAMES) {
      if (!archive.entries.has(name)) continue;
      files.set(name, await readMetadata(archive, name, DOCUMENT_LIMITS[name].maxBytes, signal).catch(unusable));
    }
    return new ArchiveMetadata(files);
  }

  has(name: MetadataName): boolean {
    return this.#files.has(name);
  }

  /** @throws ArchiveError "metadata-link", "too-large" or "no-json"; InternalError for a file that is absent. */
  bytes(name: MetadataName): Uint8Array {
    const file = this.#files.get(name);
    if (file instanceof Uint8Array) return file;
    throw file ?? new InternalError(`Cannot read ${name}: no such entry`);
  }
}

function unusable(error: unknown): ArchiveError {
  if (error instanceof ArchiveError) return error;
  throw error;
}
