import { LayerSpool } from "../../archive/layer-spool.ts";
import { type ScanOptions, StreamedArchive } from "../../archive/open/streamed-archive.ts";
import type { ArchiveSource } from "../../archive/open-archive.ts";
import { gzipProfile } from "../../compress/gzip/gzip-profile.ts";
import type { BlobSource, ImageSource, Seal, TargetSession } from "../../content/contracts.ts";
import type { OnProgress } from "../../content/progress.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import { ArchiveError, IntegrityError, InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { scanHashed } from "./hash-while-scanning.ts";
import { type Intake, uploadWhileReading } from "./upload-while-reading.ts";

export interface OnceReadingOptions {
  /** Begins an upload to where the image goes, when that is known before the archive is read. */
  readonly beginUpload: (() => Promise<TargetSession>) | undefined;
  /** The image goes to other places, too, for which what has passed by would be gone. */
  readonly isShared: boolean;
  readonly level: number | "keep" | undefined;
  readonly cache: DigestCache;
  readonly isDryRun: boolean;
  /** Why layers from a pipe are kept, where it is not for the names at the archive's end. */
  readonly reason?: string;
  readonly onProgress: OnProgress;
}

/**
 * How a push reads what has no random access: once, with its layers on their way to the registry as they pass by; or
 * twice, when the registry is named at the archive's end only; or once with the layers kept in a temporary file, when
 * that archive comes out of a pipe, or goes to several repositories from there.
 */
export class SequentialInput implements AsyncDisposable {
  /** Layers that were compressed, by the digest of what the archive holds. */
  seals: ReadonlyMap<Digest, Seal> = new Map();
  /** What the registry has got by now. */
  sent: ReadonlySet<Digest> = new Set();
  readonly #options: OnceReadingOptions;
  #archive: StreamedArchive | undefined;
  #spool: LayerSpool | undefined;

  constructor(options: OnceReadingOptions) {
    this.#options = options;
  }

  readonly scan = async (scan: ScanOptions): Promise<StreamedArchive> => {
    const { beginUpload, isShared, isDryRun, onProgress } = this.#options;
    if (isDryRun || (beginUpload === undefined && scan.isReopenable)) {
      if (!isDryRun) this.#note("The archive is read twice, because its end tells where it goes; --tag saves one time");
      // What passes by only must tell its digests now.
      return scan.isReopenable ? await StreamedArchive.scan(scan) : await scanHashed(scan, new Map(), onProgress);
    }
    if (beginUpload !== undefined && (scan.isReopenable || !isShared)) {
      await using session = await beginUpload();
      return await this.#read(scan, intakeOf(session));
    }
    this.#spool = await LayerSpool.create();
    this.#note(
      `Layers are kept compressed in a temporary file in ${this.#spool.folder} ` +
        (this.#options.reason ??
          (isShared
            ? "because they go to several repositories"
            : "until the archive has told its names; --tag REGISTRY/REPOSITORY:TAG sends them at once")),
    );
    return await this.#read(scan, this.#spool);
  };

  /** The source, with the blobs that were kept; what has passed by and was not kept is an error when it is read. */
  sourceOf(archive: ArchiveSource): ImageSource {
    if (this.#archive === undefined) return archive;
    const { passing } = this.#archive;
    return {
      roots: signal => archive.roots(signal),
      blob: async descriptor => {
        const kept = this.#spool?.find(descriptor.digest);
        if (kept !== undefined) return kept;
        const blob = await archive.blob(descriptor);
        const entry = archive.entryOf(descriptor.digest);
        return entry === undefined || passing.holds(entry) ? blob : this.#passedBy(archive, descriptor);
      },
      confirm: async signal => await archive.confirm(signal),
      stream: this.#archive.isReopenable ? archive.stream : undefined,
      [Symbol.asyncDispose]: async () => await archive[Symbol.asyncDispose](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool?.[Symbol.asyncDispose]();
  }

  async #read(scan: ScanOptions, intake: Intake): Promise<StreamedArchive> {
    const { level, cache, onProgress } = this.#options;
    const profile = level === "keep" ? undefined : gzipProfile(level);
    // What is only kept counts when it is sent.
    const onTaken: OnProgress =
      intake === this.#spool ? event => void (event.kind === "bytes" && onProgress(event)) : onProgress;
    const { archive, seals, taken } = await uploadWhileReading(scan, { intake, profile, cache, onProgress: onTaken });
    this.#archive = archive;
    this.seals = seals;
    if (intake !== this.#spool) this.sent = taken;
    return archive;
  }

  #passedBy(archive: ArchiveSource, { digest, size }: Descriptor): BlobSource {
    const entry = archive.entryOf(digest);
    const found = entry === undefined ? undefined : this.#archive?.knownDigest(entry);
    const { what } = archive.archive;
    const error =
      found === undefined || found === digest
        ? new ArchiveError("passed-by", `Cannot read blob ${digest} from ${what}: it has passed by, expected a file`, {
            hint: "Save the archive to a file and push that, or try --compression keep.",
          })
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

function intakeOf(session: TargetSession): Intake {
  const { putPending } = session;
  if (putPending === undefined)
    throw new InternalError("Cannot push while reading: the target must know digests first");
  return {
    has: async (descriptor, signal) => await session.has(descriptor, signal),
    put: async (descriptor, blob, signal) => await session.put(descriptor, blob, signal),
    putPending: async (blob, signal, onBytes) => await putPending.call(session, blob, signal, onBytes),
  };
}
