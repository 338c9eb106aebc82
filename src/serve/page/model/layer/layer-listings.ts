import type { Digest } from "../../../../oci/digest.ts";
import { SingleFlight } from "../../../../util/lazy/single-flight.ts";
import { limited } from "../../../../util/promises.ts";
import type { ServedRegistry, StoredContent } from "../../../content/served-registry.ts";
import type { LayerListing } from "./layer-listing.ts";
import { readLayer } from "./read-layer.ts";

/** Layers that are read at once: each takes a processor. */
const MAX_READINGS = 2;
/** Memory of all kept lists together, estimated: of a large layer, and of a great many usual ones. */
const MAX_KEPT_BYTES: number = 40 * 1024 * 1024;
const ENTRY_BYTES = 160;
/** Of a list without entries: a hundred thousand layers may have none. */
const LISTING_BYTES = 512;

interface KeptListing {
  readonly listing: LayerListing;
  /** Memory, estimated. */
  readonly bytes: number;
}

/**
 * Lists of layers. Those that were looked at last are kept, so that the next page of a list does not inflate its layer once
 * more; a layer is read once for all that ask at the same time, and no longer than one of them waits.
 */
export class LayerListings {
  readonly #registry: Pick<ServedRegistry, "openBlob">;
  readonly #kept = new Map<Digest, KeptListing>();
  readonly #readings = new SingleFlight<LayerListing | undefined>();
  readonly #inTurn = limited(MAX_READINGS);
  readonly #maxKeptBytes: number;

  /** @param maxKeptBytes for tests */
  constructor(registry: Pick<ServedRegistry, "openBlob">, maxKeptBytes: number = MAX_KEPT_BYTES) {
    this.#registry = registry;
    this.#maxKeptBytes = maxKeptBytes;
  }

  /**
   * @param layer of a repository that the client may read.
   * @param signal the client of this call: it leaves, and others go on waiting.
   * @returns undefined for a layer that is damaged or was removed.
   */
  async get(layer: StoredContent, signal: AbortSignal): Promise<LayerListing | undefined> {
    signal.throwIfAborted();
    const { digest } = layer;
    const kept = this.#kept.get(digest);
    if (kept !== undefined) {
      this.#keep(digest, kept);
      return kept.listing;
    }
    const read = async (stop: AbortSignal): Promise<LayerListing | undefined> =>
      await this.#inTurn(async () => await this.#read(layer, stop));
    return await this.#readings.run(digest, read, signal);
  }

  async #read(layer: StoredContent, signal: AbortSignal): Promise<LayerListing | undefined> {
    signal.throwIfAborted();
    const blob = await this.#registry.openBlob(layer);
    if (blob === undefined) return undefined;
    try {
      const listing = await readLayer(blob.chunks({ start: 0, end: layer.size }), { signal });
      this.#keep(layer.digest, { listing, bytes: bytesOf(listing) });
      return listing;
    } catch {
      // The registry has noted the damage.
      signal.throwIfAborted();
      return undefined;
    } finally {
      await blob.close();
    }
  }

  /** As the one that was looked at last. */
  #keep(digest: Digest, kept: KeptListing): void {
    this.#kept.delete(digest);
    this.#kept.set(digest, kept);
    let sum = 0;
    for (const [older, { bytes }] of [...this.#kept].toReversed()) {
      sum += bytes;
      if (sum > this.#maxKeptBytes) this.#kept.delete(older);
    }
  }
}

function bytesOf({ entries }: LayerListing): number {
  return entries.reduce(
    (sum, { path, target = "" }) => sum + ENTRY_BYTES + 2 * (path.length + target.length),
    LISTING_BYTES,
  );
}
