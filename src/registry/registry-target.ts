import { bytesBlob } from "../content/blob.ts";
import { blobChunks } from "../content/blob-chunks.ts";
import type {
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
import { manifestChildren, type RawManifest } from "../oci/manifest.ts";
import { isManifestType } from "../oci/media-types.ts";
import { putManifest } from "./api/put-manifest.ts";
import type { Repository } from "./client/repository.ts";
import { hasBlob, mountBlob, uploadBlob } from "./upload/blob-upload.ts";
import { type PassingUpload, uploadPassing } from "./upload/passing-upload.ts";
import { lastingKey, uploadPending } from "./upload/pending-upload.ts";
import type { UploadJournal } from "./upload/upload-journal.ts";
import { PART_BYTES } from "./upload/upload-parts.ts";
import { cancelUpload, type UploadTarget } from "./upload/upload-session.ts";

/** Compressed in memory first: the digest is known then, and one HEAD may save the upload. */
const SMALL_LAYER_BYTES = 1024 * 1024;

/** Which repositories of this registry hold a blob: known from this run or an earlier one. */
export interface BlobHolders {
  find(digest: Digest, repository: string): string | undefined;
  add(digest: Digest, repository: string): Promise<void>;
}

/**
 * A repository to push into. Root names are tags; a root without one is put by its digest.
 *
 * @param repository opened for pushing.
 * @param journal keeps large uploads for a later run; default: an interrupted upload is lost.
 */
export function registryTarget(repository: Repository, holders: BlobHolders, journal?: UploadJournal): ImageTarget {
  return { begin: async plan => new RegistrySession({ repository, journal }, holders, childrenOf(plan)) };
}

class RegistrySession implements TargetSession {
  readonly #destination: Omit<UploadTarget, "signal">;
  readonly #holders: BlobHolders;
  /** Manifests that others name: their parents are refused unless they are there before. */
  readonly #children: ReadonlySet<Digest>;
  /** Sessions that a refused mount left open, for the upload that follows. */
  readonly #sessions = new Map<Digest, { readonly target: UploadTarget; readonly url: URL }>();
  readonly #manifests = new Map<Digest, RawManifest>();

  constructor(destination: Omit<UploadTarget, "signal">, holders: BlobHolders, children: ReadonlySet<Digest>) {
    this.#destination = destination;
    this.#holders = holders;
    this.#children = children;
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence> {
    const presence = await this.#find(descriptor, signal);
    const { repository, journal } = this.#destination;
    // Perhaps the answer to the end of an upload was lost.
    const isRecorded = presence !== "absent" && journal !== undefined && descriptor.size >= journal.minBytes;
    if (isRecorded) await journal.forget({ repository, key: descriptor.digest });
    return presence;
  }

  async #find({ digest }: Descriptor, signal: AbortSignal | undefined): Promise<Presence> {
    const target = this.#target(signal);
    const holder = this.#holders.find(digest, this.#destination.repository.name);
    if (holder !== undefined) {
      // One request instead of two: a mount answers 201 too when the blob is here already.
      const mounted = await mountBlob(target, digest, holder);
      if (mounted === true) {
        await this.#holders.add(digest, this.#destination.repository.name);
        return "mounted";
      }
      if (mounted !== undefined) this.#sessions.set(digest, { target, url: mounted });
    }
    if (!(await hasBlob(target, digest))) return "absent";
    await this.#dropSession(digest);
    await this.#holders.add(digest, this.#destination.repository.name);
    return "exists";
  }

  async put(descriptor: Descriptor, blob: Parameters<TargetSession["put"]>[1], signal?: AbortSignal): Promise<void> {
    const { digest, mediaType } = descriptor;
    if (isManifestType(mediaType)) {
      this.#manifests.set(digest, { mediaType, bytes: await readBlob(blob, MAX_MANIFEST_BYTES, signal) });
      return;
    }
    if (blob.isOneShot === true && blob.size > PART_BYTES) {
      await this.#dropSession(digest);
      const { size } = blob;
      const body = blobChunks(blob, signal);
      const what = `blob ${digest}`;
      await this.#putOnce({ what, body, descriptor: () => descriptor, key: digest, size, sourceBytes: size }, signal);
      return;
    }
    const sent = blob.isOneShot === true ? bytesBlob(await readBlob(blob, blob.size, signal)) : blob;
    const session = this.#sessions.get(digest);
    this.#sessions.delete(digest);
    await uploadBlob(this.#target(signal), descriptor, sent, session?.url);
    await this.#holders.add(digest, this.#destination.repository.name);
  }

  async putPending(blob: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal> {
    if (blob.isOneShot === true && blob.sourceBytes > SMALL_LAYER_BYTES) {
      const stream = await blob.open(signal, onBytes);
      const descriptor = (): Descriptor => stream.seal().descriptor;
      const { sourceBytes } = blob;
      const upload = { what: "layer from archive", body: stream.body, descriptor, key: lastingKey(blob), sourceBytes };
      const presence = await this.#putOnce(upload, signal);
      return presence === "absent" ? stream.seal() : { ...stream.seal(), presence };
    }
    if (blob.sourceBytes > SMALL_LAYER_BYTES) {
      const seal = await uploadPending(this.#target(signal), blob, onBytes);
      await this.#holders.add(seal.descriptor.digest, this.#destination.repository.name);
      return seal;
    }
    const stream = await blob.open(signal, onBytes);
    const parts: Uint8Array[] = [];
    // A part's memory is used again while the next one is made.
    for await (const part of stream.body) parts.push(Uint8Array.from(part));
    const seal = stream.seal();
    const presence = await this.has(seal.descriptor, signal);
    if (presence !== "absent") return { ...seal, presence };
    await this.put(seal.descriptor, bytesBlob(Buffer.concat(parts)), signal);
    return seal;
  }

  async commit(roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    const { repository } = this.#destination;
    const tagged = new Set(roots.filter(({ names }) => names.length > 0).map(({ descriptor }) => descriptor.digest));
    for (const [digest, manifest] of this.#manifests) {
      if (!tagged.has(digest) || this.#children.has(digest))
        await putManifest(repository, digest, manifest, digest, signal);
    }
    for (const { names, descriptor } of roots) {
      const manifest = this.#manifests.get(descriptor.digest);
      if (manifest === undefined) continue;
      for (const tag of names) await putManifest(repository, tag, manifest, descriptor.digest, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map(async digest => await this.#dropSession(digest)));
  }

  /** @returns whether the target turned out to have it. */
  async #putOnce(upload: Omit<PassingUpload, "putSmall">, signal: AbortSignal | undefined): Promise<Presence> {
    let presence: Presence = "absent";
    const target = this.#target(signal);
    const putSmall = async (known: Descriptor, bytes: Uint8Array): Promise<void> => {
      presence = await this.has(known, signal);
      if (presence === "absent") await this.put(known, bytesBlob(bytes), signal);
    };
    await uploadPassing(target, { ...upload, putSmall });
    await this.#holders.add(upload.descriptor().digest, this.#destination.repository.name);
    return presence;
  }

  async #dropSession(digest: Digest): Promise<void> {
    const session = this.#sessions.get(digest);
    if (session === undefined) return;
    this.#sessions.delete(digest);
    await cancelUpload(session.target, session.url);
  }

  #target(signal: AbortSignal | undefined): UploadTarget {
    return { ...this.#destination, signal };
  }
}

function childrenOf({ manifests }: CopyPlan): ReadonlySet<Digest> {
  return new Set([...manifests.values()].flatMap(({ view }) => manifestChildren(view).map(({ digest }) => digest)));
}
