import type { BaseBlob } from "../../../bundle/base/bundle.ts";
import type { LockedKind } from "../../../bundle/lock/lock.ts";
import { ANNOTATION_LICENSES } from "../../../oci/annotations.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { ManifestView } from "../../../oci/manifest.ts";
import { isForeignLayerType } from "../../../oci/media-types.ts";
import type { ServedRegistry, ServedRepository } from "../../content/served-registry.ts";
import type { ListedImage, ListedPlatform } from "../model/catalogue.ts";
import { readView } from "../model/manifest-facts.ts";
import { readConfig } from "../model/read-config.ts";
import type { TransferPlatform } from "./transfer-report.ts";

/** What an image consists of, as far as it can be read. */
export interface ReadContents {
  /** Lists of blobs, manifests among them; a manifest of several images has one list. */
  readonly parts: readonly (readonly Digest[])[];
  readonly platforms: readonly TransferPlatform[];
  /** Layers that are not here, because only their publisher may give them away. */
  readonly foreign: readonly Descriptor[];
  /** Whether all its manifests could be read. */
  readonly isWhole: boolean;
  /** Of an image without an index: what an archive without manifests knows it by. */
  readonly config?: Digest | undefined;
}

interface ReadManifest {
  readonly view: ManifestView;
  readonly blobs: readonly Digest[];
  readonly foreign: readonly Descriptor[];
}

/** Reads the manifests and configs of images, each once. */
export class ImageReader {
  /** Of all images that were read. */
  readonly blobs: Map<Digest, BaseBlob> = new Map();
  readonly #registry: ServedRegistry;
  readonly #signal: AbortSignal;
  readonly #manifests = new Map<Digest, Promise<ReadManifest | undefined>>();

  constructor(registry: ServedRegistry, signal: AbortSignal) {
    this.#registry = registry;
    this.#signal = signal;
  }

  async contents(image: ListedImage): Promise<ReadContents> {
    const repository = await this.#registry.repository(image.repository);
    if (repository === undefined) return { parts: [], platforms: [], foreign: [], isWhole: false };
    const walk: Walk = { repository, parts: new Map(), foreign: new Map(), isWhole: true };
    for (const digest of [image.digest, ...image.attached.map(({ digest }) => digest)]) await this.#walk(digest, walk);
    const platforms: TransferPlatform[] = [];
    for (const platform of image.platforms) {
      const read = platform.state === "left out" ? undefined : await this.#manifest(platform.digest, repository);
      if (read !== undefined) platforms.push(await this.#platform(platform, read, repository));
    }
    const { parts, foreign, isWhole } = walk;
    const top = (await this.#manifest(image.digest, repository))?.view;
    const config = top?.kind === "image" ? top.config.digest : undefined;
    return { parts: [...parts.values()], platforms, foreign: [...foreign.values()], isWhole, config };
  }

  async #walk(digest: Digest, walk: Walk): Promise<void> {
    if (walk.parts.has(digest)) return;
    const read = await this.#manifest(digest, walk.repository);
    walk.parts.set(digest, read?.blobs ?? []);
    if (read === undefined) walk.isWhole = false;
    for (const layer of read?.foreign ?? []) walk.foreign.set(layer.digest, layer);
    if (read?.view.kind !== "index") return;
    for (const child of read.view.manifests)
      if (walk.repository.manifest(child.digest) !== undefined) await this.#walk(child.digest, walk);
  }

  async #manifest(digest: Digest, repository: ServedRepository): Promise<ReadManifest | undefined> {
    const known = this.#manifests.get(digest) ?? this.#read(digest, repository);
    this.#manifests.set(digest, known);
    return await known;
  }

  async #read(digest: Digest, repository: ServedRepository): Promise<ReadManifest | undefined> {
    this.#signal.throwIfAborted();
    const record = repository.manifest(digest);
    const bytes = record && (await this.#registry.readManifest(record));
    const view = bytes && readView(bytes, record.mediaType);
    if (record === undefined || view === undefined) return undefined;
    const layers = view.kind === "image" ? view.layers : view.kind === "other" ? view.blobs : [];
    const isAbsent = ({ digest, mediaType }: Descriptor): boolean =>
      isForeignLayerType(mediaType) && repository.blob(digest) === undefined;
    const present = layers.filter(layer => !isAbsent(layer));
    const configs = view.kind === "image" ? [view.config] : [];
    this.#add([record], "manifest");
    this.#add(configs, "config");
    this.#add(present, "layer");
    const blobs = [record, ...configs, ...present].map(blob => blob.digest);
    return { view, blobs: [...new Set(blobs)], foreign: layers.filter(isAbsent) };
  }

  #add(blobs: readonly { readonly digest: Digest; readonly size: number }[], kind: LockedKind): void {
    for (const { digest, size } of blobs)
      if (!this.blobs.has(digest)) this.blobs.set(digest, { size, kind, repositories: [] });
  }

  async #platform(
    { label, digest }: ListedPlatform,
    { view, blobs }: ReadManifest,
    repository: ServedRepository,
  ): Promise<TransferPlatform> {
    const bytes = blobs.reduce((sum, blob) => sum + (this.blobs.get(blob)?.size ?? 0), 0);
    const config =
      view.kind === "image" && label !== ""
        ? await readConfig(this.#registry, repository.blob(view.config.digest), this.#signal)
        : undefined;
    const licenses = config?.runtime.labels[ANNOTATION_LICENSES] ?? view.annotations?.[ANNOTATION_LICENSES];
    return {
      ...(label === "" ? {} : { platform: label }),
      digest,
      bytes,
      ...(config?.created === undefined ? {} : { created: config.created }),
      ...(licenses === undefined ? {} : { licenses }),
    };
  }
}

interface Walk {
  readonly repository: ServedRepository;
  /** By manifest. */
  readonly parts: Map<Digest, readonly Digest[]>;
  readonly foreign: Map<Digest, Descriptor>;
  isWhole: boolean;
}
