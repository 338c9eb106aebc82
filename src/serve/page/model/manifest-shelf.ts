import type { Descriptor } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { ImageConfig } from "../../../oci/image-config.ts";
import { isForeignLayerType } from "../../../oci/media-types.ts";
import { formatPlatform } from "../../../oci/platform.ts";
import { runBounded } from "../../../util/task-group.ts";
import type { ManifestRecord, ServedRegistry, ServedRepository } from "../../content/served-registry.ts";
import { type BlobFacts, type ManifestFacts, manifestFacts } from "./manifest-facts.ts";
import { readConfig } from "./read-config.ts";

/** Reads at once. */
const MAX_READS = 16;
/** So few manifests are never forgotten. */
const MIN_KEPT = 100;

/** What was read of manifests and configs. Content never changes, so that a change of names reads only what is new. */
export class ManifestShelf {
  readonly #registry: ServedRegistry;
  #manifests = new Map<Digest, ManifestFacts>();
  #platforms = new Map<Digest, string>();
  #blobs = new Map<Digest, BlobFacts>();
  #blobCount = 0;

  constructor(registry: ServedRegistry) {
    this.#registry = registry;
  }

  /** Undefined for one that was not read, is damaged, or was removed. */
  manifest(digest: Digest): ManifestFacts | undefined {
    return this.#manifests.get(digest);
  }

  /** `linux/arm64/v8`; undefined for a config that was not read, or that names none. */
  platform(config: Digest): string | undefined {
    return this.#platforms.get(config) || undefined;
  }

  async readManifests(records: Iterable<ManifestRecord>, signal: AbortSignal): Promise<void> {
    const wanted = new Map<Digest, ManifestRecord>();
    for (const record of records) if (!this.#manifests.has(record.digest)) wanted.set(record.digest, record);
    await runBounded(
      wanted.values(),
      MAX_READS,
      async record => {
        signal.throwIfAborted();
        const bytes = await this.#registry.readManifest(record);
        if (bytes === undefined) return;
        this.#manifests.set(
          record.digest,
          manifestFacts(bytes, record.mediaType, blob => this.#shared(blob)),
        );
      },
      signal,
    );
  }

  /** Platforms of images that no index names: only their configs have them. */
  async readPlatforms(
    configs: Iterable<{ readonly repository: ServedRepository; readonly config: Digest }>,
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = new Map<Digest, ServedRepository>();
    for (const { repository, config } of configs) if (!this.#platforms.has(config)) wanted.set(config, repository);
    await runBounded(
      wanted,
      MAX_READS,
      async ([config, repository]) => {
        const read = await readConfig(this.#registry, repository.blob(config), signal);
        if (read !== undefined) this.#platforms.set(config, configPlatform(read));
      },
      signal,
    );
  }

  /** How many ids blobs have. */
  get blobCount(): number {
    return this.#blobCount;
  }

  blob(digest: Digest): BlobFacts | undefined {
    return this.#blobs.get(digest);
  }

  /** Forgets what no image has any more, once it is a quarter of all. */
  keep(used: ReadonlySet<Digest>): void {
    if (this.#manifests.size <= used.size + used.size / 4 + MIN_KEPT) return;
    const manifests = [...this.#manifests].filter(([digest]) => used.has(digest));
    const configs = new Set(manifests.flatMap(([, { config }]) => config?.digest ?? []));
    this.#manifests = new Map(manifests);
    this.#platforms = new Map([...this.#platforms].filter(([digest]) => configs.has(digest)));
    const blobs = manifests.flatMap(([, { config, layers }]) => [...(config === undefined ? [] : [config]), ...layers]);
    this.#blobs = new Map(blobs.map(blob => [blob.digest, blob]));
  }

  #shared({ digest, size, mediaType }: Descriptor): BlobFacts {
    const known = this.#blobs.get(digest);
    const isForeign = isForeignLayerType(mediaType);
    if (known?.size === size && known.isForeign === isForeign) return known;
    const found = { id: this.#blobCount, digest, size, isForeign };
    this.#blobCount += 1;
    this.#blobs.set(digest, found);
    return found;
  }
}

/** Empty for a config that names none. */
function configPlatform({ os, architecture, variant, osVersion }: ImageConfig): string {
  if (os === "" && architecture === "") return "";
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return formatPlatform(osVersion === undefined ? platform : { ...platform, osVersion });
}
