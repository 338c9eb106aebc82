import { LayerSpool } from "../../archive/layer-spool.ts";
import { isPartOfBundle } from "../../archive/lock/bundle-part.ts";
import { type ScanOptions, StreamedArchive } from "../../archive/open/streamed-archive.ts";
import type { ArchiveSource } from "../../archive/open-archive.ts";
import type { LayerProfile } from "../../compress/layer-profile.ts";
import type { BlobSource, CopyPlan, ImageSource, ImageTarget, Seal, TargetSession } from "../../content/contracts.ts";
import { derivedSource } from "../../content/derived-source.ts";
import type { OnProgress } from "../../content/progress.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import { ArchiveError, IntegrityError, InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { hashWhileScanning } from "./hash-while-scanning.ts";
import { type BlobReceiver, type UploadWhileReadingOptions, uploadWhileReading } from "./upload-while-reading.ts";

const NOTHING_KNOWN: CopyPlan = { roots: [], pending: [], blobs: [], manifests: new Map(), totalBytes: 0 };

export interface StreamedInputOptions {
  /** Opens the image's repository, if that is known before the archive is read. */
  readonly openTarget: (() => Promise<ImageTarget>) | undefined;
  /** True if the image goes to further repositories, which also need the layers. */
  readonly isShared: boolean;
  /** Of raw layers; undefined leaves them as they are. */
  readonly profile: LayerProfile | undefined;
  readonly cache: DigestCache;
  readonly isDryRun: boolean;
  /** Why it is read twice, or layers from a pipe are kept; default: because image names come last in the archive. */
  readonly reason?: string | undefined;
  readonly onProgress: OnProgress;
}

/**
 * Reads a streamed archive for a push: once, while its layers are uploaded; or twice, if the repository is known only
 * after reading it; or once with the layers kept in a temporary file, if such an archive comes from a pipe, or goes to
 * several repositories from there.
 */
export class StreamedInput implements AsyncDisposable {
  /** Layers that were compressed, by their digest in the archive. */
  seals: ReadonlyMap<Digest, Seal> = new Map();
  /** Blobs that the registry has by now. */
  sent: ReadonlySet<Digest> = new Set();
  readonly #options: StreamedInputOptions;
  #archive: StreamedArchive | undefined;
  #spool: LayerSpool | undefined;

  constructor(options: StreamedInputOptions) {
    this.#options = options;
  }

  /** The first reading. */
  readonly scan = async (scan: ScanOptions): Promise<StreamedArchive> => {
    const { openTarget, isShared, isDryRun, onProgress } = this.#options;
    if (isDryRun || (openTarget === undefined && scan.isReopenable)) {
      const { reason = "because image names come last in it; --tag avoids that" } = this.#options;
      if (!isDryRun) this.#note(`Reading the archive twice, ${reason}`);
      // Bodies from a pipe can be hashed only now.
      return scan.isReopenable
        ? await StreamedArchive.scan(scan)
        : await hashWhileScanning(scan, new Map(), onProgress);
    }
    if (openTarget !== undefined && (scan.isReopenable || !isShared)) {
      const target = await openTarget();
      await using session = await target.begin(NOTHING_KNOWN, scan.signal);
      const receiver = receiverOf(session, target.host);
      return await this.#read(scan, async lock =>
        lock !== undefined && isPartOfBundle(lock) ? await this.#withheld(scan) : receiver,
      );
    }
    const spool = await this.#openSpool(
      this.#reasonToKeep(),
      "Name the image with --tag, so that no layer is kept, or set TMPDIR to another folder.",
    );
    return await this.#read(scan, async () => spool);
  };

  /** The source, with the blobs that were kept. Reading any other blob of a pipe is an error. */
  sourceOf(archive: ArchiveSource): ImageSource {
    if (this.#archive === undefined) return archive;
    const { isReopenable, streamed } = this.#archive;
    return derivedSource(archive, {
      blob: async descriptor => {
        const kept = this.#spool?.find(descriptor.digest);
        if (kept !== undefined) return kept;
        const blob = await archive.blob(descriptor);
        const entry = archive.entryOf(descriptor.digest);
        return entry === undefined || streamed.holds(entry) ? blob : this.#unreadable(archive, descriptor);
      },
      streamed: isReopenable ? archive.streamed : undefined,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool?.[Symbol.asyncDispose]();
  }

  async #read(scan: ScanOptions, receiver: UploadWhileReadingOptions["receiver"]): Promise<StreamedArchive> {
    const { profile, cache, onProgress } = this.#options;
    let isWithheld = false;
    const { archive, seals, received } = await uploadWhileReading(scan, {
      receiver: async lock => {
        const chosen = await receiver(lock);
        isWithheld = chosen === undefined;
        return chosen;
      },
      profile,
      cache,
      // Blobs that are only kept are counted when they are sent.
      onProgress: event => {
        if (this.#spool === undefined) onProgress(event);
      },
    });
    if (isWithheld) return archive;
    this.#archive = archive;
    this.seals = seals;
    if (this.#spool === undefined) this.sent = received;
    return archive;
  }

  /** Of a part of a bundle, nothing is sent before it is known that the target has all that it lacks. */
  async #withheld({ isReopenable }: ScanOptions): Promise<LayerSpool | undefined> {
    const reason = "because the target is asked for what it lacks first";
    if (!isReopenable) return await this.#openSpool(reason, "Set TMPDIR to another folder.");
    this.#note(`Reading the archive twice, ${reason}`);
    return undefined;
  }

  async #openSpool(reason: string, hint: string): Promise<LayerSpool> {
    const spool = await LayerSpool.create(hint);
    this.#spool = spool;
    this.#note(`Keeping compressed layers in a temporary file in ${spool.folder}, ${reason}`);
    return spool;
  }

  #reasonToKeep(): string {
    const { reason, isShared } = this.#options;
    if (reason !== undefined) return reason;
    if (isShared) return "because they go to several repositories";
    return "because image names come last in the archive; --tag REGISTRY/REPOSITORY:TAG avoids that";
  }

  #unreadable(archive: ArchiveSource, { digest, size }: Descriptor): BlobSource {
    const entry = archive.entryOf(digest);
    const found = entry === undefined ? undefined : this.#archive?.knownDigest(entry);
    const { what } = archive.archive;
    const error =
      found === undefined || found === digest
        ? new ArchiveError(
            "already-read",
            `Cannot read blob ${digest} from ${what}: already read past it, expected a file`,
            { hint: "Save the archive to a file and push that, or try --compression keep." },
          )
        : new IntegrityError(`Cannot accept layer from ${what}: found ${found}, expected ${digest}`, {
            hint: "The archive was damaged or altered after it was saved: copy it again from its source.",
          });
    return {
      size,
      open: async () => {
        throw error;
      },
    };
  }

  #note(message: string): void {
    this.#options.onProgress({ kind: "note", message });
  }
}

function receiverOf(session: TargetSession, host: string | undefined): BlobReceiver {
  const { putPending } = session;
  if (putPending === undefined)
    throw new InternalError("Cannot push while reading: the target must know digests first");
  return {
    host,
    has: async (descriptor, signal) => await session.has(descriptor, signal),
    put: async (descriptor, blob, signal) => await session.put(descriptor, blob, signal),
    putPending: async (blob, signal, onBytes) => await putPending.call(session, blob, signal, onBytes),
  };
}
