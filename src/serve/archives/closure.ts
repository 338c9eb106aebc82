import type { AbsentBlob, ImageArchive } from "../../archive/archive-source.ts";
import type { Root } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { MAX_INDEX_DEPTH } from "../../oci/limits.ts";
import { type ManifestView, manifestChildren, parseManifest } from "../../oci/manifest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { artifactTypeOf } from "../../oci/referrers/referrer-kind.ts";
import type { ManifestRecord } from "../content/served-registry.ts";
import { absentBlob } from "./absent-blob.ts";
import { type ArchiveContent, ignoreChange } from "./archive-content.ts";
import { hasServedLayers } from "./served-draft.ts";

/** Everything below the images of one repository. */
export interface Closure {
  readonly manifests: ReadonlyMap<Digest, ManifestRecord>;
  /** Sizes of configs, layers and other blobs. */
  readonly blobs: ReadonlyMap<Digest, number>;
  /** Manifests that are here, and of which something below is not: people may know of them, pulls would end half-way. */
  readonly incomplete: ReadonlyMap<Digest, ManifestRecord>;
  /** Manifests that cannot be pulled, with the blobs that they lack. */
  readonly lost: ReadonlyMap<Digest, readonly AbsentBlob[]>;
  /** Of manifests that are named, by an image or by another manifest; also of those that cannot be read. */
  readonly named: ReadonlySet<Digest>;
  /** Of the manifests of images, or of the configs of those in `unnamable`. */
  readonly digests: ReadonlyMap<Root, Digest>;
  /** Configs of images with layers that no manifest can name. */
  readonly unnamable: ReadonlySet<Digest>;
  /** A file with manifests that could not be read, because it has changed: what they name is not known. */
  readonly changedFile: string | undefined;
  /** Tags of what refers to the images: cosign's. */
  readonly tags: ReadonlyMap<string, Digest>;
}

/** Reads the manifests of images, all below them, and all that refers to them. */
export async function readClosure(
  roots: Iterable<Root>,
  archive: ImageArchive,
  content: ArchiveContent,
): Promise<Closure> {
  const reading = new ClosureReading(archive, content);
  for (const root of roots) await reading.addRoot(root);
  await reading.addReferrers();
  return reading;
}

class ClosureReading implements Closure {
  readonly manifests = new Map<Digest, ManifestRecord>();
  readonly blobs = new Map<Digest, number>();
  readonly incomplete = new Map<Digest, ManifestRecord>();
  readonly lost = new Map<Digest, readonly AbsentBlob[]>();
  readonly named = new Set<Digest>();
  readonly digests = new Map<Root, Digest>();
  readonly unnamable = new Set<Digest>();
  readonly tags = new Map<string, Digest>();
  changedFile: string | undefined;
  readonly #archive: ImageArchive;
  readonly #content: ArchiveContent;

  constructor(archive: ImageArchive, content: ArchiveContent) {
    this.#archive = archive;
    this.#content = content;
  }

  async addRoot(root: Root): Promise<void> {
    if (root.kind === "settled") {
      const { digest } = root.descriptor;
      this.digests.set(root, digest);
      const isSound = await this.#content.isSound(root).catch(ignoreChange);
      if (isSound === false) this.named.add(digest);
      else await this.#add(root.descriptor, 1);
    } else if (hasServedLayers(root.draft)) {
      const { digest, mediaType, bytes } = this.#content.addDraft(root.draft);
      this.digests.set(root, digest);
      this.#addManifest(digest, bytes.length, parseManifest(bytes, { announced: mediaType, where: digest }));
    } else {
      this.digests.set(root, root.draft.config.digest);
      this.unnamable.add(root.draft.config.digest);
    }
  }

  /** Of what was found, and of what refers to that. */
  async addReferrers(): Promise<void> {
    // A map also gives what is added on the way.
    for (const digest of this.manifests.keys()) await this.#addReferrersOf(digest);
    for (const digest of this.incomplete.keys()) await this.#addReferrersOf(digest);
  }

  async #addReferrersOf(subject: Digest): Promise<void> {
    const { found } = await this.#archive.referrers(subject);
    for (const { descriptor, tag } of found) {
      await this.#add(descriptor, 1);
      if (tag !== undefined && this.named.has(descriptor.digest)) this.tags.set(tag, descriptor.digest);
    }
  }

  async #add({ digest, mediaType, size }: Descriptor, depth: number): Promise<void> {
    if (this.named.has(digest) || depth > MAX_INDEX_DEPTH) return;
    this.named.add(digest);
    const absent = absentBlob(this.#archive, digest);
    if (absent !== undefined) this.lost.set(digest, [absent]);
    const bytes = await this.#content.readManifest(digest).catch(ignoreChange);
    // So that people see it: the file that it is in has changed.
    const changed = bytes === undefined ? this.#content.changedFile(digest) : undefined;
    if (changed !== undefined) {
      this.changedFile = changed;
      this.incomplete.set(digest, { digest, size, mediaType });
    }
    const view = bytes === undefined ? undefined : viewOf(bytes, mediaType, digest);
    if (bytes === undefined || view === undefined) return;
    if (view.kind === "index") {
      for (const child of view.manifests) if (isManifestType(child.mediaType)) await this.#add(child, depth + 1);
    }
    this.#addManifest(digest, bytes.length, view);
  }

  #addManifest(digest: Digest, size: number, view: ManifestView): void {
    const children = manifestChildren(view);
    for (const child of children) {
      if (this.named.has(child.digest)) continue;
      this.blobs.set(child.digest, this.#archive.sizeOf(child.digest) ?? child.size);
    }
    // Each once: indexes that share their entries would have them without bound (security case M-07).
    const lacking = new Set(
      children.flatMap(child => this.lost.get(child.digest) ?? absentBlob(this.#archive, child.digest) ?? []),
    );
    const isUsable = view.kind === "index" && children.some(child => this.manifests.has(child.digest));
    const isLost = lacking.size > 0 && !isUsable;
    if (isLost) this.lost.set(digest, [...lacking]);
    const artifactType = artifactTypeOf(view);
    (isLost ? this.incomplete : this.manifests).set(digest, {
      digest,
      size,
      mediaType: view.mediaType,
      ...(view.subject === undefined ? {} : { subject: view.subject.digest }),
      ...(artifactType === undefined ? {} : { artifactType }),
    });
  }
}

/** Undefined for what is no manifest: it cannot be pulled. */
function viewOf(bytes: Uint8Array, mediaType: string, where: string): ManifestView | undefined {
  try {
    return parseManifest(bytes, { announced: mediaType, where });
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}
