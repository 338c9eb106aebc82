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
import { hasBlob, mountBlob, uploadBlob } from "../registry/blob-upload.ts";
import { uploadChunked } from "../registry/chunked-upload.ts";
import { putManifest } from "../registry/manifest-access.ts";
import { uploadPending } from "../registry/pending-upload.ts";
import type { RegistryClient } from "../registry/registry-client.ts";
import { PART_BYTES } from "../registry/upload-parts.ts";
import { cancelUpload, type UploadTarget } from "../registry/upload-session.ts";

/** Compressed in memory first: the digest is known then, and one HEAD may save the upload. */
const SMALL_LAYER_BYTES = 1024 * 1024;

/** Which repositories of this registry hold a blob: known from this run or an earlier one. */
export interface BlobHolders {
  find(digest: Digest, repository: string): string | undefined;
  add(digest: Digest, repository: string): Promise<void>;
}

/**
 * A repository to push into. Root names are tags; a root without one is put by its digest.
 */
export function registryTarget(client: RegistryClient, repository: string, holders: BlobHolders): ImageTarget {
  return { begin: async plan => new RegistrySession(client, repository, holders, childrenOf(plan)) };
}

class RegistrySession implements TargetSession {
  readonly #client: RegistryClient;
  readonly #repository: string;
  readonly #holders: BlobHolders;
  /** Manifests that others name: their parents are refused unless they are there before. */
  readonly #children: ReadonlySet<Digest>;
  /** Sessions that a refused mount left open, for the upload that follows. */
  readonly #sessions = new Map<Digest, URL>();
  readonly #manifests = new Map<Digest, RawManifest>();

  constructor(client: RegistryClient, repository: string, holders: BlobHolders, children: ReadonlySet<Digest>) {
    this.#client = client;
    this.#repository = repository;
    this.#holders = holders;
    this.#children = children;
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence> {
    const { digest } = descriptor;
    const target = this.#target(signal);
    const holder = this.#holders.find(digest, this.#repository);
    if (holder !== undefined) {
      // One request instead of two: a mount answers 201 too when the blob is here already.
      const mounted = await mountBlob(target, digest, holder);
      if (mounted === true) {
        await this.#holders.add(digest, this.#repository);
        return "mounted";
      }
      if (mounted !== undefined) this.#sessions.set(digest, mounted);
    }
    if (!(await hasBlob(target, digest))) return "absent";
    await this.#dropSession(target, digest);
    await this.#holders.add(digest, this.#repository);
    return "exists";
  }

  async put(descriptor: Descriptor, blob: Parameters<TargetSession["put"]>[1], signal?: AbortSignal): Promise<void> {
    const { digest, mediaType } = descriptor;
    if (isManifestType(mediaType)) {
      this.#manifests.set(digest, { mediaType, bytes: await readBlob(blob, MAX_MANIFEST_BYTES, signal) });
      return;
    }
    if (blob.isOnce === true && blob.size > PART_BYTES) {
      await this.#dropSession(this.#target(signal), digest);
      await this.#putOnce(blobChunks(blob, signal), () => descriptor, `blob ${digest}`, signal);
      return;
    }
    const sent = blob.isOnce === true ? bytesBlob(await readBlob(blob, blob.size, signal)) : blob;
    const session = this.#sessions.get(digest);
    this.#sessions.delete(digest);
    await uploadBlob(this.#target(signal), descriptor, sent, session);
    await this.#holders.add(digest, this.#repository);
  }

  async putPending(blob: PendingBody, signal?: AbortSignal, onBytes?: (bytes: number) => void): Promise<Seal> {
    if (blob.isOnce === true && blob.sourceBytes > SMALL_LAYER_BYTES) {
      const stream = await blob.open(signal, onBytes);
      const presence = await this.#putOnce(stream.body, () => stream.seal().descriptor, "layer from archive", signal);
      return presence === "absent" ? stream.seal() : { ...stream.seal(), presence };
    }
    if (blob.sourceBytes > SMALL_LAYER_BYTES) {
      const seal = await uploadPending(this.#target(signal), blob, onBytes);
      await this.#holders.add(seal.descriptor.digest, this.#repository);
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
    const place = { client: this.#client, repository: this.#repository, signal };
    const tagged = new Set(roots.filter(({ names }) => names.length > 0).map(({ descriptor }) => descriptor.digest));
    for (const [digest, manifest] of this.#manifests) {
      if (!tagged.has(digest) || this.#children.has(digest)) await putManifest(place, digest, manifest, digest);
    }
    for (const { names, descriptor } of roots) {
      const manifest = this.#manifests.get(descriptor.digest);
      if (manifest === undefined) continue;
      for (const tag of names) await putManifest(place, tag, manifest, descriptor.digest);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** @returns whether the target turned out to have it. */
  async #putOnce(
    body: AsyncIterable<Uint8Array>,
    descriptor: () => Descriptor,
    what: string,
    signal: AbortSignal | undefined,
  ): Promise<Presence> {
    let presence: Presence = "absent";
    const target = this.#target(signal);
    const putSmall = async (known: Descriptor, bytes: Uint8Array): Promise<void> => {
      presence = await this.has(known, signal);
      if (presence === "absent") await this.put(known, bytesBlob(bytes), signal);
    };
    await uploadChunked(target, { what, body, descriptor, putSmall });
    await this.#holders.add(descriptor().digest, this.#repository);
    return presence;
  }

  async #dropSession(target: UploadTarget, digest: Digest): Promise<void> {
    const session = this.#sessions.get(digest);
    if (session === undefined) return;
    this.#sessions.delete(digest);
    await cancelUpload(target, session);
  }

  #target(signal: AbortSignal | undefined): UploadTarget {
    return { client: this.#client, repository: this.#repository, signal };
  }
}

function childrenOf({ manifests }: CopyPlan): ReadonlySet<Digest> {
  return new Set([...manifests.values()].flatMap(({ view }) => manifestChildren(view).map(({ digest }) => digest)));
}
