import { digestInName } from "../../archive/blob-name.ts";
import type { BodyKind } from "../../archive/open/body-kind.ts";
import { type ChooseHandlerByKind, type ScanOptions, StreamedArchive } from "../../archive/open/streamed-archive.ts";
import type { LayerProfile } from "../../compress/layer-profile.ts";
import type { BlobSource, PendingBody, PendingStream, Seal, TargetSession } from "../../content/contracts.ts";
import { hashedBlob, unnamedStream } from "../../content/hashed-blob.ts";
import { type OnProgress, underWay } from "../../content/progress.ts";
import { verified } from "../../content/verified.ts";
import { countedBlob, countedPending } from "../../copy/copy-ends.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from "../../oci/media-types.ts";
import { packedKey } from "../../transform/compress-layers.ts";
import { packLayer } from "../../transform/pack-layer.ts";
import { escapeForeign } from "../../util/format.ts";

/** Gets blobs before their images are known. */
export interface BlobReceiver extends Pick<TargetSession, "has" | "put">, Required<Pick<TargetSession, "putPending">> {
  /** `host[:port]` of the registry, for progress. */
  readonly host?: string | undefined;
}

export interface UploadWhileReadingOptions {
  /**
   * Is called before the first body, with the `imgpack.json` that came before; undefined receives none.
   */
  readonly receiver: (lock: Uint8Array | undefined) => Promise<BlobReceiver | undefined>;
  /** Of raw layers; undefined leaves them uncompressed. */
  readonly profile: LayerProfile | undefined;
  readonly cache: DigestCache;
  readonly onProgress: OnProgress;
}

export interface UploadedArchive {
  readonly archive: StreamedArchive;
  /** Layers that were compressed, by their digest in the archive. */
  readonly seals: ReadonlyMap<Digest, Seal>;
  /** Blobs that the receiver has now. */
  readonly received: ReadonlySet<Digest>;
}

/** For a blob before the manifest with its media type is read. */
const UNKNOWN_TYPE = "application/octet-stream";

/**
 * Reads an archive once. Its images are known only at its end, so every body that may be a layer goes to the receiver:
 * compressed ones as they are, raw ones compressed.
 *
 * @throws ArchiveError as `scanTar`; IntegrityError for a blob that does not have the digest in its name.
 */
export async function uploadWhileReading(
  scan: ScanOptions,
  options: UploadWhileReadingOptions,
): Promise<UploadedArchive> {
  const uploader = new BodyUploader(options);
  const archive = await StreamedArchive.scan(scan, uploader.chooseHandler);
  return { archive, seals: uploader.seals, received: uploader.received };
}

type Entry = Parameters<ChooseHandlerByKind>[0];
type UploadBody = (blob: BlobSource, receiver: BlobReceiver, signal: AbortSignal) => Promise<Digest>;

class BodyUploader {
  readonly seals = new Map<Digest, Seal>();
  readonly received = new Set<Digest>();
  readonly #options: UploadWhileReadingOptions;
  #receiver: Promise<BlobReceiver | undefined> | undefined;

  constructor(options: UploadWhileReadingOptions) {
    this.#options = options;
  }

  readonly chooseHandler: ChooseHandlerByKind = async (entry, kind, digests, signal, lock) => {
    const claimed = digestInName(entry.name);
    const upload = this.#uploadOf(entry, kind, claimed);
    if (upload === undefined) return undefined;
    this.#receiver ??= lock.then(async bytes => await this.#options.receiver(bytes));
    const receiver = await this.#receiver;
    if (receiver === undefined) return undefined;
    if (claimed !== undefined && (await this.#isPresent(entry, kind, claimed, receiver, signal))) {
      digests.set(entry.bodyOffset, claimed);
      return undefined;
    }
    this.#options.onProgress({ kind: "planned", blobs: 1, bytes: entry.size });
    return async (blob, signal) => void digests.set(entry.bodyOffset, await upload(blob, receiver, signal));
  };

  /** @returns undefined for a body that is no blob, such as Docker's VERSION files. */
  #uploadOf(entry: Entry, kind: BodyKind, claimed: Digest | undefined): UploadBody | undefined {
    const { profile } = this.#options;
    if (entry.size === 0) return undefined;
    if (profile !== undefined && (kind === "tar" || kind === "xz" || kind === "bzip2"))
      return async (blob, receiver, signal) => await this.#putCompressed(entry, kind, profile, blob, receiver, signal);
    if (claimed !== undefined)
      return async (blob, receiver, signal) => await this.#put(entry, claimed, blob, receiver, signal);
    const isLayer = kind !== "json" && kind !== "other";
    return isLayer
      ? async (blob, receiver, signal) => await this.#putUnnamed(entry, blob, receiver, signal)
      : undefined;
  }

  /** Asks for the digest in the entry's name; for a raw layer, for the cached digest of the compressed one. */
  async #isPresent(
    entry: Entry,
    kind: BodyKind,
    claimed: Digest,
    receiver: BlobReceiver,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { cache, profile, onProgress } = this.#options;
    const key = kind === "tar" && profile !== undefined ? packedKey(claimed, profile) : undefined;
    const known = key === undefined ? { digest: claimed, size: entry.size } : cache.find(key);
    if (known === undefined) return false;
    const descriptor = { mediaType: UNKNOWN_TYPE, ...known };
    const presence = await receiver.has(descriptor, signal);
    if (presence === "absent") return false;
    onProgress({ kind: "planned", blobs: 1, bytes: entry.size });
    const isCached = key !== undefined;
    onProgress({ kind: "skipped", blob: known.digest, bytes: entry.size, reason: presence, isCached });
    if (isCached) this.seals.set(claimed, { descriptor });
    this.received.add(known.digest);
    return true;
  }

  async #put(
    entry: Entry,
    digest: Digest,
    blob: BlobSource,
    receiver: BlobReceiver,
    signal: AbortSignal,
  ): Promise<Digest> {
    const { onProgress } = this.#options;
    const descriptor: Descriptor = { mediaType: UNKNOWN_TYPE, digest, size: entry.size };
    const checked = verified(descriptor, blob, "the archive");
    const counted = countedBlob(checked, delta => onProgress({ kind: "bytes", blob: digest, delta }));
    const started = { blob: digest, bytes: entry.size, to: receiver.host };
    await underWay(onProgress, started, async () => await receiver.put(descriptor, counted, signal));
    this.received.add(digest);
    onProgress({ kind: "done", blob: digest, bytes: entry.size });
    return digest;
  }

  /** For a blob whose digest is not in its entry's name. */
  async #putUnnamed(entry: Entry, blob: BlobSource, receiver: BlobReceiver, signal: AbortSignal): Promise<Digest> {
    const seal = await this.#putPending(entry, receiver, signal, (own, onBytes) =>
      unnamedStream(blob, UNKNOWN_TYPE, own, onBytes),
    );
    return seal.descriptor.digest;
  }

  async #putCompressed(
    entry: Entry,
    kind: "tar" | "xz" | "bzip2",
    profile: LayerProfile,
    blob: BlobSource,
    receiver: BlobReceiver,
    signal: AbortSignal,
  ): Promise<Digest> {
    const compression = kind === "tar" ? undefined : kind;
    const compressed = compression === undefined ? undefined : hashedBlob(blob);
    const mediaType = profile.format === "gzip" ? OCI_LAYER_GZIP : OCI_LAYER_ZSTD;
    const layer = { mediaType, profile, what: "layer from archive", compression };
    const seal = await this.#putPending(entry, receiver, signal, (own, onBytes) =>
      packLayer(compressed?.blob ?? blob, { ...layer, signal: own, onBytes }),
    );
    const { diffId = seal.descriptor.digest } = seal;
    await this.#options.cache.add(packedKey(diffId, profile), seal);
    const digest = (await compressed?.digest()) ?? diffId;
    this.seals.set(digest, seal);
    return digest;
  }

  async #putPending(
    entry: Entry,
    receiver: BlobReceiver,
    signal: AbortSignal,
    open: (signal: AbortSignal | undefined, onBytes: ((bytes: number) => void) | undefined) => PendingStream,
  ): Promise<Seal> {
    const { onProgress } = this.#options;
    const blob = `entry ${escapeForeign(entry.name)}` as const;
    const pending: PendingBody = {
      key: `pending:${entry.bodyOffset}`,
      mediaType: UNKNOWN_TYPE,
      what: "layer from archive",
      sourceBytes: entry.size,
      isOneShot: true,
      open: async (own, onBytes) => open(own, onBytes),
    };
    const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob, delta });
    const started = { blob, bytes: entry.size, to: receiver.host };
    const send = async (): Promise<Seal> => await receiver.putPending(countedPending(pending), signal, onBytes);
    const seal = await underWay(onProgress, started, send);
    this.received.add(seal.descriptor.digest);
    if (seal.presence === undefined) onProgress({ kind: "done", blob, bytes: seal.descriptor.size });
    else onProgress({ kind: "skipped", blob, bytes: 0, reason: seal.presence });
    return seal;
  }
}
