import type { ByteRange } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";

/** Content as a repository knows it. */
export interface StoredContent {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** What is known of a manifest without reading it. */
export interface ManifestRecord extends StoredContent {
  readonly mediaType: string;
  readonly subject?: Digest;
  readonly artifactType?: string;
}

/**
 * What a server answers from: the folder of a store, or archives. Requests of the protocol and pages for people read it in
 * the same way.
 */
export interface ServedRegistry {
  /**
   * Repositories that have something to pull, by the names that `repository` takes, in no order.
   *
   * @param ns only those of this registry, by its own names; a store has its own names alone, and ignores it.
   */
  names(ns?: string): Iterable<string>;
  /** @param ns the registry that the client means, as containerd says it (`?ns=`). */
  repository(name: string, ns?: string): Promise<ServedRepository | undefined>;
  /** All bytes, with size and digest checked. Undefined for what is damaged or was removed. */
  readManifest(manifest: StoredContent): Promise<Uint8Array | undefined>;
  /** Undefined for what is damaged or was removed. The caller closes it. */
  openBlob(blob: StoredContent): Promise<OpenBlob | undefined>;
}

/** A repository, as far as it is known without reading content. */
export interface ServedRepository {
  readonly name: string;
  hasManifests(): boolean;
  blob(digest: Digest): StoredContent | undefined;
  manifest(digest: Digest): ManifestRecord | undefined;
  /** Digest that a tag names. */
  tagged(tag: string): Digest | undefined;
  tags(): Iterable<string>;
  referrersOf(subject: Digest): readonly ManifestRecord[];
}

/** A blob that is being read. */
export interface OpenBlob extends StoredContent {
  /**
   * Reads in order. A chunk is valid until the one after the next is requested, so that the next one can be read while this one
   * is sent.
   *
   * @throws Error if the bytes are not those of the blob, before the last chunk of a wrong part is given.
   */
  chunks(range: ByteRange): AsyncGenerator<Uint8Array, void>;
  close(): Promise<void>;
}
