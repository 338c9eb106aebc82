import type { LayerProfile } from "../../../compress/layer-profile.ts";
import type { LayerFactsCache } from "../../../copy/layer-facts.ts";
import type { Digest } from "../../../oci/digest.ts";
import { type LayerCompression, layerCompression } from "../../../oci/media-types.ts";
import type { V1ChainLayer } from "../../../registry/v1/v1-image.ts";
import type { Repacking } from "../../../transform/measure-layer.ts";
import type { MeasuredFacts } from "../reading/measured-layer.ts";

/** What is known of the layers of a run: from this run, and, of layers that stay as they are stored, from earlier ones. */
export class V1Facts {
  readonly repack: Repacking;
  readonly #cache: LayerFactsCache;
  readonly #known = new Map<string, MeasuredFacts>();
  /** Digests of layers that this run has read, as it delivers them. */
  readonly read: Set<Digest> = new Set();

  constructor(cache: LayerFactsCache, repack: (stored: LayerCompression) => LayerProfile | undefined) {
    this.#cache = cache;
    this.repack = repack;
  }

  find({ key }: V1ChainLayer): MeasuredFacts | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const cached = this.#cache.find(key);
    // What another compression makes of it is known after a reading alone.
    if (cached === undefined || this.repack(layerCompression(cached.stored.mediaType) ?? "none") !== undefined)
      return undefined;
    const facts = { ...cached, delivered: cached.stored };
    this.#known.set(key, facts);
    return facts;
  }

  async add({ key }: V1ChainLayer, facts: MeasuredFacts): Promise<void> {
    this.#known.set(key, facts);
    this.read.add(facts.delivered.digest);
    await this.#cache.add(key, { stored: facts.stored, diffId: facts.diffId });
  }

  /**
   * Forgets what earlier runs have found out, because a layer has other bytes now.
   *
   * @returns false if all that is known is from this run.
   */
  async forget(): Promise<boolean> {
    const old = [...this.#known].filter(([, { delivered }]) => !this.read.has(delivered.digest));
    for (const [key] of old) {
      this.#known.delete(key);
      await this.#cache.forget(key);
    }
    return old.length > 0;
  }

  get all(): ReadonlyMap<string, MeasuredFacts> {
    return this.#known;
  }
}
