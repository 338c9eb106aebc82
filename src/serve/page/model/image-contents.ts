import type { Digest } from "../../../oci/digest.ts";
import type { ManifestRecord } from "../../content/served-registry.ts";
import type { GatheredRepository } from "./gathered-repository.ts";
import { ContentBuilder, type ImageContent, type KnownDamage } from "./image-content.ts";
import type { BlobFacts } from "./manifest-facts.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";

/** The contents of all images, and how many of them have each blob. */
export class ImageContents {
  readonly #shelf: ManifestShelf;
  readonly #damage: KnownDamage;
  readonly #byDigest = new Map<Digest, ImageContent>();
  /** By id of the blob. */
  readonly #uses: Uint32Array;

  constructor(shelf: ManifestShelf, damage: KnownDamage) {
    this.#shelf = shelf;
    this.#damage = damage;
    this.#uses = new Uint32Array(shelf.blobCount);
  }

  /** The same content has the same blobs in each repository that has it. */
  add(gathered: GatheredRepository, record: ManifestRecord): ImageContent {
    const known = this.#byDigest.get(record.digest);
    if (known !== undefined) return known;
    const content = new ContentBuilder(gathered, this.#shelf, this.#damage).build(record);
    this.#byDigest.set(record.digest, content);
    for (const { id } of content.blobs) this.#uses[id] = (this.#uses[id] ?? 0) + 1;
    return content;
  }

  usesOf({ id }: BlobFacts): number {
    return this.#uses[id] ?? 0;
  }

  all(): Iterable<ImageContent> {
    return this.#byDigest.values();
  }

  /** Manifests of all images, and of what is attached to them. */
  digests(): ReadonlySet<Digest> {
    const found = new Set<Digest>();
    for (const { record, platforms, attached } of this.all()) {
      found.add(record.digest);
      for (const { digest } of platforms) found.add(digest);
      for (const { digest } of attached) found.add(digest);
    }
    return found;
  }
}
