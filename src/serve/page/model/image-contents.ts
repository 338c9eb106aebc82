import type { Digest } from "../../../oci/digest.ts";
import type { ManifestRecord } from "../../content/served-registry.ts";
import type { GatheredRepository } from "./gathered-repository.ts";
import { ContentBuilder, type ImageContent, type KnownDamage } from "./image-content.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";

/** The contents of all images, and how many of them have each blob. */
export class ImageContents {
  readonly #shelf: ManifestShelf;
  readonly #damage: KnownDamage;
  readonly #byDigest = new Map<Digest, ImageContent>();
  /** Of each blob: its bytes, and how many contents have it. */
  readonly #blobs = new Map<Digest, { readonly size: number; uses: number }>();

  constructor(shelf: ManifestShelf, damage: KnownDamage) {
    this.#shelf = shelf;
    this.#damage = damage;
  }

  /** The same content has the same blobs in each repository that has it. */
  add(gathered: GatheredRepository, record: ManifestRecord): ImageContent {
    const known = this.#byDigest.get(record.digest);
    if (known !== undefined) return known;
    const content = new ContentBuilder(gathered, this.#shelf, this.#damage).build(record);
    this.#byDigest.set(record.digest, content);
    for (const [digest, size] of content.blobs) {
      const blob = this.#blobs.get(digest);
      if (blob === undefined) this.#blobs.set(digest, { size, uses: 1 });
      else blob.uses += 1;
    }
    return content;
  }

  usesOf(digest: Digest): number {
    return this.#blobs.get(digest)?.uses ?? 0;
  }

  blobs(): Iterable<{ readonly size: number; readonly uses: number }> {
    return this.#blobs.values();
  }

  all(): Iterable<ImageContent> {
    return this.#byDigest.values();
  }

  /** Manifests of all images, and of what is attached to them. */
  digests(): ReadonlySet<Digest> {
    const found = new Set<Digest>();
    for (const { record, platforms, attached } of this.all()) {
      found.add(record.digest);
      for (const { digest } of [...platforms, ...attached]) found.add(digest);
    }
    return found;
  }
}
