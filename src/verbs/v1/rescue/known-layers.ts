import { gzipProfile } from "../../../compress/gzip/gzip-profile.ts";
import type { LayerProfile } from "../../../compress/layer-profile.ts";
import type { DigestCache } from "../../../copy/digest-cache.ts";
import type { LayerFacts, LayerFactsCache } from "../../../copy/layer-facts.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { DOCKER_LAYER, layerCompression, withLayerCompression } from "../../../oci/media-types.ts";
import type { V1ChainLayer, V1Image } from "../../../registry/v1/v1-image.ts";
import { packedKey } from "../../../transform/compress-layers.ts";
import type { Repacking } from "../../../transform/measure-layer.ts";
import type { MeasuredFacts } from "../reading/measured-layer.ts";

/** What this run and earlier ones found out about layers, by their keys. */
export class KnownLayers {
  /** Raw layers get the compression of the run; xz and bzip2, which no registry has a media type for, become gzip. */
  readonly repack: Repacking;
  readonly #facts: LayerFactsCache;
  readonly #cache: DigestCache;
  /** Keys of layers that this run has read. */
  readonly #read = new Set<string>();
  /** Keys of layers that are not what an earlier run has read. */
  readonly #outdated = new Set<string>();

  /** @param profile undefined leaves raw layers as they are. */
  constructor(facts: LayerFactsCache, cache: DigestCache, profile: LayerProfile | undefined) {
    this.#facts = facts;
    this.#cache = cache;
    this.repack = stored => {
      if (stored === "none") return profile;
      return stored === "xz" || stored === "bzip2" ? (profile ?? gzipProfile()) : undefined;
    };
  }

  /** Bytes of a layer as stored: found by a reading, or else stated by the server. */
  sizeOf({ key, json }: V1ChainLayer): number | undefined {
    return this.#facts.find(key)?.stored.size ?? json.size;
  }

  /** Layers that must be read, each once: an image may have one twice. */
  unread({ chain }: V1Image): readonly V1ChainLayer[] {
    const distinct = new Map(chain.map(layer => [layer.key, layer]));
    return [...distinct.values()].filter(({ key }) => this.#find(key) === undefined);
  }

  /** Of the layers that need not be read. */
  factsOf({ chain }: V1Image): ReadonlyMap<string, MeasuredFacts> {
    return new Map(
      chain.flatMap(({ key }) => {
        const facts = this.#find(key);
        return facts === undefined ? [] : [[key, facts] as const];
      }),
    );
  }

  async add(key: string, { stored, diffId, delivered }: MeasuredFacts): Promise<void> {
    const profile = this.repack(layerCompression(stored.mediaType) ?? "none");
    if (profile !== undefined) await this.#cache.add(packedKey(diffId, profile), { descriptor: delivered });
    await this.#facts.add(key, { stored, diffId });
    this.#read.add(key);
  }

  /**
   * Forgets what earlier runs found out about the layers of an image: one of them has other bytes now.
   *
   * @returns false if no earlier run has read any of them.
   */
  forget({ chain }: V1Image): boolean {
    const isOld = (key: string): boolean => !this.#read.has(key) && !this.#outdated.has(key);
    const old = chain.filter(({ key }) => isOld(key) && this.#facts.find(key) !== undefined);
    for (const { key } of old) this.#outdated.add(key);
    return old.length > 0;
  }

  #find(key: string): MeasuredFacts | undefined {
    const isOutdated = this.#outdated.has(key) && !this.#read.has(key);
    const facts = isOutdated ? undefined : this.#facts.find(key);
    const delivered = facts === undefined ? undefined : this.#delivered(facts);
    return facts === undefined || delivered === undefined ? undefined : { ...facts, delivered };
  }

  #delivered({ stored, diffId }: LayerFacts): Descriptor | undefined {
    const profile = this.repack(layerCompression(stored.mediaType) ?? "none");
    if (profile === undefined) return stored;
    const packed = this.#cache.find(packedKey(diffId, profile));
    const mediaType = withLayerCompression(DOCKER_LAYER, profile.format);
    return packed === undefined || mediaType === undefined ? undefined : { mediaType, ...packed };
  }
}
