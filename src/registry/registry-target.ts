import { bytesBlob } from "../content/blob.ts";
import type {
  BlobSource,
  CopyPlan,
  ImageTarget,
  PendingBody,
  Presence,
  Seal,
  SettledRoot,
  TargetSession,
} from "../content/contracts.ts";
import { readBlob } from "../content/pump.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../oci/limits.ts";
import { isManifestType } from "../oci/media-types.ts";
import { findBlob } from "./api/blobs.ts";
import type { Repository } from "./client/repository.ts";
import { ManifestPuts } from "./manifest-puts.ts";
import type { UndeliveredReferrer } from "./referrers/deliver-referrers.ts";
import { cancelUpload, mountBlob } from "./upload/start-upload.ts";
import { upload } from "./upload/upload.ts";
import { blobBody, passingBody, pendingBody, type UploadBody } from "./upload/upload-body.ts";
import { PART_BYTES } from "./upload/upload-chunked.ts";
import type { UploadJournal } from "./upload/upload-journal.ts";

/** A smaller layer is compressed in memory: then its digest is known, and one HEAD may save the upload. */
const SMALL_LAYER_BYTES = 1024 * 1024;

/** Which repositories of this registry hold a blob, known from this run or an earlier one. */
export interface BlobHolders {
  find(digest: Digest, repository: string): string | undefined;
  add(digest: Digest, repository: string): Promise<void>;
}

export interface RegistryTargetOptions {
  /** Keeps large uploads for a later run; default: an interrupted upload is lost. */
  readonly journal?: UploadJournal | undefined;
  /** Whether the images are known not to be there: what other repositories have is mounted without a look. Default: unknown. */
  readonly isNew?: boolean | undefined;
  /** Called with a sentence about what is odd at the registry. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** Called with the number of manifests and tags that are to be put; what it returns, after each. */
  readonly onCommit?: ((total: number) => () => void) | undefined;
  /** Called with each referrer that the registry refuses; by default that is an error. The images get their tags. */
  readonly onUndelivered?: ((undelivered: UndeliveredReferrer) => void) | undefined;
}

/**
 * A repository to push into. Root names are tags; a root without one is put by its digest.
 *
 * @param repository opened for pushing.
 */
export function registryTarget(
  repository: Repository,
  holders: BlobHolders,
  options: RegistryTargetOptions = {},
): ImageTarget {
  return { begin: async plan => new RegistrySession(repository, holders, plan, options) };
}

class RegistrySession implements TargetSession {
  readonly #repository: Repository;
  readonly #journal: UploadJournal | undefined;
  readonly #holders: BlobHolders;
  readonly #planned: CopyPlan["manifests"];
  /** URLs of sessions that a refused mount opened, for the upload that follows. */
  readonly #sessions = new Map<Digest, URL>();
  readonly #puts: ManifestPuts;
  readonly #onNote: (message: string) => void;
  /** Whether the repository lacks what others have. */
  #isNew: Promise<boolean> | undefined;

  constructor(repository: Repository, holders: BlobHolders, plan: CopyPlan, options: RegistryTargetOptions) {
    const { journal, onNote = () => undefined, onUndelivered = throwUndelivered, onCommit } = options;
    this.#repository = repository;
    this.#journal = journal;
    this.#holders = holders;
    this.#puts = new ManifestPuts(repository, plan, { onNote, onUndelivered, onCommit });
    this.#planned = plan.manifests;
    this.#onNote = onNote;
    if (options.isNew === true) this.#isNew = Promise.resolve(true);
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence> {
    const presence = await this.#find(descriptor, signal);
    const repository = this.#repository;
    const journal = this.#journal;
    // The answer to the end of an earlier upload may have been lost.
    const isRecorded = presence !== "absent" && journal !== undefined && descriptor.size >= journal.minBytes;
    if (isRecorded) await journal.forget({ repository, key: descriptor.digest }, signal);
    return presence;
  }

  async #find({ digest, size }: Descriptor, signal: AbortSignal | undefined): Promise<Presence> {
    const holder = this.#holders.find(digest, this.#repository.name);
    if (holder !== undefined && (await this.#lookFirst({ digest, size }, signal)) === "present") {
      await this.#hold(digest);
      return "exists";
    }
    const mounted = holder === undefined ? undefined : await mountBlob(this.#repository, digest, holder, signal);
    await this.#dropSession(digest, signal);
    if (mounted instanceof URL) this.#sessions.set(digest, mounted);
    // The answer to a mount has no size, and the holder's blob may be damaged.
    const found = await findBlob(this.#repository, { digest, size }, signal);
    if (found === "other-size") {
      this.#onNote(`${this.#repository} has blob ${digest} with another size than ${size} bytes; uploading it`);
    }
    // Some registries answer no HEAD.
    if (mounted === true && found !== "other-size") {
      await this.#hold(digest);
      return "mounted";
    }
    if (found !== "present") return "absent";
    await this.#dropSession(digest, signal);
    await this.#hold(digest);
    return "exists";
  }

  /**
   * Looks a blob up that another repository has, too, before it is mounted: where all is there, nothing is changed. The first answer
   * counts for all: a new repository has none of them.
   */
  async #lookFirst(
    blob: Pick<Descriptor, "digest" | "size">,
    signal: AbortSignal | undefined,
  ): ReturnType<typeof findBlob> {
    const isNew = this.#isNew;
    if (isNew !== undefined) return (await isNew) ? "absent" : await findBlob(this.#repository, blob, signal);
    const look = findBlob(this.#repository, blob, signal);
    this.#isNew = look.then(
      found => found === "absent",
      () => false,
    );
    return await look;
  }

  async put(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const { digest, mediaType } = descriptor;
    // The same bytes can also be a blob, under another media type.
    const isPlanned = this.#planned.get(digest)?.descriptor.mediaType === mediaType;
    if (isManifestType(mediaType) || isPlanned) {
      this.#puts.add(digest, { mediaType, bytes: await readBlob(blob, MAX_MANIFEST_BYTES, signal) });
      return;
    }
    const isSmall = blob.isOneShot === true && blob.size <= PART_BYTES;
    const sent = isSmall ? bytesBlob(await readBlob(blob, blob.size, signal)) : blob;
    await this.#upload(blobBody(descriptor, sent, signal), signal, this.#takeSession(digest));
    await this.#holdSent(digest);
  }

  async putPending(blob: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal> {
    if (blob.isOneShot !== true && blob.sourceBytes > SMALL_LAYER_BYTES) {
      const body = pendingBody(blob, signal, onBytes);
      await this.#upload(body, signal);
      await this.#holdSent(body.seal().descriptor.digest);
      return body.seal();
    }
    const stream = await blob.open(signal, onBytes);
    const head = await readHead(stream.body, PART_BYTES);
    if (!head.isWhole) {
      try {
        await this.#upload(passingBody(blob, head.parts, stream), signal);
      } finally {
        await stream.body.return();
      }
      await this.#holdSent(stream.seal().descriptor.digest);
      return stream.seal();
    }
    const seal = stream.seal();
    const presence = await this.has(seal.descriptor, signal);
    if (presence !== "absent") return { ...seal, presence };
    await this.put(seal.descriptor, bytesBlob(Buffer.concat(head.parts)), signal);
    return seal;
  }

  async commit(roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    await this.#puts.commit(roots, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map(async digest => await this.#dropSession(digest)));
  }

  async #upload(body: UploadBody, signal: AbortSignal | undefined, opened?: URL): Promise<void> {
    await upload(this.#repository, body, { journal: this.#journal, opened, signal });
  }

  async #hold(digest: Digest): Promise<void> {
    await this.#holders.add(digest, this.#repository.name);
  }

  async #holdSent(digest: Digest): Promise<void> {
    this.#puts.addSent(digest);
    await this.#hold(digest);
  }

  #takeSession(digest: Digest): URL | undefined {
    const session = this.#sessions.get(digest);
    this.#sessions.delete(digest);
    return session;
  }

  async #dropSession(digest: Digest, signal?: AbortSignal): Promise<void> {
    const session = this.#takeSession(digest);
    if (session !== undefined) await cancelUpload(this.#repository, session, signal);
  }
}

function throwUndelivered({ error }: UndeliveredReferrer): void {
  throw error;
}

/** The first parts of a body, copied, until they exceed `maxBytes`. */
async function readHead(
  body: AsyncGenerator<Uint8Array, void>,
  maxBytes: number,
): Promise<{ readonly parts: Uint8Array[]; readonly isWhole: boolean }> {
  const parts: Uint8Array[] = [];
  for (let bytes = 0; bytes <= maxBytes; ) {
    const next = await body.next();
    if (next.done === true) return { parts, isWhole: true };
    // The memory of a part is reused for the next one.
    parts.push(Uint8Array.from(next.value));
    bytes += next.value.length;
  }
  return { parts, isWhole: false };
}
