import type { Readable } from "node:stream";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ManifestView } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { ReferrersLookup } from "../oci/referrers/referrers-lookup.ts";

/** Bytes `start` to `end - 1`. */
export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Takes bulk bytes in order, at `position` of the blob. The chunk is the sink's until the promise settles, and then reused. */
export type ByteSink = (chunk: Uint8Array, position: number) => Promise<void>;

/** A file that blobs are read from. */
export interface BlobFile {
  /** As the user typed it. */
  readonly path: string;
  /** @throws StorageError if the path is not that file any more, or the file has changed since it was opened. */
  confirm(): Promise<void>;
}

/** Bytes of a blob that are in one file. */
export interface BlobExtent extends ByteRange {
  readonly file: BlobFile;
}

/** Reads a blob at any position. Disposing it closes what it opened. */
export interface BlobReader extends AsyncDisposable {
  /** In order; none for bytes in memory. */
  readonly extents: readonly BlobExtent[];
  /** Fills `into` with bytes from `position` on. @throws StorageError */
  fill(into: Uint8Array, position: number): Promise<void>;
}

/** Bytes that can be read again, whole or in part; unchecked until `verified(descriptor, source)` wraps them. */
export interface BlobSource {
  readonly size: number;
  /** True if `open` and `pump` work a single time: the sender must keep bytes that it may have to send again. */
  readonly isOneShot?: boolean;
  /** True if the bytes come over a network, so that a second reading may give other bytes. */
  readonly isRemote?: boolean;
  /** `host[:port]` of the registry, for progress. */
  readonly host?: string;
  /** Rejects if there is nothing to read (404, no such entry); later faults come through the stream. */
  open(range?: ByteRange, signal?: AbortSignal): Promise<Readable>;
  /** Optional, for media that read small blobs in one piece: all of it. */
  whole?(signal?: AbortSignal): Promise<Uint8Array>;
  /** Optional, for media that read at any position. */
  reader?(): Promise<BlobReader>;
  /** Optional, for media that fill pooled buffers: sends the whole blob to `sink`, several chunks at once. */
  pump?(sink: ByteSink, signal?: AbortSignal): Promise<void>;
  /** The same from byte `start` on, which is greater than 0; positions count from there. */
  pumpFrom?(start: number, sink: ByteSink, signal?: AbortSignal): Promise<void>;
  /** Optional: reports bytes that have come, also those of a part of a chunk. `onSent` is to get those that have been sent. */
  watch?(listener: (bytes: number) => void): void;
  readonly onSent?: (bytes: number) => void;
}

export type PendingKey = `pending:${string}`;

/** What is known after the last byte. `diffId` if the layer was raw, or was inflated. */
export interface Seal {
  readonly descriptor: Descriptor;
  readonly diffId?: Digest;
  /** If the target already has the blob, so that nothing was sent. */
  readonly presence?: Exclude<Presence, "absent">;
}

export interface PendingStream {
  /** Each part is valid until the next one is requested. */
  readonly body: AsyncGenerator<Uint8Array, void>;
  /** @throws InternalError before the end of `body`. */
  seal(): Seal;
}

/** A blob without a name yet. */
export interface PendingBody {
  /** As messages name it. */
  readonly what: string;
  /** diff_id and gzip profile; also the digest cache's key. Sealed once per copy. */
  readonly key: PendingKey;
  /** The same key means the same bytes, also in a later run. Absent where nothing guarantees that. */
  readonly resumeKey?: string | undefined;
  readonly mediaType: string;
  /** Bytes read, not bytes sent: progress counts these. */
  readonly sourceBytes: number;
  /** True if `open` works a single time. */
  readonly isOneShot?: boolean;
  /**
   * @param onBytes is called with the number of source bytes that were read.
   * @param from the bytes to read, if the source is streamed.
   */
  open(signal?: AbortSignal, onBytes?: (bytes: number) => void, from?: BlobSource): Promise<PendingStream>;
}

/** A raw layer that is compressed while it is sent. */
export interface PendingBlob extends PendingBody {
  /** The layer as the source has it. */
  readonly origin: Descriptor;
}

/** An image without a manifest, because digests of layers are unknown; `draftManifest` makes the manifest. */
export interface ManifestDraft {
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly (Descriptor | PendingBlob)[];
  /** One per layer, if they are known. */
  readonly diffIds?: readonly Digest[] | undefined;
  /** Of an OCI manifest; Docker's have none. */
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RootNames {
  /** Full names with a tag or a digest; at a registry, tags. */
  readonly names: readonly string[];
  /** What an archive has in place of names, and no registry takes as one; as found. */
  readonly badNames?: readonly string[] | undefined;
  /** Platforms to take of this image, if it has its own choice. */
  readonly platforms?: readonly Platform[] | "all" | undefined;
  /** What refers to the image, if it was looked for. */
  readonly referrers?: RootReferrers | undefined;
}

/** What a source says about what refers to a manifest. Whether it does is what the manifest of the referrer says. */
export interface FoundReferrers {
  /** Absent where no registry was asked: what an archive contains is all there is in it. */
  readonly lookup?: ReferrersLookup | undefined;
  readonly found: readonly Referrer[];
}

/** Manifests that refer to an image or to one of its platforms, and those that refer to them. */
export interface RootReferrers {
  /** Absent where no registry was asked. */
  readonly lookup?: ReferrersLookup | undefined;
  /** Subjects before what refers to them. */
  readonly found: readonly Referrer[];
  /** Number of those that belong to manifests that are not carried: other platforms, or an index that changed. */
  readonly leftOut: number;
}

/** It has a subject, a tag, or both. */
export interface Referrer {
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  readonly subject?: Digest | undefined;
  /** In the repository of the image: cosign's `sha256-….sig`, `.att` or `.sbom`. */
  readonly tag?: string | undefined;
}

export type Root = RootNames &
  (
    | { readonly kind: "settled"; readonly descriptor: Descriptor }
    | { readonly kind: "draft"; readonly draft: ManifestDraft }
  );
export type SettledRoot = Extract<Root, { kind: "settled" }>;

export interface ImageSource extends AsyncDisposable {
  roots(signal?: AbortSignal): AsyncIterable<Root>;
  /** Of manifests, configs and layers alike: to a source they are all blobs. */
  blob(descriptor: Descriptor, signal?: AbortSignal): Promise<BlobSource>;
  /** Whether it has a blob that is often absent: a foreign layer. Default: `blob` rejects with "missing-blob" if not. */
  has?(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /** What refers to a manifest that this source has. Absent if it cannot know. */
  referrers?(subject: Digest, signal?: AbortSignal): Promise<FoundReferrers>;
  /**
   * Is called after all is read, before a manifest or name is put.
   *
   * @throws StorageError if the source has changed in the meantime.
   */
  confirm?(signal?: AbortSignal): Promise<void>;
  /** Only of archives that are read from front to back. */
  readonly streamed?: StreamedBlobs | undefined;
}

/** Blobs that come in the order of a streamed archive; `ImageSource.blob` serves only those in memory. */
export interface StreamedBlobs {
  /** True for blobs in memory: manifests, configs. */
  holds(digest: Digest): boolean;
  /**
   * Reads the archive from the front again, and calls `handle` with each wanted blob. Settles after all handlers have.
   *
   * @throws StorageError if a wanted blob is not there any more.
   */
  read(wanted: ReadonlySet<Digest>, handle: BlobHandler, signal?: AbortSignal): Promise<void>;
}

/** Must pump the blob, or settle, without waiting for a later blob of the same archive. */
export type BlobHandler = (digest: Digest, blob: BlobSource, signal: AbortSignal) => Promise<void>;

/** A manifest or index, which planning has read. */
export interface PlannedManifest {
  /** With the size that it has. */
  readonly descriptor: Descriptor;
  /** The size that its index states, if that is wrong. */
  readonly statedSize?: number;
  readonly bytes: Uint8Array;
  readonly view: ManifestView;
}

export interface AssumedLayer {
  readonly descriptor: Descriptor;
  /** `registry/repository` where the other side has it, in the names of the images. */
  readonly repositories: readonly string[];
}

export interface CopyPlan {
  readonly roots: readonly Root[];
  readonly pending: readonly PendingBlob[];
  /** Configs and layers, each digest once. */
  readonly blobs: readonly Descriptor[];
  /** Foreign layers that the source lacks: manifests name them, and they are not copied. */
  readonly leftOut?: readonly Descriptor[];
  /** Layers that the other side has already: manifests name them, and they are not copied. */
  readonly assumed?: readonly AssumedLayer[];
  /** Children before parents, each digest once. */
  readonly manifests: ReadonlyMap<Digest, PlannedManifest>;
  /** Known sizes + pending source bytes: progress total, disk-space check and dry run read this. */
  readonly totalBytes: number;
}

/** "kept": left by an interrupted run. */
export type Presence = "exists" | "mounted" | "kept" | "absent";

export interface ImageTarget extends Pick<BlobSource, "host"> {
  begin(plan: CopyPlan, signal?: AbortSignal): Promise<TargetSession>;
}

/** Disposing a session that was not committed undoes it. */
export interface TargetSession extends AsyncDisposable {
  /** Only of targets that are written from front to back: blobs must be put in this order, several at once if wanted. */
  readonly order?: readonly Digest[] | undefined;
  has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence>;
  put(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void>;
  /**
   * The first bytes of a blob that an interrupted run left at the target; unchecked. `put` still needs the whole blob,
   * starting with these bytes, and does not write them again.
   */
  kept?(descriptor: Descriptor): BlobSource | undefined;
  /** Discards what is kept of a blob, so that `put` writes all of it. */
  forget?(descriptor: Descriptor): Promise<void>;
  /** Absent if the target must know digests first. Settles after the target has confirmed the sealed digest. */
  putPending?(blob: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal>;
  /** Manifests are put like blobs, children first; this makes names visible: tags, or the final rename. */
  commit(roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void>;
}
