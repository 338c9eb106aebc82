import { bytesBlob } from "../../content/blob.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import type { Archive } from "../archive.ts";

/** The entries of blobs in an archive, by the digest that something in it claims for them. */
export class BlobIndex {
  readonly #archive: Archive;
  readonly #entries = new Map<Digest, TarEntry>();
  readonly #made = new Map<Digest, Uint8Array>();

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  add(digest: Digest, entry: TarEntry): void {
    if (!this.#entries.has(digest)) this.#entries.set(digest, entry);
  }

  /** A blob that is no entry, but made from entries. */
  addMade(digest: Digest, bytes: Uint8Array): void {
    this.#made.set(digest, bytes);
  }

  has(digest: Digest): boolean {
    return this.#made.has(digest) || this.#entries.has(digest);
  }

  entry(digest: Digest): TarEntry | undefined {
    return this.#entries.get(digest);
  }

  /** Bytes of a blob that it has. */
  size(digest: Digest): number | undefined {
    return this.#made.get(digest)?.length ?? this.#entries.get(digest)?.size;
  }

  /** Blobs that are in no manifest, with the digest in their entry's name. */
  unclaimed(claimed: ReadonlySet<Digest>): readonly Descriptor[] {
    return [...this.#entries].flatMap(([digest, { size }]) =>
      claimed.has(digest) ? [] : [{ mediaType: "application/octet-stream", digest, size }],
    );
  }

  /** @throws ArchiveError "missing-blob", or "size-mismatch" for a config or layer of another size. */
  blob(descriptor: Descriptor): BlobSource {
    const { digest, size, mediaType } = descriptor;
    const made = this.#made.get(digest);
    if (made !== undefined) return bytesBlob(made);
    const entry = this.#entries.get(digest);
    if (entry === undefined) throw missingBlob(descriptor, this.#archive.what);
    // Of a manifest the digest decides: some indexes state wrong sizes.
    if (entry.size !== size && !isManifestType(mediaType)) {
      throw new ArchiveError(
        "size-mismatch",
        `Cannot read blob ${digest} from ${this.#archive.what}: entry has ${entry.size} bytes, expected ${size}`,
      );
    }
    return this.#archive.slice(entry);
  }
}

/** @param what names the archive in the message. */
export function missingBlob({ digest, size }: Descriptor, what: string): ArchiveError {
  return new ArchiveError(
    "missing-blob",
    `Cannot read blob ${digest} from ${what}: no such entry, expected ${size} bytes`,
    { hint: "The archive holds only a part of the image: save it again, for the platform you need." },
  );
}
