import type { AbsentBlob } from "../../archive/archive-source.ts";
import type { Bundle } from "../../bundle/base/bundle.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import type { VolumeSet } from "../../bundle/set/check-volumes.ts";
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

/** A file of which some bytes are not what they must be. */
export interface FoundDamage {
  /** Content that it is in, if that is known. */
  readonly digest?: Digest | undefined;
  /** Bytes of the content that are wrong, if that is known: a piece, or all. */
  readonly range?: ByteRange | undefined;
  /** The file, as it was given. */
  readonly path: string;
  /** What is there instead. */
  readonly found: string;
  /** The file is not what it was at the start of the server: nothing of it is sent until the next start. */
  readonly hasChanged?: boolean | undefined;
}

/** One of the files that are served. */
export interface ServedFile {
  /** As it was given. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Its number, if it is a volume. */
  readonly volume?: number | undefined;
}

/** One of the bundles in the files that are served: a delta and its base are two. */
export interface ServedPart {
  /** Of its lock; undefined for a file without one. */
  readonly id: Digest | undefined;
  /** Names of its files, without folders. */
  readonly files: readonly string[];
  /** Whether it leaves layers to a base. */
  readonly isDelta: boolean;
  /** Ids of the bases of a delta, as far as they have one. */
  readonly bases: readonly Digest[];
  /** All that it contains; of a delta, with its base. Without a lock, its manifests are read. */
  contents(): Promise<Bundle>;
}

/** Archives that are one source. */
export interface ServedBundle {
  /** Id of the lock of volumes and deltas; of another archive, `lock` says it. */
  readonly id: Digest | undefined;
  readonly files: readonly ServedFile[];
  readonly volumes: VolumeSet | undefined;
  /** What their locks say together; undefined without one. Read once, when it is asked for: it may have megabytes. */
  lock(signal?: AbortSignal): Promise<Lock | undefined>;
  /** The bundles that it consists of, in the order of their files. Locks are read when it is first asked for. */
  parts(signal?: AbortSignal): Promise<readonly ServedPart[]>;
  /** Blobs that they name and lack, sorted by digest. */
  readonly absent: readonly AbsentBlob[];
  /** Pieces of blobs whose bytes were hashed and were right, of those that there are to check. */
  readonly pieces: { readonly checked: number; readonly of: number };
}

/**
 * What a server answers from: the folder of a store, or archives. Requests of the protocol and pages for people read it in
 * the same way.
 */
export interface ServedRegistry {
  /** Rises with every change of what is served, and with every damage that is found. */
  readonly generation: number;
  /** What was found until now, in that order. */
  readonly damage: readonly FoundDamage[];
  /** Undefined for a store. */
  readonly bundle: ServedBundle | undefined;
  /**
   * The same with the manifests of images that cannot be pulled whole, and with a repository "" of images without a name: for
   * pages and reports, never for the protocol.
   */
  readonly inventory: ServedRegistry;
  /** The registries that `ns` can select; undefined where it is ignored. */
  readonly namespaces: ReadonlySet<string> | undefined;
  /**
   * Repositories that have something to pull, by the names that `repository` takes, in no order.
   *
   * @param ns only those of this registry, by its own names; a store has its own names alone, and ignores it.
   */
  names(ns?: string): Iterable<string>;
  /**
   * @param ns the registry that the client means, as containerd says it (`?ns=`).
   * @returns undefined for a name that is unknown, or that `namesakes` are meant by.
   */
  repository(name: string, ns?: string): Promise<ServedRepository | undefined>;
  /** The full names that a name without a registry may mean, if they are several. */
  namesakes(name: string): readonly string[];
  /** All bytes, with size and digest checked. Undefined for what is damaged or was removed. */
  readManifest(manifest: StoredContent): Promise<Uint8Array | undefined>;
  /** Undefined for what is damaged or was removed. The caller closes it. */
  openBlob(blob: StoredContent): Promise<OpenBlob | undefined>;
}

/** A repository, as far as it is known without reading content. */
export interface ServedRepository {
  readonly name: string;
  /** `registry/path` of its images, as they were called where they came from. In a store it is `name`. */
  readonly original: string;
  hasManifests(): boolean;
  blob(digest: Digest): StoredContent | undefined;
  manifest(digest: Digest): ManifestRecord | undefined;
  /** All of them, in no order: images, their parts, and what refers to them. */
  manifests(): Iterable<ManifestRecord>;
  /** Digest that a tag names. */
  tagged(tag: string): Digest | undefined;
  tags(): Iterable<string>;
  referrersOf(subject: Digest): readonly ManifestRecord[];
  /** Why content that it names, and that `blob` or `manifest` does not know or the registry cannot read, is not there. */
  lack(digest: Digest): Lack | undefined;
}

/** Why something is not served, although a name leads to it. */
export interface Lack {
  /** "changed": the file is not what it was at the start, and the server must be started again. */
  readonly kind: "volume" | "base" | "damage" | "layers" | "changed";
  /** One sentence without a full stop: what is found. No more than a client may know. */
  readonly found: string;
  /** What to do, a full sentence. */
  readonly hint: string;
  /** Numbers of the missing volumes. */
  readonly volumes?: readonly number[] | undefined;
  /** Name of the damaged file. */
  readonly file?: string | undefined;
}

/** A blob that is being read. */
export interface OpenBlob extends StoredContent {
  /**
   * Reads in order. A chunk is valid until the one after the next is requested, so that the next one can be read while this one
   * is sent.
   *
   * @throws Error if the bytes are not those of the blob, before the last chunk of a wrong part is given.
   */
  chunks(range: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void>;
  close(): Promise<void>;
}
