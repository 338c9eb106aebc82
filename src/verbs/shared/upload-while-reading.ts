import type { BodyHandler } from "../../archive/archive.ts";
import { digestInName } from "../../archive/blob-name.ts";
import type { BodyKind } from "../../archive/open/body-kind.ts";
import { type BodyHandlerFor, type ScanOptions, StreamedArchive } from "../../archive/open/streamed-archive.ts";
import type { GzipProfile } from "../../compress/gzip/gzip-profile.ts";
import type { BlobSource, PendingBody, PendingStream, Presence, Seal, TargetSession } from "../../content/contracts.ts";
import { hashedBlob, unnamedStream } from "../../content/hashed-blob.ts";
import type { OnProgress } from "../../content/progress.ts";
import { verified } from "../../content/verified.ts";
import { countedBlob, countedPending } from "../../copy/copy-ends.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { OCI_LAYER_GZIP } from "../../oci/media-types.ts";
import { gzipKey } from "../../transform/compress-layers.ts";
import { gzipLayer } from "../../transform/gzip-layer.ts";
import { escapeForeign } from "../../util/format.ts";

/** Where blobs go while nobody knows yet which images they belong to. */
export type Intake = Pick<TargetSession, "has" | "put"> & Required<Pick<TargetSession, "putPending">>;

export interface ReadOnceOptions {
  readonly intake: Intake;
  /** Of raw layers; undefined leaves them as they are. */
  readonly profile: GzipProfile | undefined;
  readonly cache: DigestCache;
  readonly onProgress: OnProgress;
}

export interface ReadOnce {
  readonly archive: StreamedArchive;
  /** Layers that were compressed, by the digest of what the archive holds. */
  readonly seals: ReadonlyMap<Digest, Seal>;
  /** What the intake has now. */
  readonly taken: ReadonlySet<Digest>;
}

/** Of blobs whose media type only a manifest tells. */
const UNKNOWN_TYPE = "application/octet-stream";

/**
 * Reads an archive a single time. What its images are stands at its end, so every body that may be a layer goes to the
 * intake as it passes by: compressed ones as they are, raw ones as gzip.
 *
 * @throws ArchiveError as `scanTar`; IntegrityError for a blob that is not what its name says.
 */
export async function uploadWhileReading(scan: ScanOptions, options: ReadOnceOptions): Promise<ReadOnce> {
  const taking = new LayerUploads(options);
  const archive = await StreamedArchive.scan(scan, taking.work);
  return { archive, seals: taking.seals, taken: taking.taken };
}

type Entry = Parameters<BodyHandlerFor>[0];

class LayerUploads {
  readonly seals = new Map<Digest, Seal>();
  readonly taken = new Set<Digest>();
  readonly #options: ReadOnceOptions;

  constructor(options: ReadOnceOptions) {
    this.#options = options;
  }

  readonly work: BodyHandlerFor = async (entry, kind, digests, signal) => {
    const claimed = digestInName(entry.name);
    const { onProgress, profile } = this.#options;
    const isPacked = kind === "gzip" || kind === "zstd";
    const isRecompressed = kind === "xz" || kind === "bzip2" || (kind === "tar" && profile !== undefined);
    // Docker's VERSION files, and whatever else lies beside the images.
    if (entry.size === 0 || (!isPacked && !isRecompressed && kind !== "tar" && claimed === undefined)) return undefined;
    if (claimed !== undefined && (await this.#isThere(entry, kind, claimed, signal))) {
      digests.set(entry.bodyOffset, claimed);
      return undefined;
    }
    onProgress({ kind: "planned", blobs: 1, bytes: entry.size });
    const take: (blob: BlobSource, signal: AbortSignal) => Promise<Digest> =
      isRecompressed && profile !== undefined
        ? async (blob, signal) => await this.#compress(entry, kind, profile, blob, signal)
        : claimed === undefined
          ? async (blob, signal) => await this.#passOn(entry, blob, signal)
          : async (blob, signal) => await this.#put(entry, claimed, blob, signal);
    const work: BodyHandler = async (blob, signal) => void digests.set(entry.bodyOffset, await take(blob, signal));
    return work;
  };

  /** Asks for what the name promises; for a raw layer, for what the cache says it becomes. */
  async #isThere(entry: Entry, kind: BodyKind, claimed: Digest, signal: AbortSignal): Promise<boolean> {
    const { cache, profile, intake, onProgress } = this.#options;
    const key = kind === "tar" && profile !== undefined ? gzipKey(claimed, profile) : undefined;
    const known = key === undefined ? { digest: claimed, size: entry.size } : cache.find(key);
    if (known === undefined) return false;
    const descriptor = { mediaType: OCI_LAYER_GZIP, ...known };
    const presence: Presence = await intake.has(descriptor, signal);
    if (presence === "absent") return false;
    onProgress({ kind: "planned", blobs: 1, bytes: entry.size });
    const isCached = key !== undefined;
    onProgress({ kind: "skipped", blob: known.digest, bytes: entry.size, reason: presence, isCached });
    if (isCached) this.seals.set(claimed, { descriptor });
    this.taken.add(known.digest);
    return true;
  }

  async #put(entry: Entry, digest: Digest, blob: BlobSource, signal: AbortSignal): Promise<Digest> {
    const { intake, onProgress } = this.#options;
    const descriptor: Descriptor = { mediaType: UNKNOWN_TYPE, digest, size: entry.size };
    const checked = verified(descriptor, blob, "the archive");
    const counted = countedBlob(checked, delta => onProgress({ kind: "bytes", blob: digest, delta }));
    await intake.put(descriptor, counted, signal);
    this.taken.add(digest);
    onProgress({ kind: "done", blob: digest, bytes: entry.size });
    return digest;
  }

  /** A finished blob that nothing names yet. */
  async #passOn(entry: Entry, blob: BlobSource, signal: AbortSignal): Promise<Digest> {
    const seal = await this.#putPending(entry, signal, (own, onBytes) =>
      unnamedStream(blob, UNKNOWN_TYPE, own, onBytes),
    );
    return seal.descriptor.digest;
  }

  async #compress(
    entry: Entry,
    kind: BodyKind,
    profile: GzipProfile,
    blob: BlobSource,
    signal: AbortSignal,
  ): Promise<Digest> {
    const compression = kind === "xz" || kind === "bzip2" ? kind : undefined;
    const stored = compression === undefined ? undefined : hashedBlob(blob);
    const layer = { mediaType: OCI_LAYER_GZIP, profile, what: "layer from archive", compression };
    const seal = await this.#putPending(entry, signal, (own, onBytes) =>
      gzipLayer(stored?.blob ?? blob, { ...layer, signal: own, onBytes }),
    );
    const { diffId = seal.descriptor.digest } = seal;
    await this.#options.cache.add(gzipKey(diffId, profile), seal);
    const digest = (await stored?.digest()) ?? diffId;
    this.seals.set(digest, seal);
    return digest;
  }

  async #putPending(
    entry: Entry,
    signal: AbortSignal,
    open: (signal: AbortSignal | undefined, onBytes: ((bytes: number) => void) | undefined) => PendingStream,
  ): Promise<Seal> {
    const { intake, onProgress } = this.#options;
    const blob = `entry ${escapeForeign(entry.name)}` as const;
    const pending: PendingBody = {
      key: `pending:${entry.bodyOffset}`,
      mediaType: UNKNOWN_TYPE,
      sourceBytes: entry.size,
      isOneShot: true,
      open: async (own, onBytes) => open(own, onBytes),
    };
    const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob, delta });
    const seal = await intake.putPending(countedPending(pending), signal, onBytes);
    this.taken.add(seal.descriptor.digest);
    if (seal.presence === undefined) onProgress({ kind: "done", blob, bytes: seal.descriptor.size });
    else onProgress({ kind: "skipped", blob, bytes: 0, reason: seal.presence });
    return seal;
  }
}
