import type { Readable } from "node:stream";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ManifestView } from "../oci/manifest.ts";

/** Bytes `start` to `end - 1`. */
export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Takes bulk bytes in order. The chunk belongs to the sink until the promise settles; then its memory is used again.
 * `position` counts from the blob's first byte.
 */
export type ByteSink = (chunk: Uint8Array, position: number) => Promise<void>;

/** Bytes that can be had again, whole or in part; unchecked until `verified(descriptor, source)` wraps them. */
export interface BlobSource {
  readonly size: number;
  /** True when the bytes pass by only once: `open` and `pump` work a single time, and whoever sends them must keep them. */
  readonly isOneShot?: boolean;
  /** True when another reading may bring other bytes: a network lies in between. */
  readonly isRemote?: boolean;
  /** Rejects when there is nothing to read (404, no such entry); later faults come through the stream. */
  open(range?: ByteRange, signal?: AbortSignal): Promise<Readable>;
  /** Optional power of media that fill pooled buffers: the whole blob goes to `sink`, several chunks under way at once. */
  pump?(sink: ByteSink, signal?: AbortSignal): Promise<void>;
  /** The same from byte `start` on, which is greater than 0; positions count from there. */
  pumpFrom?(start: number, sink: ByteSink, signal?: AbortSignal): Promise<void>;
}

export type PendingKey = `pending:${string}`;

/** What the last byte reveals. `diffId` whenever the layer was raw, or inflated on its way. */
export interface Seal {
  readonly descriptor: Descriptor;
  readonly diffId?: Digest;
  /** The target turned out to have the blob: nothing was sent. */
  readonly presence?: Exclude<Presence, "absent">;
}

export interface PendingStream {
  /** Each part is good until the next one is asked for. */
  readonly body: AsyncGenerator<Uint8Array, void>;
  /** @throws InternalError before the end of `body`. */
  seal(): Seal;
}

/** A blob without a name yet. */
export interface PendingBody {
  /** diff_id and gzip profile; also the digest cache's key. Sealed once per copy. */
  readonly key: PendingKey;
  /** The same key means the same bytes, also in a later run. Absent where nothing guarantees that. */
  readonly resumeKey?: string | undefined;
  readonly mediaType: string;
  /** What is read, not what goes out: progress counts this side. */
  readonly sourceBytes: number;
  /** True when `open` works a single time. */
  readonly isOneShot?: boolean;
  /**
   * @param onBytes hears how many source bytes have been read.
   * @param from what is to be read, where the source cannot be asked for it.
   */
  open(signal?: AbortSignal, onBytes?: (bytes: number) => void, from?: BlobSource): Promise<PendingStream>;
}

/** A raw layer that is compressed on its way out. */
export interface PendingBlob extends PendingBody {
  /** The layer as the source holds it. */
  readonly origin: Descriptor;
}

/** An image that waits for layer digests; `settle(draft, seals)` is pure and makes the RawManifest. */
export interface ManifestDraft {
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly (Descriptor | PendingBlob)[];
  /** One per layer, where they are known. */
  readonly diffIds?: readonly Digest[] | undefined;
  /** Of an OCI manifest; Docker's have none. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Root =
  | { readonly kind: "settled"; readonly names: readonly string[]; readonly descriptor: Descriptor }
  | { readonly kind: "draft"; readonly names: readonly string[]; readonly draft: ManifestDraft };
export type SettledRoot = Extract<Root, { kind: "settled" }>;

export interface ImageSource extends AsyncDisposable {
  roots(signal?: AbortSignal): AsyncIterable<Root>;
  /** Manifests, configs and layers alike: to a source they are all blobs. */
  blob(descriptor: Descriptor, signal?: AbortSignal): Promise<BlobSource>;
  /**
   * Asked when all is read, before a manifest or name is put: whether it is still what it was at the beginning.
   *
   * @throws StorageError when it was changed meanwhile.
   */
  confirm?(signal?: AbortSignal): Promise<void>;
  /** Only of media that are read from beginning to end, such as a compressed archive. */
  readonly stream?: BlobStream | undefined;
}

/** Blobs that come in an order of their own; `ImageSource.blob` serves only what the stream `holds`. */
export interface BlobStream {
  /** True for blobs that are kept in memory: manifests, configs. */
  holds(digest: Digest): boolean;
  /**
   * Reads once more from the beginning: the wanted blobs come to `take`, each once. Settles when all that `take` returned
   * has.
   *
   * @throws ArchiveError when one did not come.
   */
  pass(wanted: ReadonlySet<Digest>, take: TakeBlob, signal?: AbortSignal): Promise<void>;
}

/** Must pump the blob, or settle, without waiting for what comes after it in the same stream. */
export type TakeBlob = (digest: Digest, blob: BlobSource, signal: AbortSignal) => Promise<void>;

/** A manifest or index that the plan has read already. */
export interface PlannedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly view: ManifestView;
}

export interface CopyPlan {
  readonly roots: readonly Root[];
  readonly pending: readonly PendingBlob[];
  /** Configs and layers, each digest once. */
  readonly blobs: readonly Descriptor[];
  /** Children before parents, each digest once. */
  readonly manifests: ReadonlyMap<Digest, PlannedManifest>;
  /** Known sizes + pending source bytes: progress total, disk-space check and dry run read this. */
  readonly totalBytes: number;
}

/** "kept": an earlier run that broke off left it. */
export type Presence = "exists" | "mounted" | "kept" | "absent";

export interface ImageTarget {
  begin(plan: CopyPlan, signal?: AbortSignal): Promise<TargetSession>;
}

/** Disposing a session that was not committed undoes it. */
export interface TargetSession extends AsyncDisposable {
  /** Only of targets that are written from beginning to end: blobs must be put in this order, several may be under way. */
  readonly order?: readonly Digest[] | undefined;
  has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence>;
  put(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void>;
  /**
   * The first bytes of a blob that an earlier run, which broke off, left at the target; unchecked. `put` still wants the
   * whole blob, these bytes first, and does not write them again.
   */
  kept?(descriptor: Descriptor): BlobSource | undefined;
  /** Forgets what is kept of a blob: `put` writes all of it. */
  forget?(descriptor: Descriptor): Promise<void>;
  /** Absent on targets that must know the name first. Settles only when the target has confirmed the sealed digest. */
  putPending?(blob: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal>;
  /** Manifests went in through `put`, children first; this makes names visible: tags, or the final rename. */
  commit(roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void>;
}
